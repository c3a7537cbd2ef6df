// ServerConnection: one accepted connection: its HTTP/2 state, its multiplexer, its calls. Lives on one loop.
//
//   kServing --BeginDrain--> kDraining --calls end, or Stop--> closed --last handler returns--> gone
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "weir/rpc/life/timeout.h"
#include "weir/rpc/mux/stream_multiplexer.h"
#include "weir/rpc/server/connection_life.h"
#include "weir/rpc/server/dispatcher.h"
#include "weir/rpc/server/handler_queue.h"
#include "weir/rpc/server/received_head.h"
#include "weir/rpc/server/server_call.h"
#include "weir/rpc/server/server_options.h"
#include "weir/rpc/server/server_totals.h"
#include "weir/transport/h2/connection.h"
#include "weir/transport/io/byte_stream.h"
#include "weir/transport/io/connection_driver.h"
#include "weir/transport/io/event_loop.h"

namespace weir {

class ServerConnection;

class ServerConnectionOwner {
 public:
  // Closed, and no handler of it runs any more. The connection may be destroyed inside.
  virtual void OnConnectionGone(ServerConnection& connection) = 0;
  // So many times `which` was over for its client.
  virtual void OnTimeout(Timeout which, size_t times) = 0;
  // Its client went beyond `which`: it ends.
  virtual void OnLimit(transport::H2Limit which) = 0;

  // The server's connections hold too much (ServerOptions::memory_hard_bytes). At the end of a turn.
  virtual void OnMemoryFull() {}

 protected:
  ~ServerConnectionOwner() = default;
};

class ServerConnection final : private transport::EventSink,
                               private mux::Host,
                               private mux::CallAcceptor,
                               private ServerCallOwner {
 public:
  // `workers` null: handlers run on the loop. `options` and `totals` must outlive it; `totals` null: it is a part of
  // no whole. `chance`: see ConnectionLife.
  ServerConnection(transport::EventLoop& loop, HandlerQueue* workers, const Dispatcher& dispatcher,
                   const ServerOptions& options, ServerConnectionOwner& owner,
                   std::unique_ptr<transport::ByteStream> stream, std::string name, double chance = 0,
                   LoopTotals* totals = nullptr);
  ~ServerConnection();

  // If it fails, the owner is told later, as of every other end.
  absl::Status Start();

  // No new calls; those under way finish, then the connection closes: the two-step GOAWAY of RFC 9113 section 6.8.
  // `why` is a literal, for the client's log.
  void BeginDrain(const char* why = "");

  // Cancels what still runs, and closes.
  void Stop(const absl::Status& why);

  // What the connection holds now: handlers that have not returned, streams, and bytes that the socket did not take.
  size_t handler_count() const { return handler_count_; }
  size_t stream_count() const { return connection_.ActiveStreamCount(); }
  size_t ended_stream_count() const { return mux_.ended_count(); }
  size_t buffered_bytes() const { return driver_.buffered_bytes(); }
  // What waits because of the client (rpc/mux/memory_account.h); 0 once it is being ended for that.
  size_t held_bytes() const { return ended_for_memory_ ? 0 : mux_.memory().bytes(); }

  // It is the one to end because all hold too much.
  void EndForMemory();
  bool is_timed() const { return life_timer_.IsSet(); }

  // Of its owner, which keeps it there.
  std::list<std::unique_ptr<ServerConnection>>::iterator place;

 private:
  // transport::EventSink
  void OnEvents(std::span<transport::H2Event> events) override;
  // Of one that was ended for its memory nothing: see EndForMemory.
  void OnOutputHeld() override {
    mux_.CountOutput(ended_for_memory_ ? 0 : connection_.QueuedBytes() + driver_.buffered_bytes());
  }
  void OnClosed(const absl::Status& reason) override;
  // mux::Host
  void RequestFlush() override { driver_.RequestFlush(); }
  void RequestTurn() override;
  void OnDraining(const absl::Status&) override {}
  void OnMemory() noexcept override;
  // mux::CallAcceptor
  void OnRequest(MessageStream& stream, const wire::Protocol& protocol, transport::RequestReceived request) override;
  // ServerCallOwner
  void OnWriteHeld(ServerCall& call, MessageStream& stream) override;
  void OnResponseHeld(MessageStream& stream, transport::MonotonicTime deadline) override;
  void OnCallDone(ServerCall& call) override;

  std::shared_ptr<const ReceivedHead> HeadOf(const wire::Protocol& protocol, transport::RequestReceived request);
  bool Admit(MessageStream& stream, const ReceivedHead& head);
  void RefuseForAll(MessageStream& stream);
  void Defer(ServerCall& call);
  void BeginDeferred();
  void WatchMemory();
  void Leave(const ServerCall& call);
  void OnTime();
  void Do(ConnectionLife::Act act);
  void SetLifeTimer();
  void CancelStalled();
  void CountStall(const absl::Status& why);
  void End(const absl::Status& why, transport::ErrorCode code);
  void SweepLater() { loop_.AtEndOfTurn(&sweeper_); }
  void Sweep();
  void FreeDone();

  void OnNoMemory() noexcept;

  // No method of a call can be running then.
  class Sweeper final : public transport::EndOfTurn {
   public:
    explicit Sweeper(ServerConnection& connection) : connection_(connection) {}
    void OnEndOfTurn() override { connection_.Sweep(); }

   private:
    ServerConnection& connection_;
  };

  transport::EventLoop& loop_;
  HandlerQueue* const workers_;
  const Dispatcher& dispatcher_;
  const ServerOptions& options_;
  ServerConnectionOwner& owner_;
  LoopCalls* const loop_calls_;             // null: of no loop
  const Interceptors* const interceptors_;  // null: none
  transport::H2Connection connection_;
  mux::StreamMultiplexer mux_;
  transport::ConnectionDriver driver_;
  ConnectionLife life_;
  transport::Timer life_timer_;  // for all that life_ waits for
  std::shared_ptr<const ReceivedHead> last_head_;
  ServerCall* calls_ = nullptr;  // with a running handler, or deferred; newest first
  ServerCall* deferred_ =
      nullptr;                  // of them the oldest whose handler has not begun; all that are newer have not, either
  size_t handler_count_ = 0;    // length of that list
  ServerCall* done_ = nullptr;  // destroyed when no method of theirs can be running
  // When calls were admitted, if they have to be (ServerOptions::admission); null: none was yet.
  std::unique_ptr<absl::flat_hash_map<const ServerCall*, transport::MonotonicTime>> admitted_;
  std::unique_ptr<transport::Timer> turn_timer_;  // null: nothing has ever waited for a turn
  bool closed_ = false;
  bool in_events_ = false;
  bool memory_changed_ = false;
  bool ended_for_memory_ = false;
  Sweeper sweeper_{*this};
};

}  // namespace weir
