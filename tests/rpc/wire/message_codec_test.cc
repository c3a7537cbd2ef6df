#include "weir/rpc/wire/message_codec.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/wrappers.pb.h"
#include "gtest/gtest.h"

namespace weir::wire {
namespace {

using transport::ChunkedBytes;

std::string Framed(const google::protobuf::MessageLite& message) {
  return std::string(Outgoing(message).Encode()->bytes);
}

TEST(MessageCodecTest, TheEnvelopeAndTheMessageAreOneBuffer) {
  google::protobuf::StringValue message;
  message.set_value("hi");
  EXPECT_EQ(Framed(message), std::string("\0\0\0\0\x04\x0a\x02hi", 9));
}

TEST(MessageCodecTest, AnEmptyMessageIsAPrefixAlone) {
  EXPECT_EQ(Framed(google::protobuf::StringValue()), std::string(5, '\0'));
  google::protobuf::StringValue decoded;
  decoded.set_value("is cleared");
  EXPECT_TRUE(DecodeMessage(std::string_view(), &decoded).ok());
  EXPECT_EQ(decoded.value(), "");
}

TEST(MessageCodecTest, RoundTripsMessagesOfAnySize) {
  for (const size_t size : {size_t{1}, size_t{127}, size_t{128}, size_t{70'000}}) {
    google::protobuf::BytesValue message;
    message.set_value(std::string(size, '\xff'));
    const std::string framed = Framed(message);
    google::protobuf::BytesValue decoded;
    ASSERT_TRUE(DecodeMessage(std::string_view(framed).substr(5), &decoded).ok());
    EXPECT_EQ(decoded.value(), message.value());
  }
}

TEST(MessageCodecTest, MalformedBytesAreInternalAndNameTheType) {
  google::protobuf::Duration message;
  EXPECT_EQ(DecodeMessage(std::string_view("\x08"), &message),
            absl::InternalError("message of 1 bytes is not a valid google.protobuf.Duration"));
  EXPECT_EQ(DecodeMessage(std::string_view("\xff\xff\xff"), &message).code(), absl::StatusCode::kInternal);
}

// Bytes in pieces of the test's choice.
class InPieces {
 public:
  InPieces(std::string_view bytes, const std::vector<size_t>& sizes) : size_(bytes.size()) {
    for (const size_t size : sizes) {
      const std::string_view piece = bytes.substr(0, size);
      bytes.remove_prefix(piece.size());
      const auto end = static_cast<uint32_t>(piece.size());
      blocks_.emplace_back(new std::max_align_t[(sizeof(Chunk) + size) / sizeof(std::max_align_t) + 1]);
      auto* const chunk = ::new (blocks_.back().get()) Chunk{nullptr, 0, end, end};
      piece.copy(chunk->data(), piece.size());
      (last_ == nullptr ? first_ : last_->next) = chunk;
      last_ = chunk;
    }
  }
  ChunkedBytes view() const { return ChunkedBytes(first_->bytes(), first_->next, size_); }

 private:
  using Chunk = transport::Chunk;
  std::vector<std::unique_ptr<std::max_align_t[]>> blocks_;
  Chunk* first_ = nullptr;
  Chunk* last_ = nullptr;
  size_t size_;
};

std::vector<size_t> SeededSizes(std::mt19937& random, size_t total, size_t most) {
  std::vector<size_t> sizes;
  for (size_t sum = 0; sum < total; sum += sizes.back()) sizes.push_back(1 + random() % most);
  return sizes;
}

// Strings, nested and repeated messages, numbers; and one field far larger than a piece.
google::protobuf::FileDescriptorProto Rich() {
  google::protobuf::FileDescriptorProto file;
  google::protobuf::FileDescriptorProto::descriptor()->file()->CopyTo(&file);
  file.set_package(std::string(50'000, 'p'));
  return file;
}

TEST(MessageCodecTest, AnyCutIntoPiecesGivesTheSameMessage) {
  const google::protobuf::FileDescriptorProto message = Rich();
  const std::string bytes = message.SerializeAsString();
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    std::mt19937 random(seed);
    const InPieces pieces(bytes, SeededSizes(random, bytes.size(), seed % 2 == 0 ? 20 : 20'000));
    google::protobuf::FileDescriptorProto decoded;
    decoded.set_name("is cleared");
    ASSERT_TRUE(DecodeMessage(pieces.view(), &decoded).ok()) << "seed " << seed;
    ASSERT_TRUE(decoded.SerializeAsString() == bytes) << "seed " << seed;
    Bytes raw;
    ASSERT_TRUE(DecodeMessage(pieces.view(), &raw).ok());
    ASSERT_TRUE(raw.data() == bytes) << "seed " << seed;
  }
}

TEST(MessageCodecTest, CorruptBytesAreFoundInPiecesAsInOne) {
  const std::string good = Rich().SerializeAsString();
  size_t refused = 0;
  for (uint32_t seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    std::string bytes = good.substr(0, random() % 2 == 0 ? good.size() : 1 + random() % good.size());
    for (int n = 0; n < 3; ++n)
      bytes[random() % std::min<size_t>(bytes.size(), 2000)] ^= static_cast<char>(1 << random() % 8);
    const InPieces pieces(bytes, SeededSizes(random, bytes.size(), seed % 2 == 0 ? 40 : 20'000));
    google::protobuf::FileDescriptorProto whole, decoded;
    const absl::Status expected = DecodeMessage(std::string_view(bytes), &whole);
    ASSERT_EQ(DecodeMessage(pieces.view(), &decoded), expected) << "seed " << seed;
    if (expected.ok()) {
      ASSERT_TRUE(decoded.SerializeAsString() == whole.SerializeAsString()) << "seed " << seed;
    } else {
      ++refused;
    }
  }
  EXPECT_GT(refused, 50u);
  EXPECT_LT(refused, 300u);
}

TEST(MessageCodecTest, AMissingRequiredFieldIsMalformed) {
  google::protobuf::UninterpretedOption::NamePart message;  // has two
  EXPECT_EQ(DecodeMessage(std::string_view(), &message).code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace weir::wire
