#include "weir/transport/memory/pool_array.h"

#include <string>
#include <string_view>
#include <utility>

#include "gtest/gtest.h"

namespace weir::transport {
namespace {

std::string_view Text(const PoolArray<char>& array) { return {array.data(), array.size()}; }

PoolArray<char> Of(std::string_view text) {
  PoolArray<char> array;
  array.Append(text.data(), text.size());
  return array;
}

TEST(PoolArrayTest, GrowsAndKeepsWhatItHolds) {
  PoolArray<char> array;
  std::string expected;
  for (int i = 0; i < 10000; ++i) {
    const char c = static_cast<char>('a' + i % 26);
    array.Append(&c, 1);
    expected += c;
  }
  EXPECT_EQ(Text(array), expected);
}

TEST(PoolArrayTest, CopiesAreApart) {
  PoolArray<char> first = Of("first");
  PoolArray<char> second = first;
  second.Append("!", 1);
  EXPECT_EQ(Text(first), "first");
  EXPECT_EQ(Text(second), "first!");
  first = second;
  EXPECT_EQ(Text(first), "first!");
}

TEST(PoolArrayTest, AMovedFromArrayIsEmptyAndUsable) {
  PoolArray<char> first = Of("first");
  PoolArray<char> second = std::move(first);
  EXPECT_EQ(Text(second), "first");
  EXPECT_TRUE(first.empty());
  first.Append("again", 5);
  EXPECT_EQ(Text(first), "again");
  second = std::move(first);
  EXPECT_EQ(Text(second), "again");
  EXPECT_TRUE(first.empty());
}

TEST(PoolArrayTest, ClearKeepsTheMemory) {
  PoolArray<char> array = Of("some text");
  const char* const data = array.data();
  array.Clear();
  EXPECT_TRUE(array.empty());
  array.Append("other", 5);
  EXPECT_EQ(array.data(), data);
}

TEST(PoolArrayTest, APrefixIsRemoved) {
  PoolArray<char> array = Of("0123456789");
  array.RemovePrefix(7);
  EXPECT_EQ(Text(array), "789");
  array.RemovePrefix(3);
  EXPECT_TRUE(array.empty());
}

TEST(PoolArrayTest, OfNothingTakesNothing) {
  PoolArray<char> array;
  array.Append(nullptr, 0);
  EXPECT_TRUE(array.empty());
  EXPECT_EQ(array.data(), nullptr);
}

}  // namespace
}  // namespace weir::transport
