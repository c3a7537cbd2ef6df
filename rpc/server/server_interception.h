// ServerInterception: the interceptors of one call on the server, and within them its handler.
//
//   chain     Run --first interceptor--> ... --last's next--> RunCall ---- handler has returned ----> ... --> status
//   handler                                                     |  on the loop, or on a worker  |
//
// The handler's task is held here, not in the chain's frames: an interceptor may give up waiting for `next`, but a
// handler keeps its call alive until it has returned.
#pragma once

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "weir/rpc/core/interceptor_chain.h"
#include "weir/rpc/core/outgoing_message.h"
#include "weir/rpc/core/task.h"
#include "weir/transport/memory/block_pool.h"

namespace weir {

class ServerCall;

class ServerInterception final : public InterceptorChain, public transport::Pooled, private TaskRoot {
 public:
  ServerInterception(ServerCall& call, const Interceptors& interceptors);

  using InterceptorChain::Run;
  // Shows the response's metadata as it is about to be sent; once.
  void ShowInitialMetadata();
  // What an interceptor has set.
  const std::optional<absl::Duration>& timeout() const { return timeout_; }
  bool HandlerRuns() const { return handler_runs_; }

  // The reply of a unary or client-streaming method, from the handler. It is sent when every interceptor has returned.
  absl::Status HoldReply(const OutgoingMessage& reply);

 private:
  class HandlerEnd;

  std::string_view target() const override;
  std::string_view peer() const override;
  absl::Time deadline() const override;
  void SetTimeout(absl::Duration timeout) override;
  Metadata& request_metadata() override;
  Metadata& initial_metadata() override;
  Metadata& trailing_metadata() override;
  absl::Status Reply(const OutgoingMessage& reply) override;
  Task<absl::Status> RunCall() override;

  void StartHandler();
  void OnTaskDone() noexcept override;
  void OnHandlerReturned();
  absl::Status EncodeReply(const OutgoingMessage& reply);

  ServerCall& call_;
  Task<absl::Status> handler_;
  OwnedMessage held_reply_;  // of a handler on a worker, until it has returned
  Resumption waiter_;        // RunCall
  std::optional<absl::Duration> timeout_;
  bool initial_shown_ = false;
  bool handler_runs_ = false;
  bool hold_replies_ = false;  // for hooks, which run on the loop
};

}  // namespace weir
