#include "weir/rpc/client/retry/attempt.h"

#include <chrono>

#include "weir/rpc/wire/protocol.h"

namespace weir {

CallAttempts::Attempt::Attempt(CallAttempts& attempts, int number) : attempts_(&attempts), number_(number) {
  depends_on_place_ = attempts.call_.credentials() != nullptr;
}

void CallAttempts::Attempt::Leave() {
  AttemptedCall& call = attempts_->call_;
  attempts_ = nullptr;
  if (watcher_ != nullptr) call.OnPicked(std::move(watcher_));
}

void CallAttempts::Attempt::Stop(const absl::Status& status) {
  absl::IsCancelled(status) ? watcher_.reset() : TellWatcher(status);
  CallAttempts* const attempts = std::exchange(attempts_, nullptr);
  if (stream_ != nullptr) {
    stream_->Cancel(status);
  } else if (authorization_ != nullptr) {
    attempts->host_.OnAuthorized(among_hosts_);
    Authorization::Abandon(std::move(authorization_), attempts->host_.loop());
  } else {
    attempts->host_.Forget(*this);
  }
}

// What failed before it had a stream is not the server's.
void CallAttempts::Attempt::TellWatcher(const absl::Status& status) {
  if (watcher_ != nullptr && stream_ != nullptr) std::exchange(watcher_, nullptr)->OnCallEnd(status);
}

void CallAttempts::Attempt::Fail(Failure failure) {
  if (attempts_ == nullptr) return;
  TellWatcher(failure.status);
  const auto self = shared_from_this();
  const auto keep = attempts_->shared_from_this();
  if (authorization_ != nullptr) {  // the channel closes
    keep->host_.OnAuthorized(among_hosts_);
    Authorization::Abandon(std::move(authorization_), keep->host_.loop());
  }
  failure.attempt = number_;
  keep->Do([&] { keep->OnAttemptFailed(*this, std::move(failure)); });
}

// ---- its place ------------------------------------------------------------------------------------------------------

void CallAttempts::Attempt::DescribeTo(wire::RequestHead* head) const {
  attempts_->call_.DescribeTo(head);
  head->previous_attempts = number_ - 1;
  if (authorized_.has_value()) head->metadata = &*authorized_;
}

bool CallAttempts::Attempt::MayOpen(const Place& place) {
  // It may have to wait for a place once more, and what it was given expires if that takes long.
  constexpr std::chrono::minutes kAgeMax(1);
  AttemptsHost& host = attempts_->host_;
  const absl::Status may_send = Authorization::MaySend(place.security, place.peer);
  if (!may_send.ok() && !host.credentials_over_plaintext()) {
    OnNoStream(may_send);
    return false;
  }
  if (authorized_.has_value() && host.loop().Now() - authorized_at_ <= kAgeMax) return true;
  authorized_.reset();
  const auto self = shared_from_this();
  const auto keep = attempts_->shared_from_this();
  wire::RequestHead head;
  DescribeTo(&head);
  auto authorization = std::make_unique<Authorization>(keep->call_.credentials(),
                                                       CredentialsRequest(place.authority, head.path, place.security));
  among_hosts_ = host.OnAuthorizing(*this);
  authorization_ = std::move(authorization);  // only with its place in that list
  in_may_open_ = true;
  authorization_->Start([this](absl::StatusOr<Metadata> metadata) { OnCredentials(std::move(metadata)); });
  in_may_open_ = false;
  return authorized_.has_value();
}

void CallAttempts::Attempt::OnCredentials(absl::StatusOr<Metadata> metadata) {
  const auto self = shared_from_this();
  const std::unique_ptr<Authorization> done = std::move(authorization_);
  AttemptsHost& host = attempts_->host_;
  host.OnAuthorized(among_hosts_);
  if (!metadata.ok()) return OnNoStream(metadata.status());
  wire::RequestHead head;
  DescribeTo(&head);
  authorized_ = *head.metadata;
  for (const auto& [key, value] : *metadata) authorized_->Add(key, value);
  authorized_at_ = host.loop().Now();
  if (!in_may_open_) host.Place(self);
}

void CallAttempts::Attempt::OnStream(MessageStream& stream) {
  const auto keep = attempts_->shared_from_this();
  stream_ = &stream;
  keep->Do([&] { keep->OnAttemptStream(*this); });
}

// ---- what comes -----------------------------------------------------------------------------------------------------

void CallAttempts::Attempt::OnInitialMetadata(Metadata metadata) {
  const auto self = shared_from_this();
  const auto keep = attempts_->shared_from_this();
  keep->Do([&] { keep->OnAttemptHead(*this, std::move(metadata)); });
}

void CallAttempts::Attempt::OnEnd(absl::Status status, Metadata trailing) {
  if (!status.ok()) {
    return Fail({.how = Failure::How::kEnd, .status = std::move(status), .trailing = std::move(trailing)});
  }
  TellWatcher(status);
  const auto self = shared_from_this();
  const auto keep = attempts_->shared_from_this();
  keep->Do([&] { keep->OnAttemptSuccess(*this, std::move(trailing)); });
}

void CallAttempts::Attempt::OnWritable() {
  const auto keep = attempts_->shared_from_this();
  blocked_ = false;
  keep->Do([&] { keep->OnAttemptWritable(*this); });
}

}  // namespace weir
