// load_client: makes unary calls of 16 bytes on one connection, keeping CONCURRENCY under way for SECONDS.
//
//   bazel run -c opt //tests/benchmark:load_client -- 127.0.0.1 50051 100 5
//
// Prints {"rpcs":N,"seconds":S,"p50_us":..,"p99_us":..}; exits 0 only if no call failed.
#include <string>

#include "tests/benchmark/bench.weir.pb.h"
#include "tests/benchmark/load_report.h"
#include "weir/rpc/client/channel.h"
#include "weir/transport/io/blocking_executor.h"

namespace {

using Clock = bench::LoadReport::Clock;

// Lives on the channel's loop while calls run.
struct Load {
  bench::EchoClient client;
  Clock::time_point end;
  int running = 0;
  bench::LoadReport report;
  weir::transport::BlockingExecutor* done = nullptr;
};

weir::Task<void> CallInALoop(Load& load) {
  bench::Payload request;
  request.set_body(std::string(16, 'x'));
  for (Clock::time_point begin = Clock::now(); begin < load.end;) {
    auto call = load.client.Unary(request);
    absl::StatusOr<bench::Payload> reply = co_await call;
    const Clock::time_point now = Clock::now();
    if (!reply.ok() || reply->body().size() != 16) {
      load.report.AddFailure(reply.status().ToString());
      break;
    }
    load.report.AddCall(now - begin);
    begin = now;
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
  bench::LoadArguments arguments;
  if (!bench::ParseLoadArguments(argc, argv, arguments)) return 2;
  weir::Channel channel(arguments.target, weir::InsecureChannelCredentials());
  weir::transport::BlockingExecutor done;
  const Clock::time_point begin = Clock::now();
  Load load{.client = bench::EchoClient(channel), .end = begin + arguments.duration, .report = {}, .done = &done};
  channel.Run(Run(load, arguments.concurrency));
  done.RunUntilDone();
  return load.report.Print(Clock::now() - begin);
}
