#include "weir/rpc/wire/message_codec.h"

#include <climits>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/zero_copy_stream.h"
#include "google/protobuf/message.h"
#include "weir/rpc/core/interceptor_chain.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/wire/compressed_message.h"
#include "weir/rpc/wire/envelope.h"

namespace weir::wire {

namespace {

using google::protobuf::MessageLite;

const MessageLite& AsProtobuf(const void* message) { return *static_cast<const MessageLite*>(message); }

constexpr OutgoingMessage::Codec kProtobuf = {
    // Also caches the sizes of all parts, for `write`.
    .framed_bytes = [](const void* message) { return kEnvelopeHeaderBytes + AsProtobuf(message).ByteSizeLong(); },
    .write =
        [](const void* message, char* to) {
          const auto bytes = static_cast<uint32_t>(AsProtobuf(message).GetCachedSize());
          PutEnvelopeHeader(to, /*compressed=*/false, bytes);
          AsProtobuf(message).SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(to) + kEnvelopeHeaderBytes);
        },
    .compress = CompressFramed,
    .copy = [](const void* message) -> void* {
      MessageLite* const copy = AsProtobuf(message).New();
      copy->CheckTypeAndMergeFrom(AsProtobuf(message));
      return copy;
    },
    .destroy = [](void* message) { delete static_cast<MessageLite*>(message); },
    .type = [](const void* message) -> const std::type_info& {
      const MessageLite& lite = AsProtobuf(message);
      return typeid(lite);
    },
    .text =
        [](const void* message) {
          const auto* const full = dynamic_cast<const google::protobuf::Message*>(&AsProtobuf(message));
          return full != nullptr ? full->ShortDebugString() : "a " + AsProtobuf(message).GetTypeName();
        },
};

// A message that came in several pieces, as protobuf reads such.
class Pieces final : public google::protobuf::io::ZeroCopyInputStream {
 public:
  explicit Pieces(const transport::ChunkedBytes& bytes) : rest_(bytes), bytes_(bytes.size()) {}

  bool Next(const void** data, int* size) override {
    if (again_.empty()) {
      if (rest_.empty()) return false;
      again_ = rest_.front();
      rest_.DropFront();
    }
    given_ = std::exchange(again_, {});
    *data = given_.data();
    *size = static_cast<int>(given_.size());
    return true;
  }
  void BackUp(int count) override { again_ = given_.substr(given_.size() - static_cast<size_t>(count)); }
  bool Skip(int count) override {
    const void* data = nullptr;
    for (int size = 0; count > 0; count -= size) {
      if (!Next(&data, &size)) return false;
      if (size <= count) continue;
      BackUp(size - count);
      return true;
    }
    return true;
  }
  int64_t ByteCount() const override { return static_cast<int64_t>(bytes_ - rest_.size() - again_.size()); }

 private:
  transport::ChunkedBytes rest_;
  const size_t bytes_;
  std::string_view given_;  // by the last Next
  std::string_view again_;  // what of it is given once more
};

bool Parse(const transport::ChunkedBytes& payload, MessageLite& message) {
  if (payload.size() > INT_MAX) return false;
  if (payload.contiguous()) return message.ParseFromArray(payload.front().data(), static_cast<int>(payload.size()));
  Pieces pieces(payload);
  return message.ParseFromZeroCopyStream(&pieces);
}

const std::string& DataOf(const void* message) { return static_cast<const Bytes*>(message)->data(); }

constexpr OutgoingMessage::Codec kBytes = {
    .framed_bytes = [](const void* message) { return kEnvelopeHeaderBytes + DataOf(message).size(); },
    .write =
        [](const void* message, char* to) {
          const std::string& data = DataOf(message);
          PutEnvelopeHeader(to, /*compressed=*/false, static_cast<uint32_t>(data.size()));
          data.copy(to + kEnvelopeHeaderBytes, data.size());
        },
    .compress = CompressFramed,
    .copy = [](const void* message) -> void* { return new Bytes(DataOf(message)); },
    .destroy = [](void* message) { delete static_cast<Bytes*>(message); },
    .type = [](const void*) -> const std::type_info& { return typeid(Bytes); },
    .text = [](const void* message) { return absl::StrCat(DataOf(message).size(), " bytes"); },
};

}  // namespace

OutgoingMessage Outgoing(const MessageLite& message) { return OutgoingMessage(kProtobuf, &message); }

OutgoingMessage Outgoing(const Bytes& message) { return OutgoingMessage(kBytes, &message); }

absl::Status ShowReceived(InterceptorChain& interception, google::protobuf::MessageLite& message) {
  InterceptedMessage seen(kProtobuf, &message);
  return interception.OnReceived(seen);
}

absl::Status ShowReceived(InterceptorChain& interception, Bytes& message) {
  InterceptedMessage seen(kBytes, &message);
  return interception.OnReceived(seen);
}

absl::Status DecodeMessage(const transport::ChunkedBytes& payload, MessageLite* message) try {
  if (Parse(payload, *message)) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("message of ", payload.size(), " bytes is not a valid ", message->GetTypeName()));
} catch (const std::bad_alloc&) {
  return OutOfMemory();
}

absl::Status DecodeMessage(const transport::ChunkedBytes& payload, Bytes* message) try {
  *message = Bytes(payload.Flatten());
  return absl::OkStatus();
} catch (const std::bad_alloc&) {
  return OutOfMemory();
}

}  // namespace weir::wire
