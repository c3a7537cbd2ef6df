#include "weir/rpc/client/retry/call_attempts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/retry/attempt.h"
#include "weir/rpc/client/retry/push_back.h"
#include "weir/rpc/core/deadline.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/core/why.h"

namespace weir {

CallAttempts::CallAttempts(AttemptsHost& host, AttemptedCall& call, const MethodConfig* config)
    : host_(host), call_(call), plan_(config), kept_(host.replay_budget()), timer_(host.loop(), [this] {
        OnTimer();
      }) {}

CallAttempts::~CallAttempts() { Stop(absl::CancelledError("")); }

void CallAttempts::OnNoMemory() { call_.OnNoStream(OutOfMemory()); }

// ---- attempts begin -------------------------------------------------------------------------------------------------

void CallAttempts::Start() {
  const auto keep = shared_from_this();
  Begin();
}

void CallAttempts::Begin() {
  const int number = ++begun_;
  Seek(number);
  if (state_ != State::kOpen || begun_ != number || timer_.IsSet()) return;  // all that may have happened inside
  if (const auto next = plan_.OnBegin(begun_)) timer_.Set(TimeAfter(host_.loop().Now(), *next));
}

void CallAttempts::Seek(int number) {
  const auto attempt = std::make_shared<Attempt>(*this, number);
  running_.push_back(attempt);
  host_.Place(attempt);
}

bool CallAttempts::WasAt(std::string_view address) const {
  return peer_ == address || std::any_of(running_.begin(), running_.end(), [address](const AttemptPtr& attempt) {
           return attempt->stream() != nullptr && attempt->stream()->peer() == address;
         });
}

void CallAttempts::OnTimer() {
  const auto keep = shared_from_this();
  Do([this] {
    GoOn();
    const bool beside_others = !running_.empty();
    if (!beside_others || plan_.MayHedge(host_.throttle())) Begin();
  });
}

void CallAttempts::OnAttemptStream(Attempt& attempt) {
  MessageStream& stream = *attempt.stream();
  peer_ = std::string(stream.peer());
  if (limited_) stream.LimitMessages(message_bytes_max_);
  if (expected_) stream.ExpectMessage();
  for (const transport::SharedBytes& framed : kept_.messages()) attempt.Send(framed);
  if (half_closed_) stream.HalfClose();
  if (!std::exchange(given_, true)) return call_.OnStream(*this);
  if (overflowed_) return Commit(attempt);
  if (!attempt.blocked()) LetCallWrite();
}

// ---- what the call sends --------------------------------------------------------------------------------------------

void CallAttempts::ExpectMessage() {
  expected_ = true;
  for (const AttemptPtr& attempt : running_) {
    if (attempt->stream() != nullptr) attempt->stream()->ExpectMessage();
  }
}

void CallAttempts::LimitMessages(size_t bytes_max) {
  limited_ = true;
  message_bytes_max_ = bytes_max;
  for (const AttemptPtr& attempt : running_) {
    if (attempt->stream() != nullptr) attempt->stream()->LimitMessages(bytes_max);
  }
}

bool CallAttempts::SendMessage(transport::SharedBytes framed) {
  const auto keep = shared_from_this();
  if (!kept_.Add(framed)) overflowed_ = true;
  Attempt* first = nullptr;
  bool taken = false;
  for (const AttemptPtr& attempt : running_) {
    if (attempt->stream() == nullptr) continue;
    attempt->Send(framed);
    taken |= !attempt->blocked();
    if (first == nullptr) first = attempt.get();
  }
  if (first == nullptr) {
    // Between two attempts. What is kept is as good as sent, within the limit.
    call_waits_ = overflowed_;
    return !overflowed_;
  }
  if (!overflowed_) {
    call_waits_ = !taken;
    return taken;
  }
  // The others could not be sent what comes next. The call hears of the window by itself from now on.
  taken = !first->blocked();
  Commit(*first);
  return taken;
}

void CallAttempts::HalfClose() {
  half_closed_ = true;
  for (const AttemptPtr& attempt : running_) {
    if (attempt->stream() != nullptr) attempt->stream()->HalfClose();
  }
}

void CallAttempts::OnAttemptWritable(Attempt&) { LetCallWrite(); }

void CallAttempts::LetCallWrite() {
  if (std::exchange(call_waits_, false)) call_.observer().OnWritable();
}

// ---- attempts end ---------------------------------------------------------------------------------------------------

// The response head commits the call (gRFC A6, When Retries are Valid).
void CallAttempts::OnAttemptHead(Attempt& attempt, Metadata metadata) {
  Commit(attempt);
  call_.observer().OnInitialMetadata(std::move(metadata));
}

void CallAttempts::Commit(Attempt& winner) {
  state_ = State::kCommitted;
  last_failure_.reset();
  timer_.Cancel();
  MessageStream& stream = *winner.stream();
  peer_ = std::string(stream.peer());
  const bool writable = !winner.blocked();
  for (const AttemptPtr& attempt : std::exchange(running_, {})) {
    if (attempt.get() == &winner) {
      attempt->Leave();
    } else {
      attempt->Stop(absl::CancelledError("another attempt of the call has been answered"));
    }
  }
  kept_.Clear();
  StreamObserver& call = call_.observer();
  stream.Bind(call);
  call_.UseStream(stream);
  if (wanted_) stream.WantMessage();  // comes later than this: the head has only just come, if it has
  if (writable && std::exchange(call_waits_, false)) call.OnWritable();
}

void CallAttempts::OnAttemptSuccess(Attempt& attempt, Metadata trailing) {
  state_ = State::kCommitted;
  Remove(attempt);
  Stop(absl::CancelledError("another attempt of the call has been answered"));
  call_.observer().OnEnd(absl::OkStatus(), std::move(trailing));
}

void CallAttempts::OnAttemptFailed(Attempt& attempt, Failure failure) {
  Remove(attempt);
  if (GoElsewhere(failure)) return Seek(failure.attempt);
  processed_ |= failure.how != Failure::How::kNoStream && !IsUnprocessed(failure.status);
  const std::optional<absl::Duration> push_back = ParsePushBack(failure.trailing.Get(Metadata::kPushBackKey));
  const absl::StatusCode code = failure.status.code();
  last_failure_ = std::move(failure);
  const AttemptPlan::Step step = plan_.OnFailure(code, push_back, begun_, host_.throttle(), host_.Random());
  switch (step.then) {
    case AttemptPlan::Then::kTryAgain:
      return Pause(step.pause);
    case AttemptPlan::Then::kWait:
      if (plan_.OnBegin(begun_) == std::nullopt || !plan_.MayHedge(host_.throttle())) timer_.Cancel();
      if (running_.empty() && !timer_.IsSet()) FailCall();
      return;
    case AttemptPlan::Then::kFail:
      return FailCall();
  }
}

// Once if the server says that it has not looked at the request, whatever the policy, and not counted as an attempt
// (gRFC A6, Transparent Retries). Without limit that would be for requests that never left this side; those wait for a
// stream with no limit but the deadline (wait-for-ready), and one that has a stream has left as far as can be told
// here.
bool CallAttempts::GoElsewhere(const Failure& failure) {
  if (failure.how != Failure::How::kReset || !IsUnprocessed(failure.status)) return false;
  if (!call_.may_go_elsewhere()) return false;
  return !std::exchange(refused_, true);
}

void CallAttempts::Pause(absl::Duration pause) {
  if (running_.empty()) {
    std::list<CallAttempts*>::iterator place;
    if (host_.OnPause(*this, &place)) return FailCall();
    pause_ = place;
  }
  timer_.Set(TimeAfter(host_.loop().Now(), pause));
}

void CallAttempts::GoOn() {
  if (pause_.has_value()) host_.OnGoesOn(*std::exchange(pause_, std::nullopt));
}

void CallAttempts::OnChannelClosed(const absl::Status& why) {
  const auto keep = shared_from_this();
  last_failure_ = Failure{.how = Failure::How::kReset, .status = why};
  FailCall();
}

void CallAttempts::FailCall() {
  Failure failure = *std::move(last_failure_);
  last_failure_.reset();
  // What one attempt may have done is not undone because the last one did nothing.
  if (processed_ && IsUnprocessed(failure.status)) {
    Why why = *WhyOf(failure.status);
    why.processed = Why::Processed::kUnknown;
    failure.status = WithWhy(std::move(failure.status), why);
  }
  Stop(failure.status);
  if (!given_) return call_.OnNoStream(failure.status);
  StreamObserver& call = call_.observer();
  if (failure.how == Failure::How::kEnd) return call.OnEnd(std::move(failure.status), std::move(failure.trailing));
  call.OnReset(std::move(failure.status));
}

void CallAttempts::OnCallEnd(const absl::Status& status) {
  if (state_ == State::kCommitted) plan_.OnCommittedEnd(status.code(), host_.throttle());
  state_ = State::kOver;
  Stop(status);
}

std::string CallAttempts::LastFailureText() const {
  if (!last_failure_.has_value()) return "";
  return absl::StrCat("; attempt ", last_failure_->attempt,
                      " failed: ", absl::StatusCodeToString(last_failure_->status.code()), ": ",
                      last_failure_->status.message());
}

bool CallAttempts::asks_credentials() const {
  return std::any_of(running_.begin(), running_.end(), [](const AttemptPtr& held) { return held->asks_credentials(); });
}

const StreamRequest* CallAttempts::waiting() const {
  for (const AttemptPtr& attempt : running_) {
    if (attempt->stream() == nullptr) return attempt.get();
  }
  return nullptr;
}

void CallAttempts::Remove(const Attempt& attempt) {
  std::erase_if(running_, [&attempt](const AttemptPtr& held) { return held.get() == &attempt; });
}

void CallAttempts::Stop(const absl::Status& status) {
  if (state_ == State::kOpen) state_ = State::kOver;
  timer_.Cancel();
  GoOn();
  kept_.Clear();
  for (const AttemptPtr& attempt : std::exchange(running_, {})) attempt->Stop(status);
}

}  // namespace weir
