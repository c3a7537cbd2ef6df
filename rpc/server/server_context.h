// ServerContext: what a handler knows of its call apart from the messages, and what it adds to the answer.
//
// Lives until the handler's coroutine has returned. Used by the handler, on one thread at a time; what has to do with
// cancellation may be used from any thread, and several at a time.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "weir/rpc/core/metadata.h"
#include "weir/rpc/core/parent_call.h"
#include "weir/rpc/core/why.h"  // for users: what cancel_reason says
#include "weir/rpc/server/cancelled_operation.h"
#include "weir/rpc/wire/message_codec.h"
#include "weir/transport/io/event_loop.h"
#include "weir/transport/io/peer_identity.h"

namespace google::protobuf {
class Arena;
}

namespace weir {

namespace internal {
class CallArena;
}

class Cancellation;
class ServerCall;
struct ReceivedHead;

using transport::PeerIdentity;

class ServerContext final : public ParentCall {
 public:
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;

  std::string_view method() const override;          // "/package.Service/Method"
  std::string_view authority() const;                // as the client named us
  const std::string& peer() const { return peer_; }  // "127.0.0.1:40712"

  // Who the client has proven to be by a certificate that was verified (TlsServerOptions::client_certificates). Empty
  // without one.
  const PeerIdentity& peer_identity() const;

  // How often the client has tried this call before, as it says: retries and hedging (gRFC A6).
  int previous_attempts() const;

  // The client's metadata, decoded when first asked for.
  const Metadata& metadata() const override;

  // When the client's deadline passes: InfiniteFuture if it set none.
  absl::Time deadline() const override { return deadline_; }
  std::optional<transport::MonotonicTime> monotonic_deadline() const override { return monotonic_deadline_; }

  // True once nobody waits for the answer any more: the client cancelled or is gone, or the deadline has passed.
  // Pending reads then end and writes give false.
  bool IsCancelled() const { return cancelled_.load(); }

  // Why, once it is cancelled; OK before. CANCELLED: the client reset the call, or its connection is lost;
  // DEADLINE_EXCEEDED; UNAVAILABLE: the server stops; any other: what was wrong with the client's messages. The text
  // says it for a log, WhyOf(status)->by for a program. Any thread.
  absl::Status cancel_reason() const;

  // Runs `callback` once when the call is cancelled: on the call's loop, or here and now if it is already. It must not
  // block; callbacks that never ran are dropped when the handler has returned.
  void OnCancel(std::function<void()> callback);

  // Cancellation for code that knows nothing of calls. Outlives the context; after that it never stops any more.
  std::stop_token stop_token() const override;

  // co_await context.Cancelled(): goes on when the call is cancelled.
  CancelledOperation Cancelled() { return CancelledOperation(*this); }

  // co_await context.Sleep(absl::Seconds(1)): true after that time, false as soon as the call is cancelled.
  SleepOperation Sleep(absl::Duration duration) { return SleepOperation(*this, duration); }

  // Sent before the first message; ignored after that.
  void AddInitialMetadata(std::string_view key, std::string_view value) { initial_.Add(key, value); }
  // Compresses the messages of the answer: "gzip", or another of ServerOptions::compressors; "identity" for none.
  // Before the first message; ignored after that. Without: as ServerOptions::compression says. Messages go as they are
  // to a client that does not accept the encoding; one that the server does not know ends the call with INTERNAL.
  void SetCompression(std::string_view encoding);
  // Did the request, or the last message that was read, come compressed?
  bool request_was_compressed() const;

  // Memory that goes with the call, for messages of many parts: the request is there if ServerOptions::message_arena
  // says so, and the handler can make its reply there (google::protobuf::Arena::CreateMessage) and give it to Reply.
  // Made when first asked for; freed after the handler has returned. By the handler only.
  google::protobuf::Arena& arena();

  // Answers a unary or client-streaming call with a message that is not copied or moved, such as one on the arena, or
  // one that many calls share. It is encoded here and now:
  //
  //   co_return context.Reply(*reply);
  //
  // What it returns stands for the reply, or says why it cannot be sent. Once for a call, as its last deed.
  template <class Message>
  absl::StatusOr<Message> Reply(const Message& reply) {
    if (absl::Status sent = SendReply(wire::Outgoing(reply)); !sent.ok()) return sent;
    return Message();
  }
  bool replied() const { return replied_; }

  // Sent with the status.
  void AddTrailingMetadata(std::string_view key, std::string_view value) { trailing_.Add(key, value); }

  // If the handler returns an error and the client has a retry policy: it tries again after `pause`, and not sooner;
  // InfiniteDuration: not at all. In milliseconds, rounded up. Only as long as nothing of the answer has been sent.
  void PushBack(absl::Duration pause);

 private:
  friend class CancelledOperation;
  friend class ServerCall;
  friend class ServerInterception;
  friend class SleepOperation;
  ServerContext(ServerCall& call, std::shared_ptr<const ReceivedHead> head, const std::string& peer);
  ~ServerContext();

  transport::EventLoop& loop() const;
  absl::Status SendReply(const OutgoingMessage& reply);
  // On the loop.
  void Cancel(const absl::Status& reason);
  Cancellation& cancellation() const;

  ServerCall& call_;
  const std::shared_ptr<const ReceivedHead> head_;
  const std::string& peer_;  // the connection's
  absl::Time deadline_ = absl::InfiniteFuture();
  transport::MonotonicTime monotonic_deadline_ = transport::MonotonicTime::max();
  mutable std::optional<Metadata> metadata_;
  Metadata initial_;
  Metadata trailing_;
  mutable std::atomic<Cancellation*> cancellation_ = nullptr;  // owned; null until somebody asks
  absl::Status cancel_reason_;                                 // constant once cancelled_ is set
  internal::CallArena* arena_ = nullptr;                       // owned; null until somebody asks
  std::atomic<bool> cancelled_ = false;
  bool replied_ = false;
};

}  // namespace weir
