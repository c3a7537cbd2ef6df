#include "weir/tests/fleet/journal.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "weir/rpc/core/why.h"

namespace fleet {
namespace {

double Seconds(Journal::Clock::duration time) { return std::chrono::duration<double>(time).count(); }
double Seconds(Journal::Clock::time_point time) { return Seconds(time.time_since_epoch()); }

}  // namespace

void Journal::Answered(const std::string& server, Clock::time_point start, Clock::time_point end) {
  std::lock_guard lock(mutex_);
  ++calls_;
  Answers& answers = answers_[server];
  if (answers.calls++ == 0) answers.first_start = answers.last_start = start;
  answers.first_start = std::min(answers.first_start, start);
  answers.last_start = std::max(answers.last_start, start);
  answers.slowest = std::max(answers.slowest, end - start);
}

void Journal::Failed(Clock::time_point start, Clock::time_point end, const absl::Status& status) {
  const weir::Why why = weir::WhyOf(status).value_or(weir::Why{});
  const std::string text = absl::StrReplaceAll(weir::Explain(status), {{"\n", " "}, {"\t", " "}});
  std::lock_guard lock(mutex_);
  ++calls_;
  ++failed_;
  failures_.push_back(absl::StrFormat("failed\t%.6f\t%.6f\t%s\t%s\t%s\t%s\n", Seconds(start), Seconds(end),
                                      absl::StatusCodeToString(status.code()), why.SafeToRetry() ? "safe" : "unsafe",
                                      why.peer, text));
}

void Journal::Print() {
  std::lock_guard lock(mutex_);
  for (const auto& [server, answers] : std::exchange(answers_, {})) {
    std::printf("answered\t%s\t%llu\t%.6f\t%.6f\t%.6f\n", server.c_str(),
                static_cast<unsigned long long>(answers.calls), Seconds(answers.first_start),
                Seconds(answers.last_start), Seconds(answers.slowest));
  }
  for (const std::string& failure : std::exchange(failures_, {})) std::fputs(failure.c_str(), stdout);
  std::fflush(stdout);
}

void Journal::PrintEnd() {
  Print();
  std::lock_guard lock(mutex_);
  std::printf("ended\t%llu\t%llu\n", static_cast<unsigned long long>(calls_), static_cast<unsigned long long>(failed_));
  std::fflush(stdout);
}

}  // namespace fleet
