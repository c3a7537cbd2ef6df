// soak --calls=N: a mix of calls for a long time, and what becomes of memory, descriptors and latency. See README.md.
#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "tests/benchmark/bench.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/server/server.h"
#include "weir/transport/io/blocking_executor.h"

ABSL_FLAG(int64_t, calls, 1'000'000, "calls in all");

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kParts = 10;
constexpr int kCallsAtATime = 64;
constexpr int kWarmUpParts = 5;
constexpr int64_t kNoiseKib = 4096;

class Service final : public bench::EchoService {
 public:
  weir::Task<absl::StatusOr<bench::Payload>> Unary(weir::ServerContext& context,
                                                   const bench::Payload& request) override {
    if (request.body() == "wait") co_await context.Cancelled();
    co_return request;
  }
  weir::Task<absl::Status> ServerStream(weir::ServerContext&, const bench::StreamRequest& request,
                                        weir::Writer<bench::Payload>& writer) override {
    bench::Payload payload;
    payload.set_body(std::string(request.size(), 'x'));
    for (uint32_t i = 0; i < request.count(); ++i) {
      if (!co_await writer.Write(payload)) break;
    }
    co_return absl::OkStatus();
  }
  weir::Task<absl::StatusOr<bench::Summary>> ClientStream(weir::ServerContext&,
                                                          weir::Reader<bench::Payload>& reader) override {
    bench::Summary summary;
    while (co_await reader.Read()) summary.set_count(summary.count() + 1);
    co_return summary;
  }
  weir::Task<absl::Status> BidiEcho(weir::ServerContext&, weir::Reader<bench::Payload>& reader,
                                    weir::Writer<bench::Payload>& writer) override {
    while (std::optional<bench::Payload> payload = co_await reader.Read()) {
      if (!co_await writer.Write(*payload)) break;
    }
    co_return absl::OkStatus();
  }
};

bench::Payload Body(std::string text) {
  bench::Payload payload;
  payload.set_body(std::move(text));
  return payload;
}

// One part of the run: its calls, by coroutines on the channel's loop that each make one after the other.
class Part {
 public:
  Part(weir::Channel& channel, int64_t first, int64_t last) : client_(channel), next_(first), last_(last) {
    latencies_us_.reserve(static_cast<size_t>(last - first));
    for (int i = 0; i < kCallsAtATime; ++i) channel.Run(Work(*this));
    done_.RunUntilDone();
  }

  int64_t unexpected() const { return unexpected_; }
  uint32_t Percentile(double share) {
    if (latencies_us_.empty()) return 0;
    const auto at =
        latencies_us_.begin() + static_cast<ptrdiff_t>(share * static_cast<double>(latencies_us_.size() - 1));
    std::nth_element(latencies_us_.begin(), at, latencies_us_.end());
    return *at;
  }

 private:
  static weir::Task<void> Work(Part& part) {
    while (part.next_ < part.last_) {
      const int64_t number = part.next_++;
      const absl::StatusCode expected = part.Expected(number);
      const absl::Status status = co_await part.Make(number);
      if (status.code() != expected) {
        if (part.unexpected_++ < 5) std::fprintf(stderr, "call %ld: %s\n", number, status.ToString().c_str());
      }
    }
    if (++part.workers_done_ == kCallsAtATime) part.done_.Finish();
  }

  static absl::StatusCode Expected(int64_t number) {
    if (number % 100 == 1) return absl::StatusCode::kCancelled;
    if (number % 100 == 2) return absl::StatusCode::kDeadlineExceeded;
    return absl::StatusCode::kOk;
  }

  weir::Task<absl::Status> Make(int64_t number) {
    if (number % 10'000 == 0) return Large();
    switch (number % 100) {
      case 1:
        return Cancelled();
      case 2:
        return TooLate();
      case 3:
      case 4:
      case 5:
        return Down();
      case 6:
      case 7:
        return Up();
      case 8:
      case 9:
      case 10:
        return Both();
      default:
        return Unary();
    }
  }

  weir::Task<absl::Status> Unary() {
    const bench::Payload request = Body("hello, world");
    const Clock::time_point start = Clock::now();
    auto call = client_.Unary(request);
    const absl::StatusOr<bench::Payload> reply = co_await call;
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
    latencies_us_.push_back(static_cast<uint32_t>(took.count()));
    co_return reply.status();
  }
  weir::Task<absl::Status> Large() {
    const bench::Payload request = Body(std::string(4'000'000, 'x'));
    auto call = client_.Unary(request);
    const absl::StatusOr<bench::Payload> reply = co_await call;
    co_return reply.status();
  }
  weir::Task<absl::Status> Cancelled() {
    const bench::Payload request = Body("wait");
    auto call = client_.Unary(request);
    call.Cancel();
    const absl::StatusOr<bench::Payload> reply = co_await call;
    co_return reply.status();
  }
  weir::Task<absl::Status> TooLate() {
    const bench::Payload request = Body("wait");
    const weir::CallOptions options = weir::CallOptions().Timeout(absl::Milliseconds(5));
    auto call = client_.Unary(request, options);
    const absl::StatusOr<bench::Payload> reply = co_await call;
    co_return reply.status();
  }
  weir::Task<absl::Status> Down() {
    bench::StreamRequest request;
    request.set_count(20);
    request.set_size(1000);
    auto call = client_.ServerStream(request);
    while (co_await call.Read()) {
    }
    absl::Status status = co_await call.Finish();
    co_return status;
  }
  weir::Task<absl::Status> Up() {
    const bench::Payload message = Body(std::string(1000, 'x'));
    auto call = client_.ClientStream();
    for (int i = 0; i < 20; ++i) {
      if (!co_await call.Write(message)) break;
    }
    const absl::StatusOr<bench::Summary> summary = co_await call.Finish();
    co_return summary.status();
  }
  weir::Task<absl::Status> Both() {
    const bench::Payload message = Body(std::string(100, 'x'));
    auto call = client_.BidiEcho();
    for (int i = 0; i < 10; ++i) {
      if (!co_await call.Write(message)) break;
      const std::optional<bench::Payload> read = co_await call.Read();
      if (!read.has_value()) break;
    }
    absl::Status status = co_await call.Finish();
    co_return status;
  }

  bench::EchoClient client_;
  int64_t next_;
  const int64_t last_;
  int64_t unexpected_ = 0;
  int workers_done_ = 0;
  std::vector<uint32_t> latencies_us_;
  weir::transport::BlockingExecutor done_;
};

int64_t ResidentKib() {
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0;
  int64_t resident = 0;
  statm >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE) / 1024;
}

int Descriptors() {
  DIR* const folder = opendir("/proc/self/fd");
  int count = 0;
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  const int64_t calls = absl::GetFlag(FLAGS_calls);
  Service service;
  weir::ServerOptions options;
  options.loop_threads = 1;
  weir::Server server(options);
  server.AddService(service);
  if (absl::Status listening = server.Listen("127.0.0.1:0", weir::InsecureServerCredentials()); !listening.ok()) {
    std::fprintf(stderr, "%s\n", listening.ToString().c_str());
    return 1;
  }
  weir::Channel channel("127.0.0.1:" + std::to_string(server.port()), weir::InsecureChannelCredentials());

  std::printf("%12s %12s %12s %10s %10s %10s %10s\n", "calls", "per second", "RSS KiB", "fds", "p50 us", "p99 us",
              "p99.9 us");
  int64_t unexpected = 0;
  int64_t warm_kib = 0;
  int warm_descriptors = 0;
  for (int i = 0; i < kParts; ++i) {
    const int64_t first = calls * i / kParts;
    const int64_t last = calls * (i + 1) / kParts;
    const Clock::time_point start = Clock::now();
    Part part(channel, first, last);
    const std::chrono::duration<double> took = Clock::now() - start;
    unexpected += part.unexpected();
    std::printf("%12ld %12.0f %12ld %10d %10u %10u %10u\n", last, static_cast<double>(last - first) / took.count(),
                ResidentKib(), Descriptors(), part.Percentile(0.5), part.Percentile(0.99), part.Percentile(0.999));
    std::fflush(stdout);
    if (i + 1 == kWarmUpParts) {
      warm_kib = ResidentKib();
      warm_descriptors = Descriptors();
    }
  }
  const int64_t grown_kib = ResidentKib() - warm_kib;
  const int64_t allowed_kib = kNoiseKib + calls * (kParts - kWarmUpParts) / kParts * 1024 / 10'000'000;
  std::printf("after the warm-up: memory %+ld KiB (%ld allowed), descriptors %+d, calls with an unexpected end %ld\n",
              grown_kib, allowed_kib, Descriptors() - warm_descriptors, unexpected);
  return unexpected == 0 && grown_kib <= allowed_kib && Descriptors() == warm_descriptors ? 0 : 1;
}
