#include "weir/rpc/client/client_call.h"

#include <algorithm>
#include <functional>
#include <new>
#include <stop_token>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "weir/rpc/client/channel_core.h"
#include "weir/rpc/client/client_interception.h"
#include "weir/rpc/client/client_operations.h"
#include "weir/rpc/client/inherited.h"
#include "weir/rpc/client/retry/call_attempts.h"
#include "weir/rpc/core/deadline.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/wire/compressors.h"

namespace weir {

struct ClientCall::Family {
  std::shared_ptr<const Inherited> parent;
  bool deadline_is_parents = false;
  std::optional<std::stop_callback<std::function<void()>>> on_cancel;
};

namespace {

std::shared_ptr<const CallCredentialsList> Joined(const std::shared_ptr<const CallCredentialsList>& channels,
                                                  const std::shared_ptr<const CallCredentialsList>& calls) {
  if (calls == nullptr) return channels;
  if (channels == nullptr) return calls;
  auto all = std::make_shared<CallCredentialsList>(*channels);
  all->insert(all->end(), calls->begin(), calls->end());
  return all;
}

}  // namespace

ClientCall::ClientCall(std::shared_ptr<ChannelCore> channel, transport::EventLoop& loop, const MethodSpec& method,
                       const CallOptions& options, const OutgoingMessage* request, transport::MonotonicTime made_at)
    : Call(loop),
      channel_(std::move(channel)),
      event_loop_(loop),
      own_path_(method.storage == PathStorage::kCaller ? std::make_unique<const std::string>(method.path) : nullptr),
      method_(own_path_ == nullptr ? method : MethodSpec{*own_path_, method.kind}),
      metadata_(options.metadata()),
      timeout_(options.timeout().value_or(channel_->options().default_timeout)),
      credentials_(Joined(channel_->call_credentials(), options.credentials())),
      wait_for_ready_(options.wait_for_ready()),
      retry_(options.retry()),
      half_close_wanted_(request != nullptr) {
  const std::string& compression =
      options.compression().empty() ? channel_->options().compression : options.compression();
  if (!wire::IsIdentity(compression)) CompressBy(compression);
  set_max_send_message_bytes(channel_->options().max_send_message_bytes);
  if (const Interceptors& channels = channel_->options().interceptors;
      !channels.empty() || options.interceptors() != nullptr) {
    interception_ = std::make_unique<ClientInterception>(*this, channels, options.interceptors(), request);
    set_interception(interception_.get());
  } else if (request != nullptr && framed_request_.ok()) {
    framed_request_ = Encode(*request, WriteOptions());
  }
  if (options.parent() != nullptr) Inherit(options.parent(), options.metadata(), made_at);
  if (timeout_ != absl::InfiniteDuration()) deadline_at_ = TimeAfter(made_at, timeout_);
}

ClientCall::~ClientCall() = default;

void ClientCall::CompressBy(std::string_view encoding) {
  const Compressors& known = channel_->options().compressors;
  set_compressor(known.Find(encoding));
  if (compressor() != nullptr) return;
  framed_request_ =
      absl::InternalError(absl::StrCat("compression of the call: expected one of ", known.accept_encoding(), ", got \"",
                                       std::string(encoding), "\"; add it to ChannelOptions::compressors"));
}

void ClientCall::Inherit(std::shared_ptr<const Inherited> parent, const Metadata& own,
                         transport::MonotonicTime made_at) {
  family_ = std::make_unique<Family>();
  for (const auto& [key, value] : parent->trace) {
    if (!own.Get(key).has_value()) metadata_.Add(key, value);
  }
  const absl::Duration left = LeftOf(*parent, made_at);
  family_->deadline_is_parents = left < timeout_;
  if (family_->deadline_is_parents) timeout_ = left;
  family_->parent = std::move(parent);
}

absl::Duration ClientCall::LeftOf(const Inherited& parent, transport::MonotonicTime now) const {
  if (!parent.monotonic_deadline.has_value()) return parent.deadline - WallNow();
  if (*parent.monotonic_deadline == transport::MonotonicTime::max()) return absl::InfiniteDuration();
  return absl::FromChrono(*parent.monotonic_deadline - now);
}

// By the loop's clock where it may be asked, as a parent's deadline is.
absl::Time ClientCall::WallNow() const { return event_loop_.IsCurrent() ? event_loop_.WallNow() : absl::Now(); }

// ---- from the user's thread -----------------------------------------------------------------------------------------

void ClientCall::Fail(absl::Status why) {
  if (event_loop_.IsCurrent()) return Stop(why);
  event_loop_.Post([self = shared_from_this(), why = std::move(why)] { self->Stop(why); });
}

void ClientCall::FailByCaller(const char* what) {
  Fail(WithWhy(absl::CancelledError(what), Why{.by = Why::By::kCaller}));
}

void ClientCall::Abandon() {
  if (!ended()) FailByCaller("the caller dropped the call");
}

void ClientCall::HalfClose() {
  if (event_loop_.IsCurrent()) return HalfCloseHere();
  event_loop_.Post([self = shared_from_this()] { self->HalfCloseHere(); });
}

// ---- on the loop ----------------------------------------------------------------------------------------------------

void ClientCall::Start() try {
  if (ended()) return;
  started_at_ = event_loop_.Now();
  if (channel_->config().concerns_calls() && !Configure()) return;
  Begin();
} catch (const std::bad_alloc&) {
  OnNoMemory();  // whoever starts it holds it
}

void ClientCall::Begin() try {
  const bool attempts = (ClientStreams(method_.kind) && retry_) || credentials_ != nullptr;
  if (attempts && attempts_ == nullptr) MakeAttempts(nullptr);
  Watch();
  if (ended()) return;
  if (interception_ != nullptr) return interception_->Start();
  AskForPlace();
} catch (const std::bad_alloc&) {
  OnNoMemory();  // the same
}

// For the deadline, and for the end of the parent; again if the call begins later than it was started.
void ClientCall::Watch() {
  if (timeout_ != absl::InfiniteDuration()) SetDeadline();
  if (family_ != nullptr && !family_->on_cancel.has_value()) FollowParent();
}

void ClientCall::SetTimeout(absl::Duration timeout, transport::MonotonicTime since) {
  timeout_ = timeout;
  deadline_at_ = TimeAfter(since, timeout);
  if (family_ != nullptr) family_->deadline_is_parents = false;
  if (timeout != absl::InfiniteDuration()) return SetDeadline();
  if (deadline_.has_value()) deadline_->Cancel();
}

void ClientCall::SetDeadline() {
  if (!deadline_.has_value()) deadline_.emplace(event_loop_, [this] { OnDeadline(); });
  deadline_->Set(deadline_at_);
}

std::shared_ptr<void> ClientCall::FailAfter(absl::Duration limit, std::string_view what) {
  auto timer = std::make_shared<transport::Timer>(event_loop_, [this, limit, what] {
    Stop(WithWhy(absl::DeadlineExceededError(absl::StrCat(std::string(what), " within ", absl::FormatDuration(limit))),
                 Why{.by = Why::By::kDeadline}));
  });
  timer->Set(TimeAfter(event_loop_.Now(), limit));
  return timer;
}

std::string ClientCall::DeadlineText() const {
  if (family_ != nullptr && family_->deadline_is_parents) {
    return absl::StrCat("deadline inherited from ", family_->parent->method, " exceeded");
  }
  return absl::StrCat("deadline of ", absl::FormatDuration(timeout_), " exceeded");
}

void ClientCall::OnDeadline() {
  const auto self = shared_from_this();
  try {
    const StreamRequest* const waiting = attempts_ == nullptr ? this : attempts_->waiting();
    const std::string reason = stream() == nullptr && waiting != nullptr ? channel_->WaitingReason(*waiting) : "";
    Stop(WithWhy(absl::DeadlineExceededError(absl::StrCat(DeadlineText(), " ", DuringPhase(Failed().phase), reason,
                                                          attempts_ == nullptr ? "" : attempts_->LastFailureText())),
                 Why{.by = Why::By::kDeadline}));
  } catch (const std::bad_alloc&) {
    Conclude(absl::Status(absl::StatusCode::kDeadlineExceeded, ""));
  }
}

void ClientCall::FollowParent() {
  // Runs where the parent is cancelled, perhaps here and now.
  family_->on_cancel.emplace(family_->parent->stop, [weak = weak_from_this()] {
    if (const std::shared_ptr<ClientCall> self = weak.lock()) self->OnParentCancelled();
  });
}

void ClientCall::OnParentCancelled() {
  const Inherited& parent = *family_->parent;
  // A parent is cancelled by its deadline, too; which of the two timers is first says nothing. Its loop may have looked
  // at the clock a little later than this one.
  const transport::MonotonicTime now = event_loop_.IsCurrent() ? event_loop_.Now() : std::chrono::steady_clock::now();
  if (LeftOf(parent, now) <= absl::Milliseconds(1)) {
    return Fail(
        WithWhy(absl::DeadlineExceededError(absl::StrCat("deadline inherited from ", parent.method, " exceeded")),
                Why{.by = Why::By::kDeadline}));
  }
  Fail(WithWhy(absl::CancelledError(absl::StrCat("cancelled with its parent ", parent.method)),
               Why{.by = Why::By::kCaller}));
}

void ClientCall::AskForPlace() {
  if (!framed_request_.ok()) return End(framed_request_.status());
  if (absl::Status legal = metadata_.Check(); !legal.ok()) return End(legal);
  if (attempts_ != nullptr) return attempts_->Start();
  channel_->Place(shared_from_this());
}

std::optional<absl::Duration> ClientCall::TimeLeft() const {
  if (timeout_ == absl::InfiniteDuration()) return std::nullopt;
  return absl::FromChrono(deadline_at_ - event_loop_.Now());
}

void ClientCall::DescribeTo(wire::RequestHead* head) const {
  head->path = method_.path;
  head->timeout = TimeLeft();
  if (compressor() != nullptr) head->encoding = compressor()->name();
  head->metadata = &metadata_;
}

void ClientCall::OnStream(MessageStream& stream) {
  auto self = shared_from_this();
  try {
    if (interception_ != nullptr) interception_->OnPeer(stream.peer());
    // From here on stream(): attempts may put another one in its place whenever something is sent.
    ReplaceStream(stream);
    if (!ServerStreams(method_.kind)) stream.ExpectMessage();
    if (response_bytes_max_ != UINT32_MAX) stream.LimitMessages(response_bytes_max_);
    if (framed_request_->owner != nullptr) SendRequest();
    Attach(this->stream());
    if (this->stream() != nullptr && half_close_wanted_ && !writes_wait()) this->stream()->HalfClose();
  } catch (const std::bad_alloc&) {
    OnNoMemory();
  }
}

void ClientCall::HalfCloseHere() {
  half_close_wanted_ = true;
  RefuseNewWrites();
  if (stream() != nullptr && !writes_wait()) stream()->HalfClose();
}

void ClientCall::OnWritesDrained() {
  if (stream() != nullptr && half_close_wanted_) stream()->HalfClose();
}

FailedCall ClientCall::Failed() const {
  FailedCall call;
  call.method = method_.path;
  call.target = channel_->target();
  call.elapsed = absl::FromChrono(event_loop_.Now() - started_at_);
  call.answered = initial_received_;
  call.sent = stream() != nullptr;
  const StreamRequest* waiting = this;
  if (attempts_ != nullptr) {
    call.attempt = std::max(attempts_->begun(), 1);
    waiting = attempts_->waiting();
  }
  if (initial_received_) {
    call.phase = Why::Phase::kBody;
  } else if (call.sent) {
    call.phase = Why::Phase::kHeaders;
  } else if (attempts_ != nullptr && attempts_->asks_credentials()) {
    call.phase = Why::Phase::kCredentials;
  } else if (waiting != nullptr) {
    call.phase = channel_->WaitingPhase(*waiting);
  }
  if (call.sent) call.peer = stream()->peer();
  return call;
}

void ClientCall::End(const absl::Status& status) {
  if (ended()) return;
  auto self = shared_from_this();
  try {
    absl::Status told = Failed().Explain(status, Why::By::kUs);
    absl::IsCancelled(status) ? watcher_.reset() : TellWatcher(status);
    if (MessageStream* open = stream(); open != nullptr) {
      Detach();
      open->Cancel(status);
    } else {
      channel_->Forget(*this);
    }
    if (attempts_ != nullptr) attempts_->OnCallEnd(status);
    if (interception_ != nullptr && interception_->OnCallOver(told)) return;
    Conclude(std::move(told));
  } catch (const std::bad_alloc&) {
    OnNoMemory();
  }
}

// The call itself has ended well, and its messages are not what its kind says.
absl::Status ClientCall::Explained(absl::Status failure) const {
  FailedCall call = Failed();
  call.sent = true;
  call.answered = true;
  call.phase = Why::Phase::kTrailers;
  return call.Explain(failure, Why::By::kUs);
}

// The user, or the deadline, wants the end now: it does not wait for an interceptor that is busy with something else.
void ClientCall::Stop(const absl::Status& status) {
  auto self = shared_from_this();
  End(status);
  if (!ended()) Conclude(status);
}

void ClientCall::OnInterceptorsReturned(absl::Status status) {
  if (ended()) return;
  status = WithOwnWhy(std::move(status));
  if (MessageStream* open = stream(); open != nullptr) {
    Detach();
    open->Cancel(!status.ok() ? status : absl::CancelledError("an interceptor returned before the call had ended"));
  } else {
    channel_->Forget(*this);
  }
  if (attempts_ != nullptr) attempts_->OnCallEnd(status);
  Conclude(std::move(status));
}

// What an interceptor returns may be the status of another call, one that asked for a token say, with the why of that
// one: whether this call may be made again is another question.
absl::Status ClientCall::WithOwnWhy(absl::Status status) const {
  if (status.ok()) return status;
  if (const std::optional<Why> why = WhyOf(interception_->outcome())) return WithWhy(std::move(status), *why);
  const absl::Status bare = WithWhy(status, Why());
  const absl::Status told = interception_->is_call_over() ? Explained(bare) : Failed().Explain(bare, Why::By::kUs);
  return WithWhy(std::move(status), *WhyOf(told));
}

void ClientCall::OnInitialMetadata(Metadata metadata) {
  if (framed_request_->owner != nullptr) DropRequest();
  initial_ = std::move(metadata);
  initial_received_ = true;
  if (interception_ != nullptr) interception_->ShowInitialMetadata(initial_);
  TellMetadataWaiter();
}

void ClientCall::OnEnd(absl::Status status, Metadata trailing) {
  trailing_ = std::move(trailing);
  OnStreamEnd(std::move(status), Why::By::kPeer, initial_received_ ? Why::Phase::kTrailers : Why::Phase::kHeaders);
}

void ClientCall::OnReset(absl::Status status) {
  const auto self = shared_from_this();
  try {
    if (IsUnprocessed(status) && GoElsewhere(status)) return;
    OnStreamEnd(std::move(status), Why::By::kUs, Failed().phase);
  } catch (const std::bad_alloc&) {
    OnNoMemory();
  }
}

void ClientCall::OnStreamEnd(absl::Status status, Why::By by, Why::Phase phase) {
  auto self = shared_from_this();
  try {
    TellWatcher(status);
    if (!status.ok()) {
      // A server that noticed our deadline first says CANCELLED by RST_STREAM: it is still our deadline.
      if (absl::IsCancelled(status) && timeout_ != absl::InfiniteDuration() && event_loop_.Now() >= deadline_at_) {
        status =
            WithWhy(absl::DeadlineExceededError(absl::StrCat(DeadlineText(), "; the server said ", status.message())),
                    Why{.by = Why::By::kDeadline});
      }
      FailedCall call = Failed();
      call.phase = phase;
      status = call.Explain(status, by);
    }
    Detach();
    if (attempts_ != nullptr) attempts_->OnCallEnd(status);
    if (interception_ != nullptr && interception_->OnCallOver(status)) return;
    Conclude(std::move(status));
  } catch (const std::bad_alloc&) {
    OnNoMemory();
  }
}

void ClientCall::OnNoMemory() noexcept {
  if (ended()) return;
  if (MessageStream* const open = stream(); open != nullptr) {
    Detach();
    open->Cancel(OutOfMemory());
  } else {
    channel_->Forget(*this);
  }
  if (attempts_ != nullptr) attempts_->OnCallEnd(OutOfMemory());
  Conclude(OutOfMemory());
}

void ClientCall::OnSendingEnd() {
  auto self = shared_from_this();
  EndWriting();
}

void ClientCall::Conclude(absl::Status status) {
  if (deadline_.has_value()) deadline_->Cancel();
  if (counted_bytes_ != 0) DropRequest();
  watcher_.reset();
  if (family_ != nullptr) family_->on_cancel.reset();
  if (interception_ != nullptr) channel_->ForgetReplied(*this);
  ended_.store(true, std::memory_order_release);
  EndAll(status);
  TellMetadataWaiter();
  if (FinishOperation* waiter = std::exchange(finish_waiter_, nullptr)) {
    try {
      waiter->result_ = Unshared(status);
    } catch (const std::bad_alloc&) {
      waiter->result_ = status;
    }
    waiter->Complete();
  }
}

void ClientCall::TellMetadataWaiter() {
  MetadataOperation* waiter = std::exchange(metadata_waiter_, nullptr);
  if (waiter == nullptr) return;
  try {
    waiter->result_ = initial_;
  } catch (const std::bad_alloc&) {
    // The waiter must go on, if without them.
  }
  waiter->Complete();
}

}  // namespace weir
