// counted_client: makes CALLS unary calls of 16 bytes on one connection, CONCURRENCY at a time, and ends.
//
//   bazel run -c opt //tests/benchmark:counted_client -- 100 2300 127.0.0.1 50051
//
// What it does depends on nothing but its arguments and its peer, so that its instructions can be counted: see
// instructions/. load_client is the one that measures time.
#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/benchmark/bench.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/transport/io/blocking_executor.h"

namespace {

// Lives on the channel's loop.
struct Load {
  bench::EchoClient client;
  int64_t calls_left = 0;
  int running = 0;
  absl::Status first_error;
  weir::transport::BlockingExecutor* done = nullptr;
};

weir::Task<void> CallInALoop(Load& load) {
  bench::Payload request;
  request.set_body(std::string(16, 'x'));
  while (load.calls_left > 0 && load.first_error.ok()) {
    --load.calls_left;
    auto call = load.client.Unary(request);
    absl::StatusOr<bench::Payload> reply = co_await call;
    if (!reply.ok()) load.first_error.Update(reply.status());
  }
  if (--load.running == 0) load.done->Finish();
}

weir::Task<void> Run(Load& load, int concurrency) {
  load.running = concurrency;
  for (int i = 0; i < concurrency; ++i) weir::Spawn(CallInALoop(load));
  co_return;
}

}  // namespace

int main(int argc, char** argv) {
  int concurrency = 0;
  int64_t calls = 0;
  if (argc != 5 || !absl::SimpleAtoi(argv[1], &concurrency) || !absl::SimpleAtoi(argv[2], &calls) || concurrency < 1) {
    std::fprintf(stderr, "usage: counted_client CONCURRENCY CALLS HOST PORT\n");
    return 2;
  }
  weir::Channel channel(absl::StrCat(argv[3], ":", argv[4]), weir::InsecureChannelCredentials());
  weir::transport::BlockingExecutor done;
  Load load{.client = bench::EchoClient(channel), .calls_left = calls, .first_error = {}, .done = &done};
  channel.Run(Run(load, concurrency));
  done.RunUntilDone();
  if (load.first_error.ok()) return 0;
  std::fprintf(stderr, "a call failed: %s\n", load.first_error.ToString().c_str());
  return 1;
}
