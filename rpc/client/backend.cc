#include "weir/rpc/client/backend.h"

#include <algorithm>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/target.h"
#include "weir/rpc/core/deadline.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/core/why.h"

namespace weir {

Backend::Backend(BackendEnvironment& environment, const transport::SocketAddress& address)
    : environment_(environment),
      address_(address),
      attempt_timer_(environment.loop, [this] { Do([this] { OnAttemptTimeout(); }); }),
      backoff_(environment.options.backoff_initial, environment.options.backoff_max),
      backoff_timer_(environment.loop, [this] { Do([this] { OnPauseOver(); }); }) {}

template <class Step>
void Backend::Do(Step step) {
  const std::shared_ptr<Backend> self = shared_from_this();
  try {
    step();
  } catch (const std::bad_alloc&) {
    environment_.owner.OnNoMemory();
  }
}

Backend::~Backend() {
  attempt_.reset();
  if (connecting_ != nullptr) {
    ClientConnection& connection = *connecting_;
    environment_.draining.Add(std::move(connecting_));
    try {
      connection.Close(absl::CancelledError("the connection is not needed any more"));
    } catch (const std::bad_alloc&) {
      connection.OnNoMemory();
    }
  }
  for (std::unique_ptr<ClientConnection>& held : connections_) {
    ClientConnection& connection = *held;
    environment_.draining.Add(std::move(held));
    connection.Drain();
  }
  if (!waiting_.empty()) environment_.owner.OnStranded(TakeWaiting());
}

void Backend::RemoveWatcher(BackendWatcher& watcher) { std::erase(watchers_, &watcher); }

// Whoever is told may let go of this, and of other watchers; or change the state again, which tells the others.
void Backend::SetState(ConnectivityState state) {
  state_ = state;
  const std::shared_ptr<Backend> self = shared_from_this();
  const std::vector<BackendWatcher*> watchers = watchers_;
  for (BackendWatcher* watcher : watchers) {
    if (state_ != state) return;
    if (std::find(watchers_.begin(), watchers_.end(), watcher) != watchers_.end()) watcher->OnBackendState(state);
  }
}

// ---- calls ----------------------------------------------------------------------------------------------------------

void Backend::Place(std::shared_ptr<StreamRequest> request) {
  if (waiting_.empty()) {
    if (ClientConnection* connection = FindPlace(); connection != nullptr) {
      return connection->Open(*request, environment_.authority, environment_.user_agent);
    }
  }
  waiting_.push_back(std::move(request));
  CountWaiting();
  ConnectIfFull();
}

// "choose the oldest connection with quota" (A105): the younger ones can then become idle.
ClientConnection* Backend::FindPlace() const {
  for (const auto& connection : connections_) {
    if (connection->CanOpen()) return connection.get();
  }
  return nullptr;
}

void Backend::PlaceWaiting() {
  if (std::exchange(placing_, true)) return;  // a call that starts may end, and free a place, inside Open
  const std::shared_ptr<Backend> self = shared_from_this();
  while (!waiting_.empty()) {
    ClientConnection* const connection = FindPlace();
    if (connection == nullptr) break;
    const std::shared_ptr<StreamRequest> request = std::move(waiting_.front());
    waiting_.pop_front();
    CountWaiting();
    try {
      connection->Open(*request, environment_.authority, environment_.user_agent);
    } catch (const std::bad_alloc&) {
      request->OnNoStream(OutOfMemory());
    }
  }
  placing_ = false;
  if (!waiting_.empty()) ConnectIfFull();
}

bool Backend::Waits(const StreamRequest& request) const {
  return std::any_of(waiting_.begin(), waiting_.end(), [&](const auto& held) { return held.get() == &request; });
}

void Backend::Forget(const StreamRequest& request) {
  std::erase_if(waiting_, [&request](const auto& held) { return held.get() == &request; });
  CountWaiting();
}

StreamRequests Backend::TakeWaiting() {
  StreamRequests taken = std::exchange(waiting_, {});
  CountWaiting();
  return taken;
}

void Backend::CountWaiting() {
  std::atomic<size_t>& all = environment_.queued_calls;
  all.store(all.load(std::memory_order_relaxed) + waiting_.size() - waiting_counted_, std::memory_order_relaxed);
  waiting_counted_ = waiting_.size();
}

size_t Backend::call_count() const {
  size_t count = waiting_.size();
  for (const auto& connection : connections_) count += connection->stream_count();
  return count;
}

// ---- connecting -----------------------------------------------------------------------------------------------------

void Backend::RequestConnection() {
  if (state_ != ConnectivityState::kIdle) return;
  Connect();
  SetState(ConnectivityState::kConnecting);
}

void Backend::ConnectIfFull() {
  const bool busy = attempt_ != nullptr || connecting_ != nullptr || backoff_timer_.IsSet();
  if (busy || state_ != ConnectivityState::kReady) return;
  if (connections_.size() < environment_.options.max_connections_per_address) Connect();
}

void Backend::Connect() {
  attempt_began_ = environment_.loop.Now();
  attempt_timer_.Set(TimeAfter(attempt_began_, std::max(environment_.options.connect_timeout, backoff_.next())));
  attempt_ = environment_.connector->Connect(
      environment_.loop, address_,
      [this](absl::StatusOr<ConnectedStream> connected) { Do([&] { OnConnected(std::move(connected)); }); });
}

void Backend::OnConnected(absl::StatusOr<ConnectedStream> connected) {
  attempt_.reset();
  if (!connected.ok()) return OnAttemptFailed(connected.status(), {});
  std::unique_ptr<transport::ByteStream> stream = std::move(connected->stream);
  if (environment_.security != nullptr) {
    stream = environment_.security->Secure(environment_.loop, std::move(stream),
                                           std::string(HostOf(environment_.authority)));
  }
  ClientConnectionOwner& owner = *this;
  connecting_ = std::make_unique<ClientConnection>(
      environment_.loop, environment_.options, environment_.keepalive_time, environment_.peer_counts, owner,
      std::move(stream), absl::StrCat("c", ++environment_.connections_made), connected->first_stream_id);
  const absl::Status started = connecting_->Start();
  if (started.ok()) return;
  connecting_.reset();
  OnAttemptFailed(started, {});
}

void Backend::OnReady(ClientConnection& connection) {
  if (&connection != connecting_.get()) return;
  Do([this] {
    attempt_timer_.Cancel();
    backoff_.Reset();
    connections_.push_back(std::move(connecting_));
    if (state_ != ConnectivityState::kReady) SetState(ConnectivityState::kReady);
    // Those that wait for a place get it when the multiplexer has seen the SETTINGS, too: OnPlaceFree.
  });
}

void Backend::OnAttemptTimeout() {
  environment_.peer_counts.Add(Timeout::kConnect);
  const std::string within =
      absl::StrCat(" within ", absl::FormatDuration(absl::FromChrono(environment_.loop.Now() - attempt_began_)));
  if (connecting_ == nullptr) {
    std::string waited_for = attempt_->WaitsFor();
    if (waited_for.empty()) waited_for = absl::StrCat("connect to ", address_.ToString(), ": no answer");
    attempt_.reset();
    return OnAttemptFailed(absl::UnavailableError(absl::StrCat(waited_for, within)), {});
  }
  const std::string peer = connecting_->peer();
  OnAttemptFailed(absl::UnavailableError(absl::StrCat("connected to ", peer, ", which sent no SETTINGS frame", within,
                                                      ": does it speak HTTP/2?")),
                  peer);
}

void Backend::OnAttemptFailed(const absl::Status& reason, std::string_view peer) {
  const std::string name(peer);  // perhaps of the connection that goes
  attempt_timer_.Cancel();
  if (connecting_ != nullptr) {
    ClientConnection& connection = *connecting_;
    environment_.draining.Add(std::move(connecting_));
    connection.Close(reason);
  }
  PauseAfter(reason, name);
}

void Backend::PauseAfter(const absl::Status& reason, std::string_view peer) {
  Why why = WhyOf(reason).value_or(Why{.by = Why::By::kNetwork});
  why.phase = Why::Phase::kConnect;
  why.processed = Why::Processed::kNo;
  why.peer = std::string(peer);
  if (peer.empty() && address_ != transport::SocketAddress()) why.peer = address_.ToString();
  failure_ = WithWhy(absl::UnavailableError(reason.message()), why);

  const std::shared_ptr<Backend> self = shared_from_this();
  // From the beginning of the attempt (connection-backoff: "SleepUntil(current_deadline)").
  const double uniform = std::uniform_real_distribution<double>()(environment_.random);
  backoff_timer_.Set(std::max(environment_.loop.Now(), TimeAfter(attempt_began_, backoff_.Next(uniform))));
  if (!connections_.empty()) return;  // it was one more
  SetState(ConnectivityState::kTransientFailure);
  if (!waiting_.empty()) environment_.owner.OnStranded(TakeWaiting());
}

void Backend::OnPauseOver() {
  if (state_ == ConnectivityState::kTransientFailure) return SetState(ConnectivityState::kIdle);
  if (!waiting_.empty()) ConnectIfFull();
}

void Backend::ResetBackoff() {
  backoff_.Reset();
  if (backoff_timer_.IsSet()) backoff_timer_.Set(environment_.loop.Now());
}

// ---- connections ----------------------------------------------------------------------------------------------------

void Backend::OnPlaceFree(ClientConnection&) {
  if (!waiting_.empty()) Do([this] { PlaceWaiting(); });
}

void Backend::OnDraining(ClientConnection& connection, const absl::Status& reason) {
  Do([&] {
    if (&connection == connecting_.get()) return OnAttemptFailed(reason, connection.peer());
    OnLost(Take(connection), reason, Calls::kGoOn);
  });
}

void Backend::OnGone(ClientConnection& connection, const absl::Status& reason) {
  Do([&] {
    if (&connection != connecting_.get()) return OnLost(Take(connection), reason, Calls::kOver);
    const std::unique_ptr<ClientConnection> gone = std::move(connecting_);  // freed on return
    OnAttemptFailed(reason, gone->peer());
  });
}

std::unique_ptr<ClientConnection> Backend::Take(ClientConnection& connection) {
  const auto it = std::find_if(connections_.begin(), connections_.end(),
                               [&connection](const auto& held) { return held.get() == &connection; });
  if (it == connections_.end()) return nullptr;
  std::unique_ptr<ClientConnection> taken = std::move(*it);
  connections_.erase(it);
  return taken;
}

void Backend::OnLost(std::unique_ptr<ClientConnection> lost, const absl::Status& reason, Calls calls) {
  if (lost == nullptr) return;
  const ClientConnection& connection = *lost;
  const bool used = connection.used();
  const bool drained = connection.was_drained();
  if (calls == Calls::kGoOn) environment_.draining.Add(std::move(lost));
  const std::string peer = connection.peer();
  if (!connections_.empty()) return ConnectIfFull();
  const bool connects = attempt_ != nullptr || connecting_ != nullptr;
  lost_unused_ = used ? 0 : lost_unused_ + 1;
  if (!connects && IsToPause(drained)) return PauseAfter(reason, peer);
  backoff_timer_.Cancel();
  SetState(connects ? ConnectivityState::kConnecting : ConnectivityState::kIdle);
  if (!waiting_.empty()) environment_.owner.OnStranded(TakeWaiting());
}

// Connections that never give a call a place (MAX_CONCURRENT_STREAMS 0, GOAWAY right behind SETTINGS) are made at the
// pace of those that fail, or the two of us would do nothing but connect. The pause is from the beginning of the
// attempt: one that has lasted for longer had its chance.
// But what breaks once need not break again; and a server may drain a connection before a call has got to it because it
// is being replaced: its successor is there already.
bool Backend::IsToPause(bool drained) const {
  constexpr int kDrainedUnusedMax = 3;
  const int free = drained ? kDrainedUnusedMax : waiting_.empty() ? 1 : 0;
  if (lost_unused_ <= free) return false;
  return !waiting_.empty() || environment_.loop.Now() < TimeAfter(attempt_began_, backoff_.next());
}

}  // namespace weir
