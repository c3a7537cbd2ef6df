#include "weir/rpc/client/backoff.h"

#include "gtest/gtest.h"

namespace weir {
namespace {

constexpr double kMiddle = 0.5;  // no jitter

TEST(BackoffTest, PausesGrowToTheirLimit) {
  Backoff backoff(absl::Seconds(1), absl::Seconds(3));
  EXPECT_EQ(backoff.Next(kMiddle), absl::Seconds(1));
  EXPECT_EQ(backoff.Next(kMiddle), absl::Milliseconds(1600));
  EXPECT_EQ(backoff.Next(kMiddle), absl::Milliseconds(2560));
  EXPECT_EQ(backoff.Next(kMiddle), absl::Seconds(3));
  EXPECT_EQ(backoff.Next(kMiddle), absl::Seconds(3));
}

TEST(BackoffTest, JitterIsTwentyPercentEitherWay) {
  Backoff backoff(absl::Seconds(1), absl::Seconds(1));
  EXPECT_EQ(backoff.Next(0.0), absl::Milliseconds(800));
  EXPECT_LT(backoff.Next(0.999), absl::Milliseconds(1200));
}

TEST(BackoffTest, ConnectionThatWorkedBeginsAnew) {
  Backoff backoff(absl::Seconds(1), absl::Seconds(100));
  backoff.Next(kMiddle);
  backoff.Next(kMiddle);
  backoff.Reset();
  EXPECT_EQ(backoff.Next(kMiddle), absl::Seconds(1));
}

}  // namespace
}  // namespace weir
