#include "weir/rpc/wire/message_codec.h"

#include <string>

#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/wrappers.pb.h"
#include "gtest/gtest.h"

namespace weir::wire {
namespace {

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
  EXPECT_TRUE(DecodeMessage("", &decoded).ok());
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
  EXPECT_EQ(DecodeMessage("\x08", &message),
            absl::InternalError("message of 1 bytes is not a valid google.protobuf.Duration"));
  EXPECT_EQ(DecodeMessage("\xff\xff\xff", &message).code(), absl::StatusCode::kInternal);
}

TEST(MessageCodecTest, AMissingRequiredFieldIsMalformed) {
  google::protobuf::UninterpretedOption::NamePart message;  // has two
  EXPECT_EQ(DecodeMessage("", &message).code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace weir::wire
