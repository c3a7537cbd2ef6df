#include "weir/transport/memory/large_pool.h"

#include <cstring>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "weir/transport/memory/block_pool.h"

namespace weir::transport {
namespace {

// Every test runs on a thread of its own: the lists are the thread's.
template <class F>
void OnFreshThread(F test) {
  std::thread(test).join();
}

class LargePoolTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!BlockPool::kEnabled) GTEST_SKIP() << "nothing is pooled under AddressSanitizer";
  }
};

TEST_F(LargePoolTest, TheLastBlockFreedIsTheNextOneGivenToItsClass) {
  OnFreshThread([] {
    void* const block = LargePool::Allocate(66'000);
    LargePool::Free(block, 66'000);
    EXPECT_EQ(LargePool::KeptBytes(), 80u << 10);
    EXPECT_EQ(LargePool::Allocate(80 << 10), block);
    EXPECT_EQ(LargePool::KeptBytes(), 0u);
    LargePool::Free(block, 80 << 10);
  });
}

TEST_F(LargePoolTest, ABlockHasRoomForAllThatWasAskedFor) {
  OnFreshThread([] {
    for (size_t bytes = LargePool::kBytesMin - 1; bytes <= LargePool::kBytesMax + 1; bytes += 1 + bytes / 50) {
      for (const size_t size : {bytes, bytes + 1}) {
        void* const block = LargePool::Allocate(size);
        memset(block, 'x', size);
        LargePool::Free(block, size);
      }
    }
  });
}

TEST_F(LargePoolTest, BlocksOutsideTheLimitsAreNotKept) {
  for (const size_t bytes : {LargePool::kBytesMin, LargePool::kBytesMax + 1}) {
    OnFreshThread([bytes] {
      LargePool::Free(LargePool::Allocate(bytes), bytes);
      EXPECT_EQ(LargePool::KeptBytes(), 0u);
    });
  }
}

TEST_F(LargePoolTest, AThreadKeepsABoundedAmount) {
  OnFreshThread([] {
    std::vector<void*> blocks;
    for (int i = 0; i < 100; ++i) blocks.push_back(LargePool::Allocate(64 << 10));
    for (void* block : blocks) LargePool::Free(block, 64 << 10);
    EXPECT_EQ(LargePool::KeptBytes(), LargePool::kKeptBytesMax);
  });
}

TEST_F(LargePoolTest, BlocksOfOtherSizesMakeRoomForTheOneJustUsed) {
  OnFreshThread([] {
    std::vector<void*> blocks;
    for (int i = 0; i < 100; ++i) blocks.push_back(LargePool::Allocate(64 << 10));
    for (void* block : blocks) LargePool::Free(block, 64 << 10);
    void* const large = LargePool::Allocate(1 << 20);
    LargePool::Free(large, 1 << 20);
    EXPECT_EQ(LargePool::KeptBytes(), LargePool::kKeptBytesMax);
    EXPECT_EQ(LargePool::Allocate(1 << 20), large);
    LargePool::Free(large, 1 << 20);
  });
}

// A thread-local object made before the pool's own is destroyed after it.
struct FreesAtThreadExit {
  void* block = nullptr;
  ~FreesAtThreadExit() {
    if (block != nullptr) LargePool::Free(block, 10'000);
    EXPECT_EQ(LargePool::KeptBytes(), 0u);
  }
};

TEST_F(LargePoolTest, BlocksFreedAfterTheListsWereClosedAreNotKept) {
  OnFreshThread([] {
    thread_local FreesAtThreadExit late;
    late.block = LargePool::Allocate(10'000);
    LargePool::Free(LargePool::Allocate(10'000), 10'000);
    EXPECT_EQ(LargePool::KeptBytes(), 10u << 10);
  });
}

}  // namespace
}  // namespace weir::transport
