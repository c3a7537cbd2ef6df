// ServerLoop: the connections of one loop thread. Everything runs on that loop, except where said.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "weir/rpc/life/peer_counts.h"
#include "weir/rpc/server/dispatcher.h"
#include "weir/rpc/server/handler_queue.h"
#include "weir/rpc/server/server_connection.h"
#include "weir/rpc/server/server_options.h"
#include "weir/rpc/server/server_totals.h"
#include "weir/transport/io/byte_stream.h"
#include "weir/transport/io/event_loop.h"

namespace weir {

class ServerLoop final : private ServerConnectionOwner {
 public:
  // `on_change(+1)` and `on_change(-1)` tell that a connection has come or gone. On the loop. `counts` and `totals`,
  // of the whole server, must outlive it; `totals` null: nothing bounds the whole.
  ServerLoop(transport::EventLoop& loop, HandlerQueue* workers, const Dispatcher& dispatcher,
             const ServerOptions& options, PeerCounts& counts, std::function<void(int)> on_change,
             ServerTotals* totals = nullptr);
  ~ServerLoop();

  transport::EventLoop& loop() { return loop_; }

  // Serves an accepted stream; `name` is its short name in traces.
  void Add(std::unique_ptr<transport::ByteStream> stream, std::string name);

  // No new connections.
  void BeginDrain();
  bool is_draining() const { return draining_; }
  void StopAll(const absl::Status& why);

  // What waits on its connections because of their clients, to the byte; 0 without ceilings for the whole.
  size_t held_bytes() const { return totals_.has_value() ? totals_->memory.bytes() : 0; }
  // The server is beyond its hard ceiling: if this loop holds its share, the connection that holds most ends.
  void RelieveMemory();
  // `tell` has the other loops do that: theirs is the memory, and their connections may not say another word. On the
  // loop, before the first connection.
  void OnOthersMemory(std::function<void()> tell) { tell_others_ = std::move(tell); }

 private:
  void OnConnectionGone(ServerConnection& connection) override;
  void OnTimeout(Timeout which, size_t times) override { counts_.Add(which, times); }
  void OnLimit(transport::H2Limit which) override { counts_.Add(which); }
  void OnMemoryFull() override;

  transport::EventLoop& loop_;
  HandlerQueue* const workers_;
  const Dispatcher& dispatcher_;
  const ServerOptions& options_;
  PeerCounts& counts_;
  const std::function<void(int)> on_change_;
  std::optional<LoopTotals> totals_;
  std::function<void()> tell_others_;
  std::list<std::unique_ptr<ServerConnection>> connections_;  // oldest first
  bool draining_ = false;
  // By how much the ages of connections differ.
  std::minstd_rand random_{static_cast<unsigned>(loop_.RandomSeed())};
  std::uniform_real_distribution<double> chance_{-1, 1};
};

}  // namespace weir
