#include "weir/rpc/wire/compressed_message.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "absl/status/status.h"
#include "weir/rpc/wire/envelope.h"
#include "weir/rpc/wire/zlib_compressor.h"

namespace weir::wire {
namespace {

using transport::SharedBytes;

std::string Framed(std::string_view message) {
  std::string framed(kEnvelopeHeaderBytes, '\0');
  PutEnvelopeHeader(framed.data(), false, static_cast<uint32_t>(message.size()));
  return framed.append(message);
}

// Envelope cut off after a check.
std::string Payload(const SharedBytes& framed, bool compressed) {
  EnvelopeReader reader(1 << 30);
  reader.Feed(framed.bytes);
  Envelope envelope;
  EXPECT_EQ(reader.Next(&envelope), EnvelopeReader::Cut::kMessage);
  EXPECT_EQ(envelope.compressed, compressed);
  EXPECT_EQ(reader.buffered_bytes(), 0u);
  return envelope.payload.Flatten();
}

class Failing final : public Compressor {
 public:
  std::string_view name() const override { return "failing"; }
  absl::Status Compress(std::string_view, std::string*) const override { return absl::DataLossError("no luck"); }
  absl::Status Decompress(std::string_view, size_t, std::string*) const override {
    return absl::DataLossError("no luck");
  }
};

// Does what the interface says, word by word.
class Plain final : public Compressor {
 public:
  std::string_view name() const override { return "plain"; }
  absl::Status Compress(std::string_view message, std::string* out) const override {
    out->append(message);
    return absl::OkStatus();
  }
  absl::Status Decompress(std::string_view compressed, size_t bytes_max, std::string* out) const override {
    out->append(compressed.substr(0, bytes_max + 1));
    return absl::OkStatus();
  }
};

TEST(CompressFramedTest, ACompressedMessageHasTheFlagAndItsOwnLength) {
  const auto gzip = GzipCompressor();
  const std::string message(1000, 'x');
  const auto compressed = CompressFramed(SharedBytes::Of(Framed(message)), *gzip);
  ASSERT_TRUE(compressed.ok());
  std::string back;
  ASSERT_TRUE(Decompress(Payload(*compressed, true), gzip.get(), 1000, &back).ok());
  EXPECT_EQ(back, message);
}

TEST(CompressFramedTest, AMessageThatWouldNotGetSmallerStaysAsItIs) {
  for (const std::string message : {"", "x", "gzip has eighteen bytes around"}) {
    const auto kept = CompressFramed(SharedBytes::Of(Framed(message)), *GzipCompressor());
    ASSERT_TRUE(kept.ok());
    EXPECT_EQ(Payload(*kept, false), message);
  }
}

TEST(CompressFramedTest, ACompressorThatFailsIsNamed) {
  EXPECT_EQ(CompressFramed(SharedBytes::Of(Framed("abc")), Failing()).status(),
            absl::InternalError("message of 3 bytes cannot be compressed by failing: no luck"));
}

TEST(DecompressTest, TheFlagNeedsAnEncoding) {
  std::string message;
  EXPECT_EQ(Decompress("x", nullptr, 100, &message),
            absl::InternalError("message has its compressed flag set, but the call has no grpc-encoding"));
  EXPECT_EQ(Decompress("", nullptr, 100, &message).code(), absl::StatusCode::kInternal);
}

TEST(DecompressTest, NoBytesAreAnEmptyMessage) {
  std::string message = "old";
  EXPECT_TRUE(Decompress("", GzipCompressor().get(), 100, &message).ok());
  EXPECT_EQ(message, "");
}

TEST(DecompressTest, FaultsAreInternalAndNamed) {
  std::string message;
  EXPECT_EQ(Decompress("nonsense", GzipCompressor().get(), 100, &message),
            absl::InternalError("message of 8 bytes in grpc-encoding gzip: corrupt data: incorrect header check"));
  const Failing failing;
  EXPECT_EQ(Decompress("nonsense", &failing, 100, &message),
            absl::InternalError("message of 8 bytes in grpc-encoding failing: no luck"));
}

TEST(DecompressTest, TheLimitIsThatOfTheMessage) {
  const auto gzip = GzipCompressor();
  std::string compressed;
  ASSERT_TRUE(gzip->Compress(std::string(1000, 'x'), &compressed).ok());
  std::string message;
  EXPECT_TRUE(Decompress(compressed, gzip.get(), 1001, &message).ok());
  EXPECT_TRUE(Decompress(compressed, gzip.get(), 1000, &message).ok());
  EXPECT_EQ(Decompress(compressed, gzip.get(), 999, &message),
            absl::ResourceExhaustedError("message of " + std::to_string(compressed.size()) +
                                         " bytes in grpc-encoding gzip is over the limit of 999 bytes when "
                                         "decompressed (option max_receive_message_bytes)"));
}

TEST(DecompressTest, AnAddedOneDoesNotOverflow) {
  const Plain plain;
  std::string message;
  EXPECT_TRUE(Decompress("message", &plain, std::numeric_limits<size_t>::max(), &message).ok());
  EXPECT_EQ(message, "message");
}

}  // namespace
}  // namespace weir::wire
