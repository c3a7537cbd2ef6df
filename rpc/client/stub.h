// The four shapes of a call on the client side: what generated code returns to its user.
//
//   UnaryCall<Reply>                    co_await call -> StatusOr<Reply>;  co_await call.Into(reply) -> Status
//   ClientStreamCall<Request, Reply>    Write*, then Finish -> StatusOr<Reply>
//   ServerStreamCall<Reply>             Read* until nullopt, then Finish -> Status
//   BidiCall<Request, Reply>            Write and Read in any order, WritesDone, Finish -> Status
//
// A call starts when it is made, not when it is awaited. Every operation can be awaited in a coroutine, which goes on
// where it was, or waited for on a plain thread with .Wait(). Dropping a call that has not ended cancels it; no
// destructor blocks. A call object may be moved until something on it is being awaited. One coroutine or thread may
// read while another writes; two must not read, or write, at the same time. Cancel() may be called from anywhere.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/rpc/client/call_options.h"
#include "weir/rpc/client/client_call_ptr.h"
#include "weir/rpc/client/client_operations.h"
#include "weir/rpc/core/metadata.h"
#include "weir/rpc/core/method.h"
#include "weir/rpc/core/outgoing_message.h"
#include "weir/rpc/core/why.h"  // for users: why a call failed
#include "weir/rpc/core/write_options.h"
#include "weir/rpc/wire/messages.h"

namespace weir {

class Channel;

// What all four have in common.
class AnyCall {
 public:
  AnyCall(AnyCall&&) = default;
  AnyCall& operator=(AnyCall&&) = default;

  // Ends the call with CANCELLED and resets its stream. Any thread; no effect on a call that has ended.
  void Cancel();

  // The metadata that the server sent before its first message; empty if the call ended without.
  MetadataOperation InitialMetadata() { return MetadataOperation(*call_); }

  // The metadata that came with the status. Only after Finish (or, for a unary call, its result).
  const Metadata& trailing_metadata() const;

  // Did the last message that was read, or the reply, come compressed? Only after that.
  bool last_message_compressed() const { return call_.base().last_message_compressed(); }

 protected:
  // The application writes the requests.
  AnyCall(Channel& channel, const MethodSpec& method, const CallOptions& options);
  // One request, encoded now.
  AnyCall(Channel& channel, const MethodSpec& method, const CallOptions& options, const OutgoingMessage& request);

  void HalfClose();

  ClientCallPtr call_;
};

template <class Reply>
class [[nodiscard]] UnaryCall : public AnyCall {
 public:
  template <class Request>
  UnaryCall(Channel& channel, const MethodSpec& method, const Request& request, const CallOptions& options)
      : AnyCall(channel, method, options, wire::Outgoing(request)) {}

  ReplyOperation<Reply> operator co_await() { return ReplyOperation<Reply>(call_.base()); }
  absl::StatusOr<Reply> Wait() { return ReplyOperation<Reply>(call_.base()).Wait(); }

  // The reply as absl::Status and, if that is OK, a message of the caller's: one on an arena, or one used before. It
  // must live until the operation has completed or is destroyed. `co_await client.SayHello(request).Into(*reply)`
  ReplyIntoOperation<Reply> Into(Reply& reply) { return ReplyIntoOperation<Reply>(call_.base(), reply); }
};

template <class Request, class Reply>
class [[nodiscard]] ClientStreamCall : public AnyCall {
 public:
  ClientStreamCall(Channel& channel, const MethodSpec& method, const CallOptions& options)
      : AnyCall(channel, method, options) {}

  // false: the call has ended; Finish says why.
  WriteOperation Write(const Request& request, WriteOptions options = WriteOptions()) {
    return WriteOperation(call_.base(), wire::Outgoing(request), options);
  }
  // Half-closes, and waits for the reply.
  ReplyOperation<Reply> Finish() {
    HalfClose();
    return ReplyOperation<Reply>(call_.base());
  }
  // The same into a message of the caller's, as UnaryCall::Into.
  ReplyIntoOperation<Reply> FinishInto(Reply& reply) {
    HalfClose();
    return ReplyIntoOperation<Reply>(call_.base(), reply);
  }
};

template <class Reply>
class [[nodiscard]] ServerStreamCall : public AnyCall {
 public:
  template <class Request>
  ServerStreamCall(Channel& channel, const MethodSpec& method, const Request& request, const CallOptions& options)
      : AnyCall(channel, method, options, wire::Outgoing(request)) {}

  // nullopt: no more messages; Finish says why.
  ReadOperation<Reply> Read() { return ReadOperation<Reply>(call_.base()); }
  // Discards messages that were not read, and waits for the status.
  FinishOperation Finish() { return FinishOperation(*call_); }
};

template <class Request, class Reply>
class [[nodiscard]] BidiCall : public AnyCall {
 public:
  BidiCall(Channel& channel, const MethodSpec& method, const CallOptions& options)
      : AnyCall(channel, method, options) {}

  WriteOperation Write(const Request& request, WriteOptions options = WriteOptions()) {
    return WriteOperation(call_.base(), wire::Outgoing(request), options);
  }
  // No more writes from here; reading goes on.
  void WritesDone() { HalfClose(); }
  ReadOperation<Reply> Read() { return ReadOperation<Reply>(call_.base()); }
  // Half-closes, discards messages that were not read, and waits for the status.
  FinishOperation Finish() {
    HalfClose();
    return FinishOperation(*call_);
  }
};

}  // namespace weir
