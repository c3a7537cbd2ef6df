#include "weir/rpc/server/in_process_listener.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "weir/transport/io/memory_stream.h"

namespace weir {
namespace {

// A few large writes of a connection, as with a socket of this system.
constexpr size_t kCapacityBytes = 256 * 1024;

}  // namespace

InProcessListener::InProcessListener(std::shared_ptr<transport::LoopPool> loops,
                                     const std::shared_ptr<ServerLoop>& serving,
                                     std::shared_ptr<std::atomic<uint64_t>> connection_count)
    : loops_(std::move(loops)),
      loop_(serving->loop()),
      serving_(serving),
      connection_count_(std::move(connection_count)) {}

absl::StatusOr<std::unique_ptr<transport::ByteStream>> InProcessListener::Connect() {
  const std::shared_ptr<ServerLoop> serving = serving_.lock();
  if (serving == nullptr) return absl::UnavailableError("the server in this process has been destroyed");
  if (serving->is_draining()) return absl::UnavailableError("the server in this process takes no new connections");
  transport::MemoryStreamOptions options;
  options.capacity_bytes = kCapacityBytes;
  options.first_name = options.second_name = "in-process";
  auto [client, server] = transport::MakeMemoryStreamPair(loop_, std::move(options));
  serving->Add(std::move(server), absl::StrCat("s", ++*connection_count_));
  return std::unique_ptr<transport::ByteStream>(std::move(client));
}

}  // namespace weir
