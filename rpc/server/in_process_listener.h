// InProcessListener: how clients in the same process reach a server: by streams in memory, one end of which lives on
// the same loop as the other.
//
// Shared by the server and its clients, and may outlive the server; then there is nobody to connect to.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "weir/rpc/server/server_loop.h"
#include "weir/transport/io/byte_stream.h"
#include "weir/transport/io/loop_pool.h"

namespace weir {

class InProcessListener {
 public:
  // `serving` is destroyed on its own loop, which is one of `loops`.
  InProcessListener(std::shared_ptr<transport::LoopPool> loops, const std::shared_ptr<ServerLoop>& serving,
                    std::shared_ptr<std::atomic<uint64_t>> connection_count);

  // Where its connections live, and what keeps it running when the server has gone.
  transport::EventLoop& loop() const { return loop_; }
  const std::shared_ptr<transport::LoopPool>& loops() const { return loops_; }

  // The client's end of a new connection. On the loop. UNAVAILABLE if the server drains or has gone.
  absl::StatusOr<std::unique_ptr<transport::ByteStream>> Connect();

 private:
  const std::shared_ptr<transport::LoopPool> loops_;
  transport::EventLoop& loop_;
  const std::weak_ptr<ServerLoop> serving_;
  const std::shared_ptr<std::atomic<uint64_t>> connection_count_;
};

}  // namespace weir
