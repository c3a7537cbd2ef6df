#include "weir/rpc/server/gradient_limit.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace weir {

void Gradient::Add(absl::Duration took, size_t running) {
  sum_seconds_ += absl::ToDoubleSeconds(took);
  running_max_ = std::max(running_max_, running);
  if (++calls_ >= options_.window_calls) EndWindow();
}

void Gradient::EndWindow() {
  const double seconds = std::max(sum_seconds_ / static_cast<double>(calls_), 1e-9);
  const size_t running = running_max_;
  sum_seconds_ = 0;
  calls_ = running_max_ = 0;
  if (long_seconds_ == 0) long_seconds_ = seconds;
  long_seconds_ += (seconds - long_seconds_) / static_cast<double>(options_.long_windows);
  // After an overload the long run is too long, and would allow the next one.
  if (long_seconds_ > 2 * seconds) long_seconds_ *= 0.95;
  // A limit that nobody reaches says nothing, and must not grow.
  if (2 * running < limit()) return;
  const double gradient = std::clamp(options_.tolerance * long_seconds_ / seconds, 0.5, 1.0);
  constexpr double kSmoothing = 0.2;
  const double target = limit_ * gradient + std::sqrt(limit_);
  limit_ = std::clamp(limit_ * (1 - kSmoothing) + target * kSmoothing, static_cast<double>(options_.min),
                      static_cast<double>(options_.max));
}

GradientLimit::GradientLimit(GradientLimitOptions options)
    : options_(options), limit_(options.initial), gradient_(options) {}

AdmissionDecision GradientLimit::Admit(const Arrival& arrival) {
  const size_t limit = limit_.load(std::memory_order_relaxed);
  if (arrival.running < limit) return AdmissionDecision::Admit();
  return AdmissionDecision::Shed(
      absl::Status(options_.code, absl::StrCat("the server is busy: it serves ", limit,
                                               " calls at a time without making them wait (GradientLimit)")),
      options_.push_back);
}

void GradientLimit::OnDone(absl::Duration took, size_t running) {
  // Nobody waits: a call that comes while another is being counted is not counted.
  if (busy_.test_and_set(std::memory_order_acquire)) return;
  gradient_.Add(took, running);
  limit_.store(gradient_.limit(), std::memory_order_relaxed);
  busy_.clear(std::memory_order_release);
}

}  // namespace weir
