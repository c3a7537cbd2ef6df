// Below, at and above the limit, on one loop and on several.
#include "weir/rpc/server/call_limit.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <optional>

namespace weir {
namespace {

void BeginSome(LoopCalls& calls, size_t count) {
  for (size_t i = 0; i < count; ++i) calls.Begin();
}

TEST(CallLimitTest, ALoopAloneIsFullAtExactlyTheLimit) {
  for (const size_t max : {size_t{1}, size_t{10}, size_t{1024}, size_t{100'000}}) {
    CallLimit limit(max);
    LoopCalls calls(limit);
    BeginSome(calls, max - 1);
    EXPECT_FALSE(calls.IsFull());
    calls.Begin();
    EXPECT_TRUE(calls.IsFull());
    calls.End();
    EXPECT_FALSE(calls.IsFull());
  }
}

TEST(CallLimitTest, NoneIsEverFull) {
  CallLimit limit(0);
  EXPECT_TRUE(LoopCalls(limit).IsFull());
}

TEST(CallLimitTest, LoopsShareASmallLimitExactly) {
  CallLimit limit(10);
  LoopCalls one(limit);
  LoopCalls other(limit);
  BeginSome(one, 6);
  BeginSome(other, 3);
  EXPECT_FALSE(one.IsFull());
  one.Begin();
  EXPECT_TRUE(one.IsFull());
  EXPECT_TRUE(other.IsFull());
  EXPECT_EQ(limit.count(), 10u);
}

TEST(CallLimitTest, LoopsShareALargeLimitToAThousandth) {
  CallLimit limit(10'240);
  ASSERT_EQ(limit.step(), 10u);
  LoopCalls one(limit);
  LoopCalls other(limit);
  BeginSome(one, 19);
  EXPECT_EQ(limit.count(), 10u);  // of the rest it has not told
  BeginSome(other, 10'240 - 11);
  EXPECT_FALSE(other.IsFull());
  other.Begin();
  EXPECT_TRUE(other.IsFull());
}

TEST(CallLimitTest, CallsThatComeAndGoAtABorderAreNotTold) {
  CallLimit limit(10'240);
  LoopCalls calls(limit);
  BeginSome(calls, 10);
  for (int i = 0; i < 9; ++i) calls.End();
  EXPECT_EQ(limit.count(), 10u);
  calls.End();
  EXPECT_EQ(limit.count(), 0u);
}

TEST(CallLimitTest, ALoopThatGoesTakesItsCallsAlong) {
  CallLimit limit(10);
  std::optional<LoopCalls> calls(std::in_place, limit);
  BeginSome(*calls, 4);
  calls.reset();
  EXPECT_EQ(limit.count(), 0u);
}

}  // namespace
}  // namespace weir
