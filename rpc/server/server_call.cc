#include "weir/rpc/server/server_call.h"

#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/deadline.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/core/why.h"
#include "weir/rpc/server/received_head.h"
#include "weir/rpc/server/server_interception.h"
#include "weir/rpc/server/service.h"

namespace weir {
namespace internal {

Call& AsCall(ServerCall& call) { return call; }

ServerContext& ContextOf(ServerCall& call) { return call.context(); }

google::protobuf::Arena* RequestArenaOf(Call& call) {
  auto& server_call = static_cast<ServerCall&>(call);
  return server_call.head().message_arena ? &server_call.context().arena() : nullptr;
}

absl::Status SendReply(ServerCall& call, const OutgoingMessage& reply) {
  return call.context().replied() ? absl::OkStatus() : call.SendReply(reply);
}

}  // namespace internal

namespace {

constexpr char kDeferredText[] =
    " passed before the handler began: it waited for the client to take answers of other calls "
    "(ServerOptions::connection.memory_soft_bytes)";

}  // namespace

ServerCall::ServerCall(transport::EventLoop& loop, HandlerQueue* workers, ServerCallOwner& owner, MessageStream& stream,
                       std::shared_ptr<const ReceivedHead> head, const std::string& peer)
    : Call(loop), event_loop_(loop), workers_(workers), owner_(owner), context_(*this, std::move(head), peer) {
  stream.Bind(*this);
  set_compressor(this->head().reply_compressor);
  if (this->head().decompressor != nullptr) stream.DecompressBy(*this->head().decompressor);
  Attach(&stream);
}

ServerCall::~ServerCall() = default;

void ServerCall::BeginDeadline() {
  if (const std::optional<absl::Duration>& timeout = head().decoded.timeout; timeout.has_value()) SetDeadline(*timeout);
}

void ServerCall::Start(const Interceptors* interceptors) {
  started_ = true;
  if (interceptors != nullptr) {
    interception_ = std::make_unique<ServerInterception>(*this, *interceptors);
    set_interception(interception_.get());
    handler_ = interception_->Run();
    return handler_.Start(this);
  }
  handler_ = head().method->handler(*head().service, *this);
  if (workers_ == nullptr) return handler_.Start(this);
  if (!workers_->Post([this] { RunHandler(handler_, this); })) RefuseUnprocessed();
}

Task<absl::Status> ServerCall::NotRun(absl::Status why) { co_return why; }

// On a worker: the call may have ended while it waited.
void ServerCall::RunHandler(Task<absl::Status>& handler, TaskRoot* root) {
  workers_->Begin();
  try {
    if (context_.IsCancelled()) handler = NotRun(context_.cancel_reason());
  } catch (const std::bad_alloc&) {
    // Then it runs, and finds out.
  }
  handler.Start(root);
}

absl::Status ServerCall::TooManyQueued() const {
  return absl::ResourceExhaustedError(absl::StrCat(
      std::string(context_.method()), ": ", workers_->waiting_max(),
      " calls wait for a worker thread of this server already (option queued_handlers_max); try again later"));
}

void ServerCall::RefuseUnprocessed() {
  MessageStream* const open = stream();
  Detach();
  handler_ = {};
  open->Cancel(MarkUnprocessed(TooManyQueued()));
  Done();
}

void ServerCall::FailToStart() {
  started_ = false;
  Fail(OutOfMemory());
}

void ServerCall::SetDeadline(absl::Duration timeout) {
  context_.deadline_ = event_loop_.WallNow() + timeout;  // the same moment as the timer's
  if (deadline_ == nullptr) deadline_ = std::make_unique<transport::Timer>(event_loop_, [this] { OnDeadline(); });
  context_.monotonic_deadline_ = TimeAfter(event_loop_.Now(), timeout);
  deadline_->Set(context_.monotonic_deadline_);
}

// ---- the handler returns --------------------------------------------------------------------------------------------

void ServerCall::OnTaskDone() noexcept {
  if (event_loop_.IsCurrent()) return OnHandlerReturned();
  event_loop_.Post([this] { OnHandlerReturned(); });
}

absl::Status ServerCall::SendReply(const OutgoingMessage& reply) {
  if (interception_ != nullptr) return interception_->HoldReply(reply);
  if (event_loop_.IsCurrent() && SendNow(reply)) return absl::OkStatus();
  absl::StatusOr<transport::SharedBytes> framed = Encode(reply, WriteOptions());
  if (!framed.ok()) return framed.status();
  reply_ = *std::move(framed);
  return absl::OkStatus();
}

void ServerCall::OnHandlerReturned() noexcept {
  MessageStream* const open = stream();
  bool done = true;
  try {
    done = Answer();
  } catch (const std::bad_alloc&) {
    done = interception_ == nullptr || !interception_->HandlerRuns();
    Detach();
    if (open != nullptr) open->Cancel(OutOfMemory());
  }
  if (done) Done();
}

bool ServerCall::Answer() {
  const absl::Status status = TakeStatus(handler_, "the handler");
  handler_ = {};  // its frames and its request serve the next call while they are in the cache
  if (interception_ != nullptr && interception_->HandlerRuns()) {
    // An interceptor has returned without waiting for `next`. Done() follows when the handler has returned.
    // Why(): if its status is that of another call, the why is that one's.
    Fail(!status.ok() ? WithWhy(status, Why())
                      : absl::CancelledError("an interceptor returned before the handler did"));
    return false;
  }
  const bool replies = status.ok() && reply_.owner != nullptr;
  if (stream() != nullptr && (replies || !context_.initial_.empty())) BeforeMessage();
  if (MessageStream* open = stream(); open != nullptr) {
    if (replies) open->SendMessage(std::move(reply_));
    Detach();
    const bool left = open->Finish(status, context_.trailing_);
    if (!left) {
      const bool timed = deadline_ != nullptr && deadline_->IsSet();
      owner_.OnResponseHeld(*open, timed ? deadline_->due() : transport::MonotonicTime::max());
    }
    EndAll(status);
  }
  return true;
}

void ServerCall::Done() {
  if (deadline_ != nullptr) deadline_->Cancel();  // not reset: this may be its callback
  owner_.OnCallDone(*this);
}

// No handler will return. Once: its end may have several causes.
void ServerCall::DoneIfNotStarted() {
  if (!std::exchange(started_, true)) Done();
}

void ServerCall::BeforeMessage() {
  if (std::exchange(initial_sent_, true)) return;
  if (interception_ != nullptr) interception_->ShowInitialMetadata();
  if (context_.initial_.empty() && compressor() == nullptr) return;
  stream()->SendInitialMetadata(context_.initial_, compressor());
}

void ServerCall::SetCompression(std::string_view encoding) {
  if (initial_sent_) return;  // it says how
  if (wire::IsIdentity(encoding)) return set_compressor(nullptr);
  const Compressor* const found = head().compressors.Find(encoding);
  if (found == nullptr) {
    return Fail(absl::InternalError(absl::StrCat("SetCompression: expected one of ",
                                                 head().compressors.accept_encoding(), ", got \"",
                                                 std::string(encoding), "\"; add it to ServerOptions::compressors")));
  }
  set_compressor(wire::Accepts(head().decoded.accept_encoding, encoding) ? found : nullptr);
}

// ---- the call is cancelled ------------------------------------------------------------------------------------------

void ServerCall::OnEnd(absl::Status, Metadata) { EndReading(absl::OkStatus()); }

void ServerCall::OnReset(absl::Status status) {
  Detach();
  context_.Cancel(status);
  EndAll(std::move(status));
  DoneIfNotStarted();
}

void ServerCall::OnDeadline() {
  absl::Status why(absl::StatusCode::kDeadlineExceeded, "");
  try {
    const bool ours = interception_ != nullptr && interception_->timeout().has_value();
    const absl::Duration timeout = ours ? *interception_->timeout() : *head().decoded.timeout;
    const std::string text =
        absl::StrCat(std::string(context_.method()), ours ? ": an interceptor's" : ": the client's", " deadline of ",
                     absl::FormatDuration(timeout), started_ ? " passed before the handler returned" : kDeferredText);
    why = WithWhy(absl::DeadlineExceededError(text), Why{.by = Why::By::kDeadline});
  } catch (const std::bad_alloc&) {
    // It has passed all the same.
  }
  Fail(std::move(why));
}

std::shared_ptr<void> ServerCall::FailAfter(absl::Duration limit, std::string_view what) {
  auto timer = std::make_shared<transport::Timer>(event_loop_, [this, limit, what] {
    const std::string text =
        absl::StrCat(std::string(context_.method()), ": ", std::string(what), " within ", absl::FormatDuration(limit));
    Fail(WithWhy(absl::DeadlineExceededError(text), Why{.by = Why::By::kDeadline}));
  });
  timer->Set(TimeAfter(event_loop_.Now(), limit));
  return timer;
}

void ServerCall::Fail(absl::Status why) {
  if (!event_loop_.IsCurrent()) {
    // The handler, on its own thread, has not returned: the call lives, and this comes before its return.
    return event_loop_.Post([this, why = std::move(why)] { Fail(why); });
  }
  // First the answer, then the handler: what it returns now is not the call's status any more. Its trailing metadata is
  // left out, because it may be writing it at this moment.
  if (MessageStream* open = stream(); open != nullptr) {
    Detach();
    try {
      open->FinishNow(why);
    } catch (const std::bad_alloc&) {
      open->Cancel(why);
    }
  }
  context_.Cancel(why);
  EndAll(std::move(why));
  DoneIfNotStarted();
}

}  // namespace weir
