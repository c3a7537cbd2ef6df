// The numbers of retries: pauses, tokens, push-back, what is kept. gRFC A6.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "weir/rpc/client/retry/push_back.h"
#include "weir/rpc/client/retry/replay_buffer.h"
#include "weir/rpc/client/retry/retry_backoff.h"
#include "weir/rpc/client/retry/retry_throttle.h"

namespace weir {
namespace {

RetryPolicy Policy(absl::Duration initial, absl::Duration max, double multiplier) {
  RetryPolicy policy;
  policy.initial_backoff = initial;
  policy.max_backoff = max;
  policy.backoff_multiplier = multiplier;
  return policy;
}

constexpr double kMiddle = 0.5;  // the factor 1

// ---- pauses ---------------------------------------------------------------------------------------------------------

TEST(RetryBackoffTest, EachPauseIsTheLastOneTimesTheMultiplierUpToTheMaximum) {
  RetryBackoff backoff(Policy(absl::Milliseconds(100), absl::Milliseconds(500), 2));
  EXPECT_EQ(backoff.Next(kMiddle), absl::Milliseconds(100));
  EXPECT_EQ(backoff.Next(kMiddle), absl::Milliseconds(200));
  EXPECT_EQ(backoff.Next(kMiddle), absl::Milliseconds(400));
  EXPECT_EQ(backoff.Next(kMiddle), absl::Milliseconds(500));
  EXPECT_EQ(backoff.Next(kMiddle), absl::Milliseconds(500));
}

TEST(RetryBackoffTest, ChanceSpreadsAPauseByAFifthEachWay) {
  const RetryPolicy policy = Policy(absl::Seconds(1), absl::Seconds(1), 1);
  EXPECT_EQ(RetryBackoff(policy).Next(0), absl::Milliseconds(800));
  EXPECT_EQ(RetryBackoff(policy).Next(0.25), absl::Milliseconds(900));
  EXPECT_LT(RetryBackoff(policy).Next(0.999999), absl::Milliseconds(1200));
  EXPECT_GT(RetryBackoff(policy).Next(0.999999), absl::Milliseconds(1199));
}

TEST(RetryBackoffTest, MaximumCountsForTheFirstPauseToo) {
  EXPECT_EQ(RetryBackoff(Policy(absl::Seconds(5), absl::Seconds(1), 2)).Next(kMiddle), absl::Seconds(1));
}

TEST(RetryBackoffTest, MultiplierBelowOneMakesPausesShorter) {
  RetryBackoff backoff(Policy(absl::Seconds(1), absl::Seconds(10), 0.5));
  EXPECT_EQ(backoff.Next(kMiddle), absl::Seconds(1));
  EXPECT_EQ(backoff.Next(kMiddle), absl::Milliseconds(500));
}

TEST(RetryBackoffTest, HugeMultiplierGivesTheMaximum) {
  RetryBackoff backoff(Policy(absl::Seconds(1), absl::Hours(24), 1e300));
  backoff.Next(kMiddle);
  EXPECT_EQ(backoff.Next(kMiddle), absl::Hours(24));
}

TEST(RetryBackoffTest, ResetBeginsAgainWithTheFirstPause) {
  RetryBackoff backoff(Policy(absl::Milliseconds(100), absl::Seconds(1), 2));
  backoff.Next(kMiddle);
  backoff.Next(kMiddle);
  backoff.Reset();
  EXPECT_EQ(backoff.Next(kMiddle), absl::Milliseconds(100));
}

// ---- tokens ---------------------------------------------------------------------------------------------------------

TEST(RetryThrottleTest, RetriesStopAtHalfOfTheTokens) {
  RetryThrottle throttle({.max_tokens = 10, .token_ratio = 0.5});
  for (int failures = 0; failures < 4; ++failures) throttle.OnFailure();
  EXPECT_TRUE(throttle.MayRetry());  // 6
  throttle.OnFailure();
  EXPECT_FALSE(throttle.MayRetry());  // 5
  throttle.OnSuccess();
  EXPECT_TRUE(throttle.MayRetry());  // 5.5
}

TEST(RetryThrottleTest, TokensStayBetweenNoneAndTheMaximum) {
  RetryThrottle throttle({.max_tokens = 2, .token_ratio = 1});
  throttle.OnSuccess();
  throttle.OnFailure();
  EXPECT_FALSE(throttle.MayRetry());  // 1
  for (int failures = 0; failures < 100; ++failures) throttle.OnFailure();
  throttle.OnSuccess();
  EXPECT_FALSE(throttle.MayRetry());  // 1
  throttle.OnSuccess();
  EXPECT_TRUE(throttle.MayRetry());  // 2
}

TEST(RetryThrottleTest, NewLimitsKeepHowFullItWas) {
  RetryThrottle old({.max_tokens = 10, .token_ratio = 1});
  for (int failures = 0; failures < 5; ++failures) old.OnFailure();
  EXPECT_FALSE(RetryThrottle({.max_tokens = 100, .token_ratio = 1}, old.filled()).MayRetry());
  old.OnSuccess();
  EXPECT_TRUE(RetryThrottle({.max_tokens = 100, .token_ratio = 1}, old.filled()).MayRetry());
}

// ---- push-back ------------------------------------------------------------------------------------------------------

TEST(PushBackTest, MillisecondsUntilTheNextAttempt) {
  EXPECT_EQ(ParsePushBack("0"), absl::ZeroDuration());
  EXPECT_EQ(ParsePushBack("1500"), absl::Milliseconds(1500));
  EXPECT_EQ(ParsePushBack("2147483647"), absl::Milliseconds(2147483647));
  EXPECT_EQ(ParsePushBack(std::nullopt), std::nullopt);
}

TEST(PushBackTest, NegativeOrUnparsableMeansNever) {
  for (const char* value : {"-1", "", "abc", "5s", " 5", "5 ", "+5", "1.5", "2147483648", "99999999999999999999"}) {
    EXPECT_EQ(ParsePushBack(value), absl::InfiniteDuration()) << value;
  }
}

// ---- what is kept ---------------------------------------------------------------------------------------------------

transport::SharedBytes Bytes(size_t size) { return transport::SharedBytes::Of(std::string(size, 'x')); }

TEST(ReplayBufferTest, CallKeepsUpToItsLimit) {
  ReplayBudget budget(1000);
  ReplayBuffer buffer(budget, 100);
  EXPECT_TRUE(buffer.Add(Bytes(99)));
  EXPECT_TRUE(buffer.Add(Bytes(1)));
  EXPECT_FALSE(buffer.Add(Bytes(1)));
  EXPECT_EQ(buffer.messages().size(), 3u);  // the one too many is kept: it is still to be sent
}

TEST(ReplayBufferTest, CallsOfAChannelShareItsLimit) {
  ReplayBudget budget(100);
  ReplayBuffer first(budget, 80);
  ReplayBuffer second(budget, 80);
  EXPECT_TRUE(first.Add(Bytes(60)));
  EXPECT_TRUE(second.Add(Bytes(40)));
  EXPECT_FALSE(second.Add(Bytes(1)));
  first.Clear();
  EXPECT_TRUE(second.Add(Bytes(1)));
}

TEST(ReplayBufferTest, EndOfABufferGivesItsShareBack) {
  ReplayBudget budget;
  {
    ReplayBuffer buffer(budget);
    EXPECT_TRUE(buffer.Add(Bytes(kReplayBytesPerCallMax)));
    EXPECT_FALSE(buffer.Add(Bytes(1)));
    EXPECT_EQ(budget.bytes(), kReplayBytesPerCallMax + 1);
  }
  EXPECT_EQ(budget.bytes(), 0u);
}

}  // namespace
}  // namespace weir
