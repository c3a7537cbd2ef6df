#include "weir/rpc/mux/memory_account.h"

#include <gtest/gtest.h>

#include <optional>

namespace weir::mux {
namespace {

constexpr size_t kStep = LoopMemory::kStepBytes;

TEST(MemoryAccountTest, WithoutOptionsThereIsRoomForEightMessages) {
  constexpr size_t kMib = 1 << 20;
  MemoryCeilings ceilings = ConnectionCeilings(0, 0, 4 * kMib);
  EXPECT_EQ(ceilings.soft_bytes, 32 * kMib);
  EXPECT_EQ(ceilings.hard_bytes, 128 * kMib);
  EXPECT_EQ(ConnectionCeilings(0, 0, 1).soft_bytes, 32 * kMib);
  ceilings = ConnectionCeilings(0, 0, 100 * kMib);
  EXPECT_EQ(ceilings.soft_bytes, 800 * kMib);
  EXPECT_EQ(ceilings.hard_bytes, 3200 * kMib);
  ceilings = ConnectionCeilings(0, 0, SIZE_MAX);
  EXPECT_EQ(ceilings.soft_bytes, SIZE_MAX);
  EXPECT_EQ(ceilings.hard_bytes, SIZE_MAX);
  ceilings = ConnectionCeilings(10, 0, 100 * kMib);
  EXPECT_EQ(ceilings.soft_bytes, 10u);
  EXPECT_EQ(ceilings.hard_bytes, 40u);
  EXPECT_EQ(ConnectionCeilings(10, 11, 100 * kMib).hard_bytes, 11u);
}

TEST(MemoryAccountTest, EachCeilingIsPassedByOneByteMoreThanItIs) {
  MemoryAccount account({.soft_bytes = 10, .hard_bytes = 20}, nullptr);
  account.ChangeReceived(10);
  EXPECT_FALSE(account.is_short());
  account.ChangeReceived(1);
  EXPECT_TRUE(account.is_short());
  EXPECT_FALSE(account.answers_over_soft());
  account.ChangeReceived(9);
  EXPECT_FALSE(account.received_over_hard());
  account.ChangeReceived(1);
  EXPECT_TRUE(account.received_over_hard());
  EXPECT_FALSE(account.answers_over_hard());
  account.ChangeReceived(size_t{0} - 21);
  EXPECT_EQ(account.bytes(), 0u);
  EXPECT_FALSE(account.is_short());
}

TEST(MemoryAccountTest, AnswersAndWhatWasReceivedAddUpButHaveCeilingsOfTheirOwn) {
  MemoryAccount account({.soft_bytes = 10, .hard_bytes = 20}, nullptr);
  account.ChangeReceived(10);
  account.ChangeAnswers(10);
  EXPECT_EQ(account.bytes(), 20u);
  EXPECT_TRUE(account.is_short());
  EXPECT_FALSE(account.answers_over_soft());
  account.ChangeAnswers(1);
  EXPECT_TRUE(account.answers_over_soft());
  account.ChangeAnswers(9);
  EXPECT_FALSE(account.answers_over_hard());
  account.ChangeAnswers(1);
  EXPECT_TRUE(account.answers_over_hard());
  EXPECT_FALSE(account.received_over_hard());
  account.ChangeAnswers(size_t{0} - 21);
  EXPECT_EQ(account.answer_bytes(), 0u);
  EXPECT_EQ(account.bytes(), 10u);
}

TEST(MemoryAccountTest, ASoftCeilingAboveTheHardOneIsTheHardOne) {
  EXPECT_EQ(MemoryAccount({.soft_bytes = 30, .hard_bytes = 20}, nullptr).ceilings().soft_bytes, 20u);
  EXPECT_EQ(MemoryTotal({.soft_bytes = 30, .hard_bytes = 20}).ceilings().soft_bytes, 20u);
}

TEST(MemoryAccountTest, ItIsAtEaseAtHalfOfTheSoftCeiling) {
  MemoryAccount account({.soft_bytes = 10, .hard_bytes = 20}, nullptr);
  account.ChangeReceived(6);
  EXPECT_FALSE(account.is_at_ease());
  account.ChangeReceived(size_t{0} - 1);
  EXPECT_TRUE(account.is_at_ease());
  account.ChangeReceived(size_t{0} - 1);
  EXPECT_TRUE(account.is_at_ease());
}

TEST(MemoryAccountTest, TheTotalHearsInSteps) {
  MemoryTotal total({});
  LoopMemory loop(total);
  MemoryAccount account({}, &loop);
  account.ChangeReceived(kStep - 1);
  EXPECT_EQ(total.bytes(), 0u);
  account.ChangeReceived(1);
  EXPECT_EQ(total.bytes(), kStep);
  account.ChangeReceived(2 * kStep + 5);
  EXPECT_EQ(total.bytes(), 3 * kStep);
  account.ChangeReceived(size_t{0} - (kStep + 6));
  EXPECT_EQ(total.bytes(), kStep);
}

TEST(MemoryAccountTest, ConnectionsOfALoopAddUpExactly) {
  MemoryTotal total({});
  LoopMemory loop(total);
  MemoryAccount first({}, &loop);
  MemoryAccount second({}, &loop);
  first.ChangeReceived(kStep / 2);
  second.ChangeReceived(kStep / 2);
  EXPECT_EQ(total.bytes(), kStep);
}

TEST(MemoryAccountTest, WhatOthersHoldKeepsCallsFromBeginningHere) {
  MemoryTotal total({.soft_bytes = kStep, .hard_bytes = 2 * kStep});
  LoopMemory loop(total);
  LoopMemory other_loop(total);
  MemoryAccount other({}, &other_loop);
  const MemoryAccount account({}, &loop);
  other.ChangeReceived(kStep);
  EXPECT_FALSE(account.is_short());
  other.ChangeReceived(kStep);
  EXPECT_TRUE(account.is_short());
  EXPECT_TRUE(account.total_over_soft());
  EXPECT_FALSE(account.answers_over_soft());
  EXPECT_FALSE(account.total_over_hard());
  other.ChangeReceived(kStep);
  EXPECT_TRUE(account.total_over_hard());
  other.ChangeReceived(size_t{0} - 2 * kStep);
  EXPECT_FALSE(account.is_short());
  EXPECT_FALSE(account.is_at_ease());
  other.ChangeReceived(size_t{0} - kStep);
  EXPECT_TRUE(account.is_at_ease());
}

TEST(MemoryAccountTest, WhatGoesTakesItsBytesAlong) {
  MemoryTotal total({});
  {
    std::optional<LoopMemory> loop(std::in_place, total);
    {
      MemoryAccount account({}, &*loop);
      account.ChangeReceived(5 * kStep);
      EXPECT_EQ(total.bytes(), 5 * kStep);
    }
    EXPECT_EQ(total.bytes(), 0u);
    MemoryAccount(MemoryCeilings(), &*loop).ChangeAnswers(7);
  }
  EXPECT_EQ(total.bytes(), 0u);
}

}  // namespace
}  // namespace weir::mux
