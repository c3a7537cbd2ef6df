// OutgoingMessage: a message that is still to be encoded, as core sees it: how long it will be, and how to write it.
//
// Two words, passed by value. It refers to the message, and to the functions of whoever knows its type
// (wire/message_codec).
#pragma once

#include <climits>
#include <cstddef>
#include <cstdint>
#include <string>
#include <typeinfo>
#include <utility>

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
    // A message that `write` has written, compressed if that makes it smaller. Null: messages that are never
    // compressed.
    absl::StatusOr<transport::SharedBytes> (*compress)(transport::SharedBytes framed,
                                                       const Compressor& compressor) = nullptr;

    // The rest is for interceptors: a message of the same value, its end, its class, and a line for logs.
    void* (*copy)(const void* message) = nullptr;
    void (*destroy)(void* message) = nullptr;
    const std::type_info& (*type)(const void* message) = nullptr;
    std::string (*text)(const void* message) = nullptr;
  };

  // Protobuf's own limit, envelope included.
  static constexpr uint32_t kFramedBytesMax = INT_MAX;
  static constexpr uint32_t kPrefixBytes = 5;

  OutgoingMessage(const Codec& codec, const void* message) : codec_(&codec), message_(message) {}

  const Codec& codec() const { return *codec_; }
  const void* message() const { return message_; }

  size_t FramedBytes() const { return codec_->framed_bytes(message_); }
  void Write(char* to) const { codec_->write(message_, to); }

  // Envelope and message in a buffer of their own, compressed unless `compressor` is null. RESOURCE_EXHAUSTED for a
  // message that has, before it is compressed, more than `framed_bytes_max` (the option max_send_message_bytes).
  absl::StatusOr<transport::SharedBytes> Encode(const Compressor* compressor = nullptr,
                                                uint32_t framed_bytes_max = kFramedBytesMax) const;

 private:
  const Codec* codec_;
  const void* message_;
};

// A copy of a message that is to be sent, for whoever cannot rely on the application's. May be empty.
class OwnedMessage {
 public:
  OwnedMessage() = default;
  explicit OwnedMessage(const OutgoingMessage& original)
      : codec_(&original.codec()), message_(codec_->copy(original.message())) {}
  OwnedMessage(OwnedMessage&& other) noexcept
      : codec_(other.codec_), message_(std::exchange(other.message_, nullptr)) {}
  OwnedMessage& operator=(OwnedMessage&& other) noexcept {
    std::swap(codec_, other.codec_);
    std::swap(message_, other.message_);
    return *this;
  }
  ~OwnedMessage() {
    if (message_ != nullptr) codec_->destroy(message_);
  }

  bool empty() const { return message_ == nullptr; }
  void* get() const { return message_; }
  OutgoingMessage outgoing() const { return OutgoingMessage(*codec_, message_); }

 private:
  const OutgoingMessage::Codec* codec_ = nullptr;
  void* message_ = nullptr;
};

}  // namespace weir
