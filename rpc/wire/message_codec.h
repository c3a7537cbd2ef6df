// Message codec: protobuf messages to and from the bytes of one Length-Prefixed-Message.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace google::protobuf {
class MessageLite;
}

namespace weir::wire {

// The five bytes of the envelope and the serialization behind them, in one buffer that is written once.
// Empty (never otherwise: the prefix alone has five bytes) if the message is over 2 GiB, protobuf's own limit.
std::string EncodeMessage(const google::protobuf::MessageLite& message);

// Parses `payload` (without the five bytes) into *message, which is cleared first. INTERNAL naming the type if it is
// not an encoding of it, or lacks a required field.
absl::Status DecodeMessage(std::string_view payload, google::protobuf::MessageLite* message);

}  // namespace weir::wire
