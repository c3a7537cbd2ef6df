// Journal: what became of the calls of a load, as lines for the driver (client.py reads them). Fields are divided by
// tabs; times are seconds of the machine's monotonic clock.
//
//   answered <server> <calls> <first start> <last start> <slowest, s>     of the calls answered since the last Print
//   failed   <start> <end> <code> <safe|unsafe> <peer> <text>             each; safe: may be made again (Why::SafeToRetry)
//   ended    <calls> <failed>                                             all of them, once
//
// Threads: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace fleet {

class Journal {
 public:
  using Clock = std::chrono::steady_clock;

  void Answered(const std::string& server, Clock::time_point start, Clock::time_point end);
  void Failed(Clock::time_point start, Clock::time_point end, const absl::Status& status);

  void Print();
  void PrintEnd();

 private:
  struct Answers {
    uint64_t calls = 0;
    Clock::time_point first_start;
    Clock::time_point last_start;
    Clock::duration slowest{};
  };

  std::mutex mutex_;
  std::map<std::string, Answers> answers_;  // by server
  std::vector<std::string> failures_;
  uint64_t calls_ = 0;
  uint64_t failed_ = 0;
};

}  // namespace fleet
