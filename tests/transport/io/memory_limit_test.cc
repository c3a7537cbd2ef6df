#include "weir/transport/io/memory_limit.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

namespace weir::transport {
namespace {

const size_t kMachine = static_cast<size_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(::sysconf(_SC_PAGESIZE));

// A root with the files of a test.
class MemoryLimitTest : public ::testing::Test {
 protected:
  MemoryLimitTest() { std::filesystem::remove_all(root_); }

  void Write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + file).parent_path());
    std::ofstream(root_ + file) << text << "\n";
  }
  size_t Limit() const { return MemoryLimit(root_); }

  const std::string root_ =
      ::testing::TempDir() + "/" + ::testing::UnitTest::GetInstance()->current_test_info()->name() + "/";
};

TEST_F(MemoryLimitTest, WithoutGroupsItIsTheMachines) {
  EXPECT_EQ(Limit(), kMachine);
  EXPECT_LE(MemoryLimit(), kMachine);
  EXPECT_GT(MemoryLimit(), 0u);
}

TEST_F(MemoryLimitTest, AContainersOwnGroupIsTheRoot) {
  Write("proc/self/cgroup", "0::/");
  Write("sys/fs/cgroup/memory.max", "1048576");
  EXPECT_EQ(Limit(), 1048576u);
}

TEST_F(MemoryLimitTest, TheLeastOfAGroupAndThoseAroundItCounts) {
  Write("proc/self/cgroup", "0::/a.slice/b.service");
  Write("sys/fs/cgroup/a.slice/memory.max", "2000000");
  Write("sys/fs/cgroup/a.slice/b.service/memory.max", "max");
  EXPECT_EQ(Limit(), 2000000u);
  Write("sys/fs/cgroup/a.slice/b.service/memory.max", "1000000");
  EXPECT_EQ(Limit(), 1000000u);
  Write("sys/fs/cgroup/a.slice/b.service/memory.max", "3000000");
  EXPECT_EQ(Limit(), 2000000u);
}

TEST_F(MemoryLimitTest, NoLimitIsTheMachines) {
  Write("proc/self/cgroup", "4:memory:/\n0::/");
  Write("sys/fs/cgroup/memory.max", "max");
  Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_EQ(Limit(), kMachine);
}

TEST_F(MemoryLimitTest, OfTheFirstVersionTheControllerOfMemoryCounts) {
  Write("proc/self/cgroup", "5:cpu,cpuacct:/docker/c\n4:memory:/docker/c");
  Write("sys/fs/cgroup/memory/docker/c/memory.limit_in_bytes", "3000000");
  EXPECT_EQ(Limit(), 3000000u);
}

TEST_F(MemoryLimitTest, AGroupOfTheHostThatIsNotThereIsTheMount) {
  Write("proc/self/cgroup", "4:memory:/docker/c");
  Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "4000000");
  EXPECT_EQ(Limit(), 4000000u);
}

TEST_F(MemoryLimitTest, LinesThatSayNothingAreIgnored) {
  Write("proc/self/cgroup", "nothing\n\n0:\n1::");
  EXPECT_EQ(Limit(), kMachine);
}

}  // namespace
}  // namespace weir::transport
