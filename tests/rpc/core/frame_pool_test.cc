#include "weir/rpc/core/frame_pool.h"

#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace weir::internal {
namespace {

// Every test runs on a thread of its own: the lists are the thread's.
template <class F>
void OnFreshThread(F test) {
  std::thread(test).join();
}

class FramePoolTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!FramePool::kEnabled) GTEST_SKIP() << "nothing is pooled under AddressSanitizer";
  }
};

TEST_F(FramePoolTest, TheLastFrameFreedIsTheNextOneGiven) {
  OnFreshThread([] {
    void* const frame = FramePool::Allocate(100);
    FramePool::Free(frame, 100);
    EXPECT_EQ(FramePool::FreeBytes(), 128u);
    EXPECT_EQ(FramePool::Allocate(128), frame);  // of the same class
    EXPECT_EQ(FramePool::FreeBytes(), 0u);
    FramePool::Free(frame, 128);
  });
}

TEST_F(FramePoolTest, ClassesAreKeptApart) {
  OnFreshThread([] {
    void* const small = FramePool::Allocate(64);
    FramePool::Free(small, 64);
    void* const larger = FramePool::Allocate(65);
    EXPECT_NE(larger, small);
    FramePool::Free(larger, 65);
    EXPECT_EQ(FramePool::FreeBytes(), 64u + 128u);
  });
}

TEST_F(FramePoolTest, FramesOverTheLimitAreNotPooled) {
  OnFreshThread([] {
    void* const at_limit = FramePool::Allocate(FramePool::kPooledBytesMax);
    void* const over = FramePool::Allocate(FramePool::kPooledBytesMax + 1);
    FramePool::Free(over, FramePool::kPooledBytesMax + 1);
    EXPECT_EQ(FramePool::FreeBytes(), 0u);
    FramePool::Free(at_limit, FramePool::kPooledBytesMax);
    EXPECT_EQ(FramePool::FreeBytes(), FramePool::kPooledBytesMax);
  });
}

TEST_F(FramePoolTest, EachClassKeepsABoundedAmount) {
  for (const size_t bytes : {size_t{64}, size_t{192}, FramePool::kPooledBytesMax}) {
    OnFreshThread([bytes] {
      std::vector<void*> frames;
      for (size_t i = 0; i < FramePool::kClassBytesMax / bytes + 10; ++i) frames.push_back(FramePool::Allocate(bytes));
      for (void* frame : frames) FramePool::Free(frame, bytes);
      EXPECT_LE(FramePool::FreeBytes(), FramePool::kClassBytesMax);
      EXPECT_GT(FramePool::FreeBytes(), FramePool::kClassBytesMax - bytes);
    });
  }
}

TEST_F(FramePoolTest, AFrameFreedOnAnotherThreadJoinsThatThreadsList) {
  void* const frame = FramePool::Allocate(64);
  const size_t before = FramePool::FreeBytes();
  OnFreshThread([frame] {
    FramePool::Free(frame, 64);
    EXPECT_EQ(FramePool::FreeBytes(), 64u);
  });
  EXPECT_EQ(FramePool::FreeBytes(), before);
}

// A thread-local object made before the pool's own is destroyed after it.
struct FreesAtThreadExit {
  void* frame = nullptr;
  ~FreesAtThreadExit() {
    if (frame != nullptr) FramePool::Free(frame, 64);
    EXPECT_EQ(FramePool::FreeBytes(), 0u);
  }
};

TEST_F(FramePoolTest, FramesFreedAfterTheListsWereClosedAreNotKept) {
  OnFreshThread([] {
    thread_local FreesAtThreadExit late;
    late.frame = FramePool::Allocate(64);
    FramePool::Free(FramePool::Allocate(64), 64);
    EXPECT_EQ(FramePool::FreeBytes(), 64u);
  });
}

}  // namespace
}  // namespace weir::internal
