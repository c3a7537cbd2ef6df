#include "weir/rpc/wire/message_codec.h"

#include <climits>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/message.h"
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

absl::Status DecodeMessage(std::string_view payload, google::protobuf::MessageLite* message) {
  if (payload.size() <= INT_MAX && message->ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return absl::OkStatus();
  }
  return absl::InternalError(
      absl::StrCat("message of ", payload.size(), " bytes is not a valid ", message->GetTypeName()));
}

absl::Status DecodeMessage(std::string_view payload, Bytes* message) {
  *message = Bytes(std::string(payload));
  return absl::OkStatus();
}

}  // namespace weir::wire
