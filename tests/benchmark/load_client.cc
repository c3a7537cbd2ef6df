// load_client: makes unary calls of 16 bytes on one connection, keeping CONCURRENCY under way for SECONDS.
//
//   bazel run -c opt //tests/benchmark:load_client -- 127.0.0.1 50051 100 5
//
// Prints {"rpcs":N,"seconds":S,"p50_us":..,"p99_us":..}; exits 0 only if no call failed.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "tests/benchmark/bench.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/transport/io/blocking_executor.h"

namespace {

using Clock = std::chrono::steady_clock;

// Everything below Run lives on the channel's loop.
struct Load {
  bench::EchoClient client;
  Clock::time_point end;
  int running = 0;
  uint64_t rpcs = 0;
  uint64_t failures = 0;
  std::string first_error;
  std::vector<float> latencies_us;
  weir::transport::BlockingExecutor* done = nullptr;
};

weir::Task<void> CallInALoop(Load& load) {
  bench::Payload request;
  request.set_body(std::string(16, 'x'));
  for (Clock::time_point begin = Clock::now(); begin < load.end;) {
    auto call = load.client.Unary(request);
    absl::StatusOr<bench::Payload> reply = co_await call;
    const Clock::time_point now = Clock::now();
    if (reply.ok() && reply->body().size() == 16) {
      ++load.rpcs;
      load.latencies_us.push_back(std::chrono::duration<float, std::micro>(now - begin).count());
    } else {
      if (load.failures++ == 0) load.first_error = reply.status().ToString();
      break;
    }
    begin = now;
  }
  if (--load.running == 0) load.done->Finish();
}

weir::Task<void> Run(Load& load, int concurrency) {
  load.running = concurrency;
  for (int i = 0; i < concurrency; ++i) weir::Spawn(CallInALoop(load));
  co_return;
}

double Percentile(std::vector<float>& sorted, double p) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(p * static_cast<double>(sorted.size())))];
}

}  // namespace

int main(int argc, char** argv) {
  int concurrency = 0;
  double seconds = 0;
  if (argc != 5 || !absl::SimpleAtoi(argv[3], &concurrency) || !absl::SimpleAtod(argv[4], &seconds) ||
      concurrency < 1 || seconds <= 0) {
    std::fprintf(stderr, "usage: load_client HOST PORT CONCURRENCY SECONDS\n");
    return 2;
  }
  weir::Channel channel(std::string(argv[1]) + ":" + argv[2], weir::InsecureChannelCredentials());
  weir::transport::BlockingExecutor done;
  const Clock::time_point begin = Clock::now();
  Load load{.client = bench::EchoClient(channel),
            .end = begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds)),
            .first_error = {},
            .latencies_us = {},
            .done = &done};
  channel.Run(Run(load, concurrency));
  done.RunUntilDone();
  const double elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
  std::sort(load.latencies_us.begin(), load.latencies_us.end());
  std::printf("{\"rpcs\":%llu,\"seconds\":%.3f,\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
              static_cast<unsigned long long>(load.rpcs), elapsed, Percentile(load.latencies_us, 0.5),
              Percentile(load.latencies_us, 0.99));
  if (load.failures == 0) return 0;
  std::fprintf(stderr, "%llu calls failed; the first: %s\n", static_cast<unsigned long long>(load.failures),
               load.first_error.c_str());
  return 1;
}
