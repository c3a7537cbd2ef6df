// Message codec: protobuf messages, and weir::Bytes, to and from the bytes of one Length-Prefixed-Message.
#pragma once

#include "absl/status/status.h"
#include "weir/rpc/core/outgoing_message.h"
#include "weir/rpc/wire/bytes.h"
#include "weir/transport/memory/chunked_bytes.h"

namespace google::protobuf {
class MessageLite;
}

namespace weir {
class InterceptorChain;
}

namespace weir::wire {

// The five bytes of the envelope and the serialization behind them. `message` must live until it has been encoded.
OutgoingMessage Outgoing(const google::protobuf::MessageLite& message);
OutgoingMessage Outgoing(const Bytes& message);

// Parses `payload` (without the five bytes) into *message, which is cleared first. INTERNAL naming the type if it is
// not an encoding of it, or lacks a required field.
absl::Status DecodeMessage(const transport::ChunkedBytes& payload, google::protobuf::MessageLite* message);
absl::Status DecodeMessage(const transport::ChunkedBytes& payload, Bytes* message);  // always OK

// Shows a message that has been received to the interceptors of its call, which may change or refuse it.
absl::Status ShowReceived(InterceptorChain& interception, google::protobuf::MessageLite& message);
absl::Status ShowReceived(InterceptorChain& interception, Bytes& message);

}  // namespace weir::wire
