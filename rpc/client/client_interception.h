// ClientInterception: the interceptors of one call on the client.
//
//   Start --first interceptor--> ... --last's next--> AskForPlace, stream ... call is over ----> ... --> the user is told
//
// Keeps its call alive while an interceptor runs. `next` waits in CallEnd, which the call completes (OnCallOver).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "weir/rpc/core/interceptor_chain.h"
#include "weir/rpc/core/message_stream.h"
#include "weir/rpc/core/outgoing_message.h"
#include "weir/rpc/core/task.h"

namespace weir {

class ClientCall;

class ClientInterception final : public InterceptorChain, private TaskRoot {
 public:
  // `channels` must outlive it; `calls` run inside of them, null: none. `request` null: the application will write. On
  // any thread; the rest on the call's loop.
  ClientInterception(ClientCall& call, const Interceptors& channels, const std::shared_ptr<const Interceptors>& calls,
                     const OutgoingMessage* request);
  ~ClientInterception();

  void Start();
  using InterceptorChain::ShowInitialMetadata;
  void OnPeer(std::string_view peer) { peer_ = peer; }
  // The call has ended, or cannot be made. True if interceptors run, which then say how it ends for its user.
  bool OnCallOver(const absl::Status& status);
  bool is_call_over() const { return over_; }
  // How the call itself has ended; OK before.
  const absl::Status& outcome() const { return status_; }

 private:
  class CallEnd;
  class Replied;

  std::string_view target() const override;
  std::string_view peer() const override { return peer_; }
  absl::Time deadline() const override;
  void SetTimeout(absl::Duration timeout) override;
  Metadata& request_metadata() override;
  Metadata& initial_metadata() override;
  Metadata& trailing_metadata() override;
  absl::Status Reply(const OutgoingMessage& reply) override;
  Task<absl::Status> RunCall() override;
  void OnTaskDone() noexcept override;

  ClientCall& call_;
  const Interceptors all_;            // empty: the channel's
  std::shared_ptr<ClientCall> keep_;  // while the chain runs
  OwnedMessage request_;              // until it is encoded
  Task<absl::Status> chain_;
  std::string peer_;
  std::unique_ptr<Replied> replied_;
  Resumption waiter_;  // CallEnd
  absl::Status status_;
  bool started_ = false;  // RunCall was called
  bool over_ = false;
};

}  // namespace weir
