#include "weir/transport/memory/chunk_queue.h"

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace weir::transport {
namespace {

std::string Numbered(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 >> 3);
  return text;
}

size_t Pieces(ChunkedBytes bytes) {
  size_t pieces = 0;
  for (; !bytes.empty(); bytes.DropFront()) ++pieces;
  return pieces;
}

TEST(ChunkedBytesTest, OnePieceIsSeenAsItIs) {
  const std::string text = "whole";
  const ChunkedBytes bytes = std::string_view(text);
  std::string room;
  EXPECT_TRUE(bytes.contiguous());
  EXPECT_EQ(bytes.Flat(&room).data(), text.data());
  EXPECT_EQ(room, "");
  EXPECT_EQ(Pieces(bytes), 1u);
  EXPECT_EQ(Pieces(ChunkedBytes()), 0u);
  EXPECT_TRUE(ChunkedBytes().contiguous());
}

TEST(ChunkQueueTest, WhatIsAppendedIsSeenInOrder) {
  ChunkQueue queue;
  const std::string text = Numbered(1000);
  for (size_t at = 0; at < text.size(); at += 7) queue.Append(std::string_view(text).substr(at, 7), 0);
  EXPECT_EQ(queue.size(), text.size());
  const ChunkedBytes all = queue.View(0, text.size());
  EXPECT_GT(Pieces(all), 1u);
  EXPECT_EQ(all.Flatten(), text);
  std::string room;
  EXPECT_EQ(all.Flat(&room), text);
  EXPECT_EQ(queue.View(500, 0).Flatten(), "");
  EXPECT_EQ(queue.View(1000, 0).Flatten(), "");
}

TEST(ChunkQueueTest, BytesAreNeverMoved) {
  ChunkQueue queue;
  const std::string frame = Numbered(16384);
  queue.Append(frame, 1 << 20);
  const char* const where = queue.View(0, 1).front().data();
  for (int i = 0; i < 63; ++i) queue.Append(frame, 1 << 20);
  EXPECT_EQ(queue.View(0, 1).front().data(), where);
  EXPECT_EQ(queue.View(63 * frame.size(), frame.size()).Flatten(), frame);
}

TEST(ChunkQueueTest, FourAnnouncedFramesLieInOnePiece) {
  ChunkQueue queue;
  const std::string message = Numbered(65536 + 9);
  for (size_t at = 0; at < message.size(); at += 16384) {
    const std::string_view piece = std::string_view(message).substr(at, 16384);
    queue.Append(piece, message.size() - at - piece.size());
  }
  EXPECT_TRUE(queue.View(0, message.size()).contiguous());
}

TEST(ChunkQueueTest, RoomFollowsWhatHasComeNotWhatIsAnnounced) {
  for (const size_t piece : {size_t{1}, size_t{5}, size_t{100}, size_t{16384}, size_t{100'000}}) {
    for (const size_t announced : {size_t{0}, size_t{1} << 31}) {
      ChunkQueue queue;
      const std::string bytes = Numbered(piece);
      for (size_t n = 0; queue.size() < 20 * piece; ++n) {
        queue.Append(bytes, announced);
        EXPECT_LE(queue.RoomBytes(), 4 * queue.size() + 1024 + 64) << piece << " bytes, " << announced << " announced";
      }
    }
  }
}

TEST(ChunkQueueTest, AnEmptiedQueueKeepsLittle) {
  ChunkQueue queue;
  queue.Append(Numbered(ChunkQueue::kIdleBytesMax / 2), 0);
  queue.RemovePrefix(queue.size());
  EXPECT_GT(queue.RoomBytes(), 0u);
  EXPECT_LE(queue.RoomBytes(), ChunkQueue::kIdleBytesMax);
  queue.Append(Numbered(1 << 20), 0);
  queue.RemovePrefix(queue.size());
  EXPECT_LE(queue.RoomBytes(), ChunkQueue::kIdleBytesMax);
  queue.Clear();
  EXPECT_EQ(queue.RoomBytes(), 0u);
}

// The same as a string does, whatever is done with it.
TEST(ChunkQueueTest, BehavesAsAString) {
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    std::mt19937 random(seed);
    const auto upto = [&random](size_t most) { return random() % (most + 1); };
    const std::string source = Numbered(20'000);
    ChunkQueue queue;
    std::string model;
    for (int step = 0; step < 300; ++step) {
      if (upto(2) > 0) {
        const std::string_view bytes = std::string_view(source).substr(upto(1000), upto(seed % 2 == 0 ? 50 : 15'000));
        queue.Append(bytes, upto(1) * upto(1 << 20));
        model.append(bytes);
      } else {
        const size_t dropped = upto(3) == 0 ? model.size() : upto(model.size());
        queue.RemovePrefix(dropped);
        model.erase(0, dropped);
      }
      ASSERT_EQ(queue.size(), model.size()) << "seed " << seed;
      const size_t skip = upto(model.size());
      const size_t size = upto(model.size() - skip);
      ASSERT_TRUE(queue.View(skip, size).Flatten() == model.substr(skip, size)) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace weir::transport
