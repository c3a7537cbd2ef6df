#include "weir/rpc/core/interceptor_chain.h"

#include <exception>
#include <new>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/core/why.h"

namespace weir {
namespace {

using MessageHooks = std::vector<InterceptedCall::MessageHook>;

absl::Status RunRequestHooks(const MessageHooks& hooks, InterceptedMessage& message) {
  for (const InterceptedCall::MessageHook& hook : hooks) {
    if (absl::Status refused = hook(message); !refused.ok()) return refused;
  }
  return absl::OkStatus();
}

absl::Status RunResponseHooks(const MessageHooks& hooks, InterceptedMessage& message) {
  for (auto hook = hooks.rbegin(); hook != hooks.rend(); ++hook) {
    if (absl::Status refused = (*hook)(message); !refused.ok()) return refused;
  }
  return absl::OkStatus();
}

}  // namespace

// Hooks refer to the coroutine that has set them: they go with it.
class InterceptorChain::HookScope {
 public:
  explicit HookScope(InterceptorChain& chain)
      : chain_(chain),
        metadata_(chain.metadata_hooks_.size()),
        requests_(chain.request_hooks_.size()),
        responses_(chain.response_hooks_.size()) {}
  HookScope(const HookScope&) = delete;
  HookScope& operator=(const HookScope&) = delete;
  ~HookScope() {
    chain_.metadata_hooks_.resize(metadata_);
    chain_.request_hooks_.resize(requests_);
    chain_.response_hooks_.resize(responses_);
  }

 private:
  InterceptorChain& chain_;
  const size_t metadata_;
  const size_t requests_;
  const size_t responses_;
};

Task<absl::Status> Next::operator()(InterceptedCall&) const {
  if (std::exchange(called_, true)) return InterceptorChain::RefuseSecondNext();
  return chain_.RunLevel(level_);
}

Task<absl::Status> InterceptorChain::RunLevel(size_t level) {
  return level == interceptors_.size() ? RunCall() : RunInterceptor(level);
}

Task<absl::Status> InterceptorChain::RunInterceptor(size_t level) {
  const HookScope hooks(*this);
  const Next next(*this, level + 1);
  absl::Status status = co_await interceptors_[level]->Intercept(method_, *this, next);
  co_return status;
}

Task<absl::Status> InterceptorChain::RefuseSecondNext() {
  co_return absl::FailedPreconditionError(
      "an interceptor called next a second time: a call runs once; make another call to try again");
}

// Why(): a hook may pass on the status of another call, and its why with it.
absl::Status InterceptorChain::OnReceived(InterceptedMessage& message) {
  return WithWhy(side() == CallSide::kClient ? RunResponseHooks(response_hooks_, message)
                                             : RunRequestHooks(request_hooks_, message),
                 Why());
}

absl::Status InterceptorChain::OnSending(InterceptedMessage& message) {
  return WithWhy(side() == CallSide::kClient ? RunRequestHooks(request_hooks_, message)
                                             : RunResponseHooks(response_hooks_, message),
                 Why());
}

absl::StatusOr<transport::SharedBytes> InterceptorChain::EncodeReceived(const OutgoingMessage& message) {
  InterceptedMessage seen(message);
  if (absl::Status shown = OnReceived(seen); !shown.ok()) return shown;
  return seen.outgoing().Encode();
}

void InterceptorChain::ShowInitialMetadata(Metadata& metadata) const {
  for (auto hook = metadata_hooks_.rbegin(); hook != metadata_hooks_.rend(); ++hook) (*hook)(metadata);
}

absl::Status InterceptorChain::MayReply() const {
  if (method_.kind == CallKind::kUnary) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      std::string(method_.path), ": Reply: expected a method with one request and one reply, got a streaming one"));
}

absl::Status TakeStatus(Task<absl::Status>& task, std::string_view who) {
#if defined(__cpp_exceptions)
  try {
    return task.TakeResult();
  } catch (const std::bad_alloc&) {
    return OutOfMemory();
  } catch (const std::exception& error) {
    return absl::UnknownError(absl::StrCat(std::string(who), " threw: ", error.what()));
  } catch (...) {
    return absl::UnknownError(absl::StrCat(std::string(who), " threw something that is not a std::exception"));
  }
#else
  return task.TakeResult();
#endif
}

}  // namespace weir
