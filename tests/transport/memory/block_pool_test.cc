#include "weir/transport/memory/block_pool.h"

#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace weir::transport {
namespace {

// Every test runs on a thread of its own: the lists are the thread's.
template <class F>
void OnFreshThread(F test) {
  std::thread(test).join();
}

class BlockPoolTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!BlockPool::kEnabled) GTEST_SKIP() << "nothing is pooled under AddressSanitizer";
  }
};

TEST_F(BlockPoolTest, TheLastBlockFreedIsTheNextOneGiven) {
  OnFreshThread([] {
    void* const block = BlockPool::Allocate(100);
    BlockPool::Free(block, 100);
    EXPECT_EQ(BlockPool::FreeBytes(), 128u);
    EXPECT_EQ(BlockPool::Allocate(128), block);  // of the same class
    EXPECT_EQ(BlockPool::FreeBytes(), 0u);
    BlockPool::Free(block, 128);
  });
}

TEST_F(BlockPoolTest, ClassesAreKeptApart) {
  OnFreshThread([] {
    void* const small = BlockPool::Allocate(64);
    BlockPool::Free(small, 64);
    void* const larger = BlockPool::Allocate(65);
    EXPECT_NE(larger, small);
    BlockPool::Free(larger, 65);
    EXPECT_EQ(BlockPool::FreeBytes(), 64u + 128u);
  });
}

TEST_F(BlockPoolTest, BlocksOverTheLimitAreNotPooled) {
  OnFreshThread([] {
    void* const at_limit = BlockPool::Allocate(BlockPool::kPooledBytesMax);
    void* const over = BlockPool::Allocate(BlockPool::kPooledBytesMax + 1);
    BlockPool::Free(over, BlockPool::kPooledBytesMax + 1);
    EXPECT_EQ(BlockPool::FreeBytes(), 0u);
    BlockPool::Free(at_limit, BlockPool::kPooledBytesMax);
    EXPECT_EQ(BlockPool::FreeBytes(), BlockPool::kPooledBytesMax);
  });
}

TEST_F(BlockPoolTest, EachClassKeepsABoundedAmount) {
  for (const size_t bytes : {size_t{64}, size_t{192}, BlockPool::kPooledBytesMax}) {
    OnFreshThread([bytes] {
      std::vector<void*> blocks;
      for (size_t i = 0; i < BlockPool::kClassBytesMax / bytes + 10; ++i) blocks.push_back(BlockPool::Allocate(bytes));
      for (void* block : blocks) BlockPool::Free(block, bytes);
      EXPECT_LE(BlockPool::FreeBytes(), BlockPool::kClassBytesMax);
      EXPECT_GT(BlockPool::FreeBytes(), BlockPool::kClassBytesMax - bytes);
    });
  }
}

TEST_F(BlockPoolTest, ABlockFreedOnAnotherThreadJoinsThatThreadsList) {
  void* const block = BlockPool::Allocate(64);
  const size_t before = BlockPool::FreeBytes();
  OnFreshThread([block] {
    BlockPool::Free(block, 64);
    EXPECT_EQ(BlockPool::FreeBytes(), 64u);
  });
  EXPECT_EQ(BlockPool::FreeBytes(), before);
}

// A thread-local object made before the pool's own is destroyed after it.
struct FreesAtThreadExit {
  void* block = nullptr;
  ~FreesAtThreadExit() {
    if (block != nullptr) BlockPool::Free(block, 64);
    EXPECT_EQ(BlockPool::FreeBytes(), 0u);
  }
};

TEST_F(BlockPoolTest, BlocksFreedAfterTheListsWereClosedAreNotKept) {
  OnFreshThread([] {
    thread_local FreesAtThreadExit late;
    late.block = BlockPool::Allocate(64);
    BlockPool::Free(BlockPool::Allocate(64), 64);
    EXPECT_EQ(BlockPool::FreeBytes(), 64u);
  });
}

}  // namespace
}  // namespace weir::transport
