// OutgoingMessage: a message that is still to be encoded, as core sees it: how long it will be, and how to write it.
//
// Two words, passed by value. It refers to the message, and to the functions of whoever knows its type (wire/message_codec).
#pragma once

#include <climits>
#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "weir/transport/memory/shared_bytes.h"

namespace weir {

class Compressor;

class OutgoingMessage {
 public:
  struct Codec {
    // Its size on the wire, envelope included. May leave notes in the message for the `write` that follows.
    size_t (*framed_bytes)(const void* message);
    // Writes exactly so many bytes.
    void (*write)(const void* message, char* to);
    // A message that `write` has written, compressed if that makes it smaller. Null: messages that are never compressed.
    absl::StatusOr<transport::SharedBytes> (*compress)(transport::SharedBytes framed,
                                                       const Compressor& compressor) = nullptr;
  };

  // Protobuf's own limit, envelope included.
  static constexpr uint32_t kFramedBytesMax = INT_MAX;
  static constexpr uint32_t kPrefixBytes = 5;

  OutgoingMessage(const Codec& codec, const void* message) : codec_(&codec), message_(message) {}

  size_t FramedBytes() const { return codec_->framed_bytes(message_); }
  void Write(char* to) const { codec_->write(message_, to); }

  // Envelope and message in a buffer of their own, compressed unless `compressor` is null. RESOURCE_EXHAUSTED for a message
  // that has, before it is compressed, more than `framed_bytes_max` (the option max_send_message_bytes).
  absl::StatusOr<transport::SharedBytes> Encode(const Compressor* compressor = nullptr,
                                                uint32_t framed_bytes_max = kFramedBytesMax) const;

 private:
  const Codec* codec_;
  const void* message_;
};

}  // namespace weir
