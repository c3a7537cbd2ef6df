// InterceptorChain: runs the interceptors of one call. Each side derives what a call is there.
//
//   Run() -> RunLevel(0) -> first interceptor -> next -> RunLevel(1) -> ... -> RunCall()
//
// Lives on the call's loop. Call shows it every message (OnReceived, OnSending).
#pragma once

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/rpc/core/interceptor.h"
#include "weir/transport/memory/shared_bytes.h"

namespace weir {

class InterceptorChain : public InterceptedCall {
 public:
  // A message has been received. An error ends the call with it.
  absl::Status OnReceived(InterceptedMessage& message);
  // A message is to be sent; the same.
  absl::Status OnSending(InterceptedMessage& message);

 protected:
  // `interceptors` must outlive the chain.
  InterceptorChain(CallSide side, const MethodSpec& method, const Interceptors& interceptors)
      : InterceptedCall(side), method_(method), interceptors_(interceptors) {}
  ~InterceptorChain() override = default;

  Task<absl::Status> Run() { return RunLevel(0); }
  // What the innermost `next` does.
  virtual Task<absl::Status> RunCall() = 0;

  const MethodSpec& method() const { return method_; }
  void ShowInitialMetadata(Metadata& metadata) const;
  bool watches_sending() const { return !SentHooks().empty(); }
  // A message as if it had been received, made by an interceptor: what remains of it, envelope included.
  absl::StatusOr<transport::SharedBytes> EncodeReceived(const OutgoingMessage& message);
  // OK if the method has one request and one reply; otherwise why there can be no Reply.
  absl::Status MayReply() const;

 private:
  friend class Next;
  class HookScope;

  Task<absl::Status> RunLevel(size_t level);
  Task<absl::Status> RunInterceptor(size_t level);
  static Task<absl::Status> RefuseSecondNext();

  const std::vector<MessageHook>& SentHooks() const {
    return side() == CallSide::kClient ? request_hooks_ : response_hooks_;
  }

  const MethodSpec method_;
  const Interceptors& interceptors_;
};

// The result of an ended task; an exception that left it is UNKNOWN, as in gRPC (proposal L17): "<who> threw: ...".
absl::Status TakeStatus(Task<absl::Status>& task, std::string_view who);

}  // namespace weir
