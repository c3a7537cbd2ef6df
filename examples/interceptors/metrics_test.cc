#include "examples/interceptors/metrics.h"

#include <gtest/gtest.h>

namespace interceptors {
namespace {

TEST(MetricsTest, TheLastBucketHasNoUpperBound) {
  Metrics::Latencies latencies;
  latencies.calls = 2;
  latencies.by_duration[3] = 1;
  latencies.by_duration[Metrics::kBuckets - 1] = 1;
  EXPECT_EQ(latencies.AtMost(0.5), absl::Microseconds(8));
  EXPECT_EQ(latencies.AtMost(1), absl::InfiniteDuration());
}

}  // namespace
}  // namespace interceptors
