// LoadReport: what a load client has measured, and the line in which it says so. Knows no RPC library.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace bench {

class LoadReport {
 public:
  using Clock = std::chrono::steady_clock;

  void AddCall(Clock::duration latency) {
    latencies_us_.push_back(std::chrono::duration<float, std::micro>(latency).count());
  }

  void AddFailure(std::string error) {
    if (failures_++ == 0) first_error_ = std::move(error);
  }

  // Prints {"rpcs":N,"seconds":S,"p50_us":..,"p99_us":..}. The exit code of the client: 0 only if no call failed.
  int Print(Clock::duration elapsed) {
    std::sort(latencies_us_.begin(), latencies_us_.end());
    std::printf("{\"rpcs\":%llu,\"seconds\":%.3f,\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
                static_cast<unsigned long long>(latencies_us_.size()), std::chrono::duration<double>(elapsed).count(),
                SortedPercentile(0.5), SortedPercentile(0.99));
    if (failures_ == 0) return 0;
    std::fprintf(stderr, "%llu calls failed; the first: %s\n", static_cast<unsigned long long>(failures_),
                 first_error_.c_str());
    return 1;
  }

 private:
  double SortedPercentile(double p) const {
    if (latencies_us_.empty()) return 0;
    const auto rank = static_cast<size_t>(p * static_cast<double>(latencies_us_.size()));
    return latencies_us_[std::min(latencies_us_.size() - 1, rank)];
  }

  std::vector<float> latencies_us_;
  uint64_t failures_ = 0;
  std::string first_error_;
};

// HOST PORT CONCURRENCY SECONDS: the command line of every load client.
struct LoadArguments {
  std::string target;
  int concurrency = 0;
  LoadReport::Clock::duration duration = {};
};

// False, after saying how, if the arguments are not of that form.
inline bool ParseLoadArguments(int argc, char** argv, LoadArguments& arguments) {
  double seconds = 0;
  char end = 0;
  if (argc != 5 || std::sscanf(argv[3], "%d%c", &arguments.concurrency, &end) != 1 ||
      std::sscanf(argv[4], "%lf%c", &seconds, &end) != 1 || arguments.concurrency < 1 || !(seconds > 0)) {
    std::fprintf(stderr, "usage: %s HOST PORT CONCURRENCY SECONDS\n", argc > 0 ? argv[0] : "load_client");
    return false;
  }
  arguments.target = std::string(argv[1]) + ":" + argv[2];
  arguments.duration = std::chrono::duration_cast<LoadReport::Clock::duration>(std::chrono::duration<double>(seconds));
  return true;
}

}  // namespace bench
