// Deadlines: a duration of the application or of a peer, from now on, as a time of the loop's clock.
#pragma once

#include "absl/time/time.h"
#include "weir/transport/io/executor.h"

namespace weir {

// `now` + `delay`, but never outside what MonotonicTime holds: a peer may ask for 11,000 years ("99999999H"), an
// application for absl::InfiniteDuration(). A delay below zero counts as zero.
inline transport::MonotonicTime TimeAfter(transport::MonotonicTime now, absl::Duration delay) {
  if (delay <= absl::ZeroDuration()) return now;
  const std::chrono::nanoseconds nanos = absl::ToChronoNanoseconds(delay);  // saturates
  return nanos < transport::MonotonicTime::max() - now ? now + nanos : transport::MonotonicTime::max();
}

}  // namespace weir
