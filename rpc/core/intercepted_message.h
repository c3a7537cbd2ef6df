// InterceptedMessage: one message as an interceptor sees it on its way: typed, as text, to be changed.
//
//   call.OnRequestMessage([](weir::InterceptedMessage& message) {
//     if (const Query* query = message.As<Query>(); query != nullptr && query->text().empty()) {
//       return absl::InvalidArgumentError("query: expected a text, got none");
//     }
//     return absl::OkStatus();
//   });
//
// Valid inside the hook that it is given to.
#pragma once

#include <cstddef>
#include <string>
#include <typeinfo>

#include "weir/rpc/core/outgoing_message.h"

namespace weir {

class InterceptedMessage {
 public:
  // To be sent: belongs to the application, and is copied before it is changed.
  explicit InterceptedMessage(const OutgoingMessage& message) : message_(message) {}
  // Received: changed in place.
  InterceptedMessage(const OutgoingMessage::Codec& codec, void* message)
      : message_(codec, message), in_place_(message) {}
  InterceptedMessage(const InterceptedMessage&) = delete;
  InterceptedMessage& operator=(const InterceptedMessage&) = delete;

  // The message if it is an M, which is a class that protoc has generated; null if it is of another class.
  template <class M>
  const M* As() const {
    return Is<M>() ? static_cast<const M*>(message_.message()) : nullptr;
  }
  // The same, to be changed: what goes on is the changed message.
  template <class M>
  M* Mutable() {
    return Is<M>() ? static_cast<M*>(MutableObject()) : nullptr;
  }

  // Its size on the wire, the five-byte prefix included, before compression.
  size_t FramedBytes() const { return message_.FramedBytes(); }
  // One line for logs, of whatever length the message needs. It may hold what should not be logged.
  std::string ToText() const { return message_.codec().text(message_.message()); }

  // What is to be sent now.
  const OutgoingMessage& outgoing() const { return message_; }

 private:
  template <class M>
  bool Is() const {
    return message_.codec().type(message_.message()) == typeid(M);
  }
  void* MutableObject() {
    if (in_place_ != nullptr) return in_place_;
    if (copy_.empty()) {
      copy_ = OwnedMessage(message_);
      message_ = copy_.outgoing();
    }
    return copy_.get();
  }

  OutgoingMessage message_;
  void* in_place_ = nullptr;
  OwnedMessage copy_;
};

}  // namespace weir
