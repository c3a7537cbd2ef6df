// What every content coding must do, whoever sends: one set of tests for all of them.
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "weir/rpc/wire/zlib_compressor.h"
#include "weir/rpc/wire/zstd_compressor.h"

namespace weir {
namespace {

constexpr size_t kNoLimit = 1 << 30;

// Compresses to about a third.
std::string Text(size_t bytes) {
  std::string text;
  for (uint32_t x = 1; text.size() < bytes; x = x * 1664525 + 1013904223) {
    text.append("word").append(std::to_string(x >> 24));
  }
  text.resize(bytes);
  return text;
}

// Does not compress.
std::string Noise(size_t bytes) {
  std::string noise;
  for (uint32_t x = 1; noise.size() < bytes; x = x * 1664525 + 1013904223) noise.push_back(static_cast<char>(x >> 24));
  return noise;
}

class CompressorTest : public ::testing::TestWithParam<std::shared_ptr<const Compressor>> {
 protected:
  std::string Compressed(std::string_view message) {
    std::string out;
    const absl::Status done = GetParam()->Compress(message, &out);
    EXPECT_TRUE(done.ok()) << done;
    return out;
  }
  // The message, or the error's text.
  std::string Decompressed(std::string_view compressed, size_t bytes_max = kNoLimit) {
    std::string out;
    const absl::Status done = GetParam()->Decompress(compressed, bytes_max, &out);
    return done.ok() ? out : std::string(done.message());
  }
};

TEST_P(CompressorTest, WhatGoesInComesOut) {
  for (const size_t bytes : {0, 1, 2, 100, 4096, 65535, 65536, 1 << 20, (5 << 20) + 3}) {
    for (const std::string& message : {Text(bytes), Noise(bytes), std::string(bytes, '\0')}) {
      EXPECT_TRUE(Decompressed(Compressed(message)) == message) << bytes;
    }
  }
}

TEST_P(CompressorTest, TextGetsSmaller) { EXPECT_LT(Compressed(Text(10000)).size(), 5000u); }

TEST_P(CompressorTest, CompressAppends) {
  std::string out = "front";
  ASSERT_TRUE(GetParam()->Compress("message", &out).ok());
  EXPECT_EQ(out.substr(0, 5), "front");
  EXPECT_EQ(Decompressed(out.substr(5)), "message");
}

// Streaming stops at the limit and one byte more.
TEST_P(CompressorTest, TheLimitIsSeenExactly) {
  for (const size_t bytes : {1u, 255u, 256u, 257u, 1000u, 65536u, 1000000u}) {
    for (const std::string& message : {Text(bytes), std::string(bytes, 'x')}) {
      const std::string compressed = Compressed(message);
      EXPECT_EQ(Decompressed(compressed, bytes + 1).size(), bytes);
      EXPECT_EQ(Decompressed(compressed, bytes).size(), bytes);
      EXPECT_EQ(Decompressed(compressed, bytes - 1).size(), bytes) << "one more than the limit, to show that there is";
    }
  }
}

TEST_P(CompressorTest, TheGreatestLimitIsNone) {
  for (const size_t bytes : {0, 1, 100, 65536}) {
    for (const size_t less : {0, 1, 2}) {
      const size_t limit = std::numeric_limits<size_t>::max() - less;
      EXPECT_TRUE(Decompressed(Compressed(Text(bytes)), limit) == Text(bytes)) << bytes << " " << less;
    }
  }
}

TEST_P(CompressorTest, ABombIsNotInflated) {
  const std::string bomb = Compressed(std::string(20 << 20, '\0'));
  ASSERT_LT(bomb.size(), 40000u);
  std::string out;
  EXPECT_TRUE(GetParam()->Decompress(bomb, 4096, &out).ok());
  EXPECT_EQ(out.size(), 4097u);
  EXPECT_LT(out.capacity(), 10000u);
}

TEST_P(CompressorTest, BytesAfterTheEndAreAnError) {
  const std::string compressed = Compressed("message");
  EXPECT_EQ(Decompressed(compressed + "x"), "1 bytes follow its end");
  // Two members are a legal gzip file, but not one message.
  EXPECT_EQ(Decompressed(compressed + compressed), std::to_string(compressed.size()) + " bytes follow its end");
}

TEST_P(CompressorTest, AMissingEndIsAnErrorWhereverItIsCut) {
  const std::string compressed = Compressed(Text(300));
  for (size_t bytes = 0; bytes < compressed.size(); ++bytes) {
    EXPECT_EQ(Decompressed(compressed.substr(0, bytes)), "the data is cut off") << bytes;
  }
}

TEST_P(CompressorTest, OtherBytesAreCorrupt) {
  EXPECT_EQ(Decompressed("not compressed").substr(0, 12), "corrupt data");
  EXPECT_EQ(Decompressed(Noise(5000)).substr(0, 12), "corrupt data");
}

TEST_P(CompressorTest, AnErrorDoesNotReachTheNextMessage) {
  const std::string compressed = Compressed(Text(1000));
  for (size_t bytes = 1; bytes < compressed.size(); bytes += 7) {
    Decompressed(compressed.substr(0, bytes));
    Decompressed(compressed, 10);
    Decompressed("not compressed");
    ASSERT_TRUE(Decompressed(compressed) == Text(1000)) << bytes;
  }
}

INSTANTIATE_TEST_SUITE_P(All, CompressorTest,
                         ::testing::Values(GzipCompressor(), DeflateCompressor(), ZstdCompressor()),
                         [](const auto& tested) { return std::string(tested.param->name()); });

// RFC 1950, which begins with 0x78 at a window of 32 KiB, and not bare RFC 1951.
TEST(ZlibCompressorTest, DeflateIsTheZlibFormat) {
  std::string out;
  ASSERT_TRUE(DeflateCompressor()->Compress("message", &out).ok());
  EXPECT_EQ(out[0], '\x78');
}

TEST(ZlibCompressorTest, AChecksumThatIsWrongIsCorrupt) {
  for (const auto& compressor : {GzipCompressor(), DeflateCompressor()}) {
    std::string compressed;
    ASSERT_TRUE(compressor->Compress("message", &compressed).ok());
    compressed[compressed.size() - (compressor->name() == "gzip" ? 8 : 4)] ^= 1;
    std::string out;
    EXPECT_EQ(compressor->Decompress(compressed, kNoLimit, &out),
              absl::InternalError("corrupt data: incorrect data check"));
  }
}

// A frame (RFC 8878 section 3.1.1) without content size that declares a window of 2 GiB, with one raw block.
TEST(ZstdCompressorTest, ADeclaredWindowAllocatesNothing) {
  const std::string frame("\x28\xb5\x2f\xfd\x00\xa8\x29\x00\x00hello", 14);
  std::string out;
  EXPECT_EQ(ZstdCompressor()->Decompress(frame, 100, &out), absl::OkStatus());
  EXPECT_EQ(out, "hello");
}

// Nor does a declared content size: one of 2^60 bytes.
TEST(ZstdCompressorTest, ADeclaredSizeAllocatesNothing) {
  const std::string frame("\x28\xb5\x2f\xfd\xc0\x58\0\0\0\0\0\0\0\x10\x29\x00\x00hello", 22);
  std::string out;
  EXPECT_EQ(ZstdCompressor()->Decompress(frame, 100, &out),
            absl::InternalError("corrupt data: Data corruption detected"));
  EXPECT_LT(out.capacity(), 1000u);
}

}  // namespace
}  // namespace weir
