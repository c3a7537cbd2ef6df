#include "weir/rpc/server/server_interception.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/server/received_head.h"
#include "weir/rpc/server/server_call.h"
#include "weir/rpc/server/service.h"

namespace weir {

// Waits until the handler has returned.
class ServerInterception::HandlerEnd {
 public:
  explicit HandlerEnd(ServerInterception& interception) : interception_(interception) {}
  HandlerEnd(const HandlerEnd&) = delete;
  HandlerEnd& operator=(const HandlerEnd&) = delete;
  ~HandlerEnd() { interception_.waiter_ = Resumption(); }

  bool await_ready() const { return !interception_.handler_runs_; }
  void await_suspend(std::coroutine_handle<> waiter) { interception_.waiter_ = Resumption(waiter); }
  void await_resume() const {}

 private:
  ServerInterception& interception_;
};

ServerInterception::ServerInterception(ServerCall& call, const Interceptors& interceptors)
    // The path is the request's: a generic service's methods have none of their own.
    : InterceptorChain(CallSide::kServer, MethodSpec{call.context().method(), call.head().method->spec.kind},
                       interceptors),
      call_(call) {}

// ---- what interceptors see ------------------------------------------------------------------------------------------

std::string_view ServerInterception::target() const { return call_.context().authority(); }
std::string_view ServerInterception::peer() const { return call_.context().peer(); }
absl::Time ServerInterception::deadline() const { return call_.context().deadline(); }
void ServerInterception::SetTimeout(absl::Duration timeout) {
  timeout_ = timeout;
  call_.SetDeadline(timeout);
}

Metadata& ServerInterception::request_metadata() {
  call_.context().metadata();  // decodes it
  return *call_.context_.metadata_;
}
Metadata& ServerInterception::initial_metadata() { return call_.context_.initial_; }
Metadata& ServerInterception::trailing_metadata() { return call_.context_.trailing_; }

absl::Status ServerInterception::Reply(const OutgoingMessage& reply) {
  if (absl::Status may = MayReply(); !may.ok()) return may;
  if (handler_runs_ || call_.reply_.owner != nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(
        std::string(method().path), ": Reply: ", handler_runs_ ? "the handler runs" : "there is a reply already",
        "; reply without calling next"));
  }
  ShowInitialMetadata();
  return EncodeReply(reply);
}

void ServerInterception::ShowInitialMetadata() {
  if (!std::exchange(initial_shown_, true)) InterceptorChain::ShowInitialMetadata(call_.context_.initial_);
}

// ---- the call itself ------------------------------------------------------------------------------------------------

Task<absl::Status> ServerInterception::RunCall() {
  StartHandler();
  co_await HandlerEnd(*this);
  absl::Status status = TakeStatus(handler_, "the handler");
  handler_ = {};
  if (!call_.end_status().ok()) co_return call_.end_status();  // it was cancelled: what it returns is nobody's status
  ShowInitialMetadata();
  if (status.ok() && !held_reply_.empty()) status = EncodeReply(held_reply_.outgoing());
  co_return status;
}

void ServerInterception::StartHandler() {
  handler_ = call_.head().method->handler(*call_.head().service, call_);
  handler_runs_ = true;
  hold_replies_ = watches_sending();
  if (call_.workers_ == nullptr) return handler_.Start(this);
  if (call_.workers_->Post([this] { call_.RunHandler(handler_, this); })) return;
  handler_ = ServerCall::NotRun(call_.TooManyQueued());
  handler_.Start(this);
}

void ServerInterception::OnTaskDone() noexcept {
  if (call_.event_loop_.IsCurrent()) return OnHandlerReturned();
  call_.event_loop_.Post([this] { OnHandlerReturned(); });
}

void ServerInterception::OnHandlerReturned() {
  handler_runs_ = false;
  if (call_.handler_.valid()) {
    // The chain runs. Whoever has given up waiting for `next` finds the handler's result unused.
    if (waiter_) waiter_.Resume();
    return;
  }
  handler_ = {};
  call_.Done();
}

absl::Status ServerInterception::HoldReply(const OutgoingMessage& reply) {
  if (hold_replies_) {
    if (call_.event_loop_.IsCurrent()) return EncodeReply(reply);
    held_reply_ = OwnedMessage(reply);  // the handler's own does not live until it is on the loop
    return absl::OkStatus();
  }
  absl::StatusOr<transport::SharedBytes> framed = call_.Encode(reply, WriteOptions());
  if (!framed.ok()) return framed.status();
  call_.reply_ = *std::move(framed);
  return absl::OkStatus();
}

absl::Status ServerInterception::EncodeReply(const OutgoingMessage& reply) {
  absl::StatusOr<transport::SharedBytes> framed = call_.ShowAndEncode(reply, WriteOptions());
  if (!framed.ok()) return framed.status();
  call_.reply_ = *std::move(framed);
  return absl::OkStatus();
}

}  // namespace weir
