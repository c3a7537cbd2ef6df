// ServerContext: what a handler knows of its call apart from the messages, and what it adds to the answer.
//
// Lives until the handler's coroutine has returned. Used by the handler, on one thread at a time; IsCancelled may be
// asked from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "weir/rpc/core/metadata.h"
#include "weir/rpc/server/received_head.h"
#include "weir/transport/io/peer_identity.h"

namespace weir {

class ServerCall;

using transport::PeerIdentity;

class ServerContext {
 public:
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;

  std::string_view method() const { return head_->decoded.path; }          // "/package.Service/Method"
  std::string_view authority() const { return head_->decoded.authority; }  // as the client named us
  const std::string& peer() const { return peer_; }                        // "127.0.0.1:40712"

  // Who the client has proven to be by a certificate that was verified (TlsServerOptions::client_certificates). Empty
  // without one.
  const PeerIdentity& peer_identity() const { return *head_->peer_identity; }

  // The client's metadata, decoded when first asked for.
  const Metadata& metadata() const;

  // When the client's deadline passes: InfiniteFuture if it set none.
  absl::Time deadline() const { return deadline_; }

  // True once nobody waits for the answer any more: the client cancelled or is gone, or the deadline has passed. Pending
  // reads then end and writes give false.
  bool IsCancelled() const { return cancelled_.load(std::memory_order_acquire); }

  // Runs `callback` once, on the call's loop, when the call is cancelled (at once if it is already). It must not outlive
  // what it uses; callbacks that never ran are dropped when the handler returns. Call it on the loop's thread.
  void OnCancel(std::function<void()> callback);

  // Sent before the first message; ignored after that.
  void AddInitialMetadata(std::string_view key, std::string_view value) { initial_.Add(key, value); }
  // Compresses the messages of the answer: "gzip", or another of ServerOptions::compressors; "identity" for none. Before
  // the first message; ignored after that. Without: as ServerOptions::compression says. Messages go as they are to a
  // client that does not accept the encoding; one that the server does not know ends the call with INTERNAL.
  void SetCompression(std::string_view encoding);
  // Did the request, or the last message that was read, come compressed?
  bool request_was_compressed() const;

  // Sent with the status.
  void AddTrailingMetadata(std::string_view key, std::string_view value) { trailing_.Add(key, value); }

 private:
  friend class ServerCall;
  friend class ServerInterception;
  ServerContext(ServerCall& call, std::shared_ptr<const ReceivedHead> head, const std::string& peer)
      : call_(call), head_(std::move(head)), peer_(peer) {}

  void Cancel();

  ServerCall& call_;
  const std::shared_ptr<const ReceivedHead> head_;
  const std::string& peer_;  // the connection's
  absl::Time deadline_ = absl::InfiniteFuture();
  mutable std::optional<Metadata> metadata_;
  Metadata initial_;
  Metadata trailing_;
  std::vector<std::function<void()>> on_cancel_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace weir
