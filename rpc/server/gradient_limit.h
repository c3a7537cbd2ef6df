// GradientLimit: as many calls at a time as the server serves without making them wait.
//
// The time that calls take tells: while it is what it was in the long run, the limit grows, by little; when it rises,
// because calls wait for each other, the limit falls with it. Netflix's "Gradient2". Nobody has to guess a number.
//
//   limit = limit x gradient + sqrt(limit)        gradient = tolerance x long run / last window, from 0.5 to 1
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "weir/rpc/server/admission.h"

namespace weir {

struct GradientLimitOptions {
  size_t initial = 20;
  size_t min = 10;
  size_t max = 10'000;
  // So much more than in the long run is no sign of overload.
  double tolerance = 1.5;
  // Calls of one window; the limit changes at its end.
  size_t window_calls = 100;
  // Windows that the long run looks back on.
  size_t long_windows = 100;

  absl::StatusCode code = absl::StatusCode::kUnavailable;
  std::optional<absl::Duration> push_back = absl::Milliseconds(100);
};

// The arithmetic alone; on one thread.
class Gradient {
 public:
  explicit Gradient(const GradientLimitOptions& options)
      : options_(options), limit_(static_cast<double>(options.initial)) {}

  // A call took so long, and `running` ran with it.
  void Add(absl::Duration took, size_t running);
  size_t limit() const { return static_cast<size_t>(limit_); }

 private:
  void EndWindow();

  const GradientLimitOptions options_;
  double limit_;
  double long_seconds_ = 0;  // 0: nothing is known
  double sum_seconds_ = 0;   // of the window
  size_t calls_ = 0;
  size_t running_max_ = 0;
};

class GradientLimit final : public Admission {
 public:
  explicit GradientLimit(GradientLimitOptions options = {});

  size_t limit() const { return limit_.load(std::memory_order_relaxed); }

 private:
  AdmissionDecision Admit(const Arrival& arrival) override;
  void OnDone(absl::Duration took, size_t running) override;

  const GradientLimitOptions options_;
  std::atomic<size_t> limit_;
  std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
  Gradient gradient_;  // of whoever has set busy_
};

}  // namespace weir
