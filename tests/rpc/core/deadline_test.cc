#include "weir/rpc/core/deadline.h"

#include <chrono>

#include "gtest/gtest.h"

namespace weir {
namespace {

using transport::MonotonicTime;

TEST(DeadlineTest, IsNowAndTheDelay) {
  const MonotonicTime now{std::chrono::hours(7)};
  EXPECT_EQ(TimeAfter(now, absl::Milliseconds(5)), now + std::chrono::milliseconds(5));
  EXPECT_EQ(TimeAfter(now, absl::ZeroDuration()), now);
}

TEST(DeadlineTest, DelayBelowZeroIsNow) {
  const MonotonicTime now{std::chrono::hours(7)};
  EXPECT_EQ(TimeAfter(now, absl::Seconds(-1)), now);
  EXPECT_EQ(TimeAfter(now, -absl::InfiniteDuration()), now);
}

TEST(DeadlineTest, DelayBeyondTheClockIsItsEnd) {
  const MonotonicTime now{std::chrono::hours(7)};
  EXPECT_EQ(TimeAfter(now, absl::Hours(99'999'999)), MonotonicTime::max());
  EXPECT_EQ(TimeAfter(now, absl::InfiniteDuration()), MonotonicTime::max());
  const absl::Duration most = absl::FromChrono(MonotonicTime::max() - now);
  EXPECT_EQ(TimeAfter(now, most - absl::Nanoseconds(1)), MonotonicTime::max() - std::chrono::nanoseconds(1));
  EXPECT_EQ(TimeAfter(now, most), MonotonicTime::max());
  EXPECT_EQ(TimeAfter(now, most + absl::Nanoseconds(1)), MonotonicTime::max());
}

}  // namespace
}  // namespace weir
