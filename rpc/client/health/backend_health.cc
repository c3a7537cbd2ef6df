#include "weir/rpc/client/health/backend_health.h"

#include <stdio.h>

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/deadline.h"
#include "weir/rpc/core/why.h"

namespace weir {
namespace {

const char* NameOf(ServingStatus status) {
  switch (status) {
    case ServingStatus::kServing:
      return "SERVING";
    case ServingStatus::kNotServing:
      return "NOT_SERVING";
    case ServingStatus::kServiceUnknown:
      return "SERVICE_UNKNOWN";
    case ServingStatus::kUnknown:
      break;
  }
  return "UNKNOWN";
}

}  // namespace

BackendHealth::BackendHealth(BackendEnvironment& environment, std::shared_ptr<Backend> backend, std::string service)
    : environment_(environment),
      backend_(std::move(backend)),
      service_(std::move(service)),
      state_(backend_->state()),
      backoff_(environment.options.backoff_initial, environment.options.backoff_max),
      again_(environment.loop, [this] { OnTimer(); }) {
  backend_->AddWatcher(*this);
  if (state_ != ConnectivityState::kReady) return;
  state_ = ConnectivityState::kConnecting;
  again_.Set(environment.loop.Now());
}

BackendHealth::~BackendHealth() {
  backend_->RemoveWatcher(*this);
  StopWatching();
}

const absl::Status& BackendHealth::failure() const {
  return backend_->state() == ConnectivityState::kReady ? failure_ : backend_->failure();
}

transport::MonotonicTime BackendHealth::pause_ends() const {
  return backend_->state() == ConnectivityState::kReady ? again_.due() : backend_->pause_ends();
}

// Whoever is told may let go of this, as of a Backend.
void BackendHealth::SetState(ConnectivityState state) {
  if (state == state_ && state != ConnectivityState::kTransientFailure) return;
  state_ = state;
  const std::shared_ptr<BackendHealth> self = shared_from_this();
  const std::vector<BackendWatcher*> watchers = watchers_;
  for (BackendWatcher* watcher : watchers) {
    if (state_ != state) return;
    if (std::find(watchers_.begin(), watchers_.end(), watcher) != watchers_.end()) watcher->OnBackendState(state);
  }
}

void BackendHealth::OnBackendState(ConnectivityState state) {
  if (state != ConnectivityState::kReady) {
    StopWatching();
    return SetState(state);
  }
  backoff_.Reset();
  again_.Set(environment_.loop.Now());  // not inside the backend
  SetState(ConnectivityState::kConnecting);
}

void BackendHealth::StopWatching() {
  again_.Cancel();
  over_.reset();
  if (watch_ == nullptr) return;
  const std::shared_ptr<HealthWatch> watch = std::move(watch_);
  watch->Stop();
  backend_->Forget(*watch);
}

void BackendHealth::Watch() {
  const std::shared_ptr<BackendHealth> self = shared_from_this();
  answered_ = false;
  HealthListener& listener = *this;
  watch_ = std::make_shared<HealthWatch>(service_, listener);
  SetState(ConnectivityState::kConnecting);
  if (watch_ != nullptr) backend_->Place(watch_);
}

void BackendHealth::OnServingStatus(ServingStatus status) {
  answered_ = true;
  backoff_.Reset();
  if (status == ServingStatus::kServing) return SetState(ConnectivityState::kReady);
  Fail(absl::UnavailableError(absl::StrCat("the server says ", NameOf(status))));
}

// In the next turn: if it is over because its connection was lost, the backend says so in this one.
void BackendHealth::OnWatchOver(const absl::Status& why) {
  watch_ = nullptr;
  over_ = why;
  again_.Set(environment_.loop.Now());
}

void BackendHealth::OnTimer() {
  if (!over_.has_value()) return Watch();
  const absl::Status why = *std::exchange(over_, std::nullopt);
  if (absl::IsUnimplemented(why)) {
    if (!std::exchange(environment_.told_of_no_health, true)) {
      ::fprintf(
          stderr,
          "weir: health check of \"%s\": %s does not implement grpc.health.v1.Health/Watch and counts as healthy\n",
          service_.c_str(), backend_->name().c_str());
    }
    return SetState(ConnectivityState::kReady);
  }
  // At once if it had answered (A17): it may only have been restarted.
  absl::Duration pause;
  if (!answered_) pause = backoff_.Next(std::uniform_real_distribution<double>()(environment_.random));
  again_.Set(TimeAfter(environment_.loop.Now(), pause));
  Fail(why);
}

void BackendHealth::Fail(const absl::Status& why) {
  failure_ = WithWhy(absl::UnavailableError(
                         absl::StrCat("health check of \"", service_, "\" at ", backend_->name(), ": ", why.message())),
                     Why{.by = Why::By::kPeer, .phase = Why::Phase::kConnect});
  SetState(ConnectivityState::kTransientFailure);
}

}  // namespace weir
