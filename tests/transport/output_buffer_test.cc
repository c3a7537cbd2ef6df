#include "weir/transport/h2/output_buffer.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace weir::transport {
namespace {

SharedBytes Large(char c) { return SharedBytes::Of(std::string(5000, c)); }

TEST(OutputBufferTest, SmallPiecesBecomeOnePiece) {
  OutputBuffer buffer;
  buffer.Append("abc");
  buffer.Append("");
  buffer.Append(SharedBytes::Of("def"));
  std::array<std::string_view, 4> pieces;
  ASSERT_EQ(buffer.Gather(pieces), 1u);
  EXPECT_EQ(pieces[0], "abcdef");
  EXPECT_EQ(buffer.size(), 6u);
}

TEST(OutputBufferTest, LargeSharedBytesAreKeptByReferenceInTheirPlace) {
  const SharedBytes x = Large('x');
  const SharedBytes y = Large('y');
  OutputBuffer buffer;
  buffer.Append("head");
  buffer.Append(x);
  buffer.Append(y);
  buffer.Append("tail");
  std::array<std::string_view, 8> pieces;
  ASSERT_EQ(buffer.Gather(pieces), 4u);
  EXPECT_EQ(pieces[0], "head");
  EXPECT_EQ(pieces[1].data(), x.bytes.data());
  EXPECT_EQ(pieces[2].data(), y.bytes.data());
  EXPECT_EQ(pieces[3], "tail");
  EXPECT_EQ(buffer.Gather(std::span(pieces).first(2)), 2u);
}

TEST(OutputBufferTest, SharingBeginsAtKShareBytesMin) {
  for (size_t size :
       {OutputBuffer::kShareBytesMin - 1, OutputBuffer::kShareBytesMin, OutputBuffer::kShareBytesMin + 1}) {
    const SharedBytes bytes = SharedBytes::Of(std::string(size, 'x'));
    OutputBuffer buffer;
    buffer.Append(bytes);
    std::array<std::string_view, 2> pieces;
    ASSERT_EQ(buffer.Gather(pieces), 1u);
    EXPECT_EQ(pieces[0].data() == bytes.bytes.data(), size >= OutputBuffer::kShareBytesMin) << size;
  }
}

TEST(OutputBufferTest, AnOwnerIsLetGoWhenItsBytesAreRemoved) {
  SharedBytes bytes = Large('x');
  const std::weak_ptr<const void> owner = bytes.owner;
  OutputBuffer buffer;
  buffer.Append(std::move(bytes));
  buffer.Append("tail");
  buffer.RemovePrefix(4999);
  EXPECT_FALSE(owner.expired());
  buffer.RemovePrefix(1);
  EXPECT_TRUE(owner.expired());
  EXPECT_EQ(buffer.Flatten(), "tail");
}

TEST(OutputBufferTest, AMovedFromBufferIsEmptyAndUsable) {
  OutputBuffer a;
  a.Append("abc");
  a.Append(Large('x'));
  OutputBuffer b = std::move(a);
  EXPECT_EQ(b.size(), 5003u);
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): documented
  a.Append("x");
  EXPECT_EQ(a.Flatten(), "x");
}

TEST(OutputBufferTest, MovePrefixSlicesSharedBytesWithoutACopy) {
  const SharedBytes x = Large('x');
  OutputBuffer from;
  from.Append("ab");
  from.Append(x);
  OutputBuffer to;
  from.MovePrefix(2 + 2500, &to);
  EXPECT_EQ(to.size(), 2502u);
  EXPECT_EQ(from.size(), 2500u);
  std::array<std::string_view, 2> pieces;
  ASSERT_EQ(to.Gather(pieces), 2u);
  EXPECT_EQ(pieces[1].data(), x.bytes.data());
  ASSERT_EQ(from.Gather(pieces), 1u);
  EXPECT_EQ(pieces[0].data(), x.bytes.data() + 2500);
}

TEST(OutputBufferTest, AnyMixOfOperationsKeepsTheBytesInOrder) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    OutputBuffer buffer;
    std::string model;
    for (int step = 0; step < 200; ++step) {
      const std::string text(random() % (random() % 8 == 0 ? 9000 : 60), static_cast<char>('a' + random() % 26));
      switch (random() % 4) {
        case 0:
          buffer.Append(text);
          model += text;
          break;
        case 1:
          buffer.Append(SharedBytes::Of(text));
          model += text;
          break;
        case 2: {
          const size_t bytes = random() % (model.size() + 1);
          buffer.RemovePrefix(bytes);
          model.erase(0, bytes);
          break;
        }
        case 3: {
          OutputBuffer to;
          const size_t bytes = random() % (model.size() + 1);
          buffer.MovePrefix(bytes, &to);
          ASSERT_EQ(to.Flatten(), model.substr(0, bytes));
          model.erase(0, bytes);
          break;
        }
      }
      ASSERT_EQ(buffer.size(), model.size());
      ASSERT_EQ(buffer.Flatten(), model);
    }
  }
}

TEST(OutputBufferTest, ABufferThatIsNeverEmptyDoesNotGrow) {
  OutputBuffer buffer;
  buffer.Append("x");
  const std::string block(10000, 'b');
  for (int i = 0; i < 10000; ++i) {
    buffer.Append(block);
    buffer.RemovePrefix(block.size());
  }
  std::array<std::string_view, 2> pieces;
  ASSERT_EQ(buffer.Gather(pieces), 1u);
  EXPECT_EQ(buffer.size(), 1u);  // that it ends at all within memory is the test
}

TEST(OutputBufferTest, SharedBytesThatHaveLeftAreForgottenWhileOthersWait) {
  OutputBuffer buffer;
  std::array<std::string_view, 200> pieces;
  for (int i = 0; i < 200; ++i) {
    buffer.Append(std::string(1, static_cast<char>('a' + i % 26)));
    buffer.Append(Large(static_cast<char>('A' + i % 26)));
  }
  for (int i = 0; i < 199; ++i) {
    ASSERT_GE(buffer.Gather(std::span(pieces).first(2)), 2u);
    ASSERT_EQ(pieces[0], std::string(1, static_cast<char>('a' + i % 26))) << i;
    ASSERT_EQ(pieces[1], std::string(5000, static_cast<char>('A' + i % 26))) << i;
    buffer.RemovePrefix(5001);
  }
  EXPECT_EQ(buffer.size(), 5001u);
}

}  // namespace
}  // namespace weir::transport
