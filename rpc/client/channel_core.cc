#include "weir/rpc/client/channel_core.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/client_call.h"
#include "weir/rpc/core/deadline.h"
#include "weir/rpc/core/why.h"
#include "weir/rpc/wire/user_agent.h"

namespace weir {

ChannelCore::ChannelCore(transport::EventLoop& loop, std::string text, absl::StatusOr<Target> target,
                         ChannelOptions options, std::unique_ptr<StreamSource> source,
                         std::shared_ptr<transport::StreamSecurity> security, transport::ResolverOptions resolver)
    : loop_(loop),
      text_(std::move(text)),
      target_(std::move(target)),
      options_(std::move(options)),
      authority_(!options_.authority.empty() ? options_.authority
                 : target_.ok()              ? target_->authority
                                             : ""),
      user_agent_(wire::UserAgent(options_.user_agent_prefix)),
      source_(std::move(source)),
      security_(std::move(security)),
      resolver_(std::move(resolver)),
      attempt_timer_(loop, [this] { OnAttemptTimeout(); }),
      backoff_(options_.backoff_initial, options_.backoff_max),
      backoff_timer_(loop, [this] { OnBackoffOver(); }),
      random_(static_cast<unsigned>(loop.RandomSeed())) {}

ChannelCore::~ChannelCore() = default;

// ---- calls ----------------------------------------------------------------------------------------------------------

void ChannelCore::Place(std::shared_ptr<StreamRequest> request) {
  if (!target_.ok()) return request->OnNoStream(target_.status());
  if (state_ == State::kShutdown) {
    return request->OnNoStream(WithWhy(absl::CancelledError("the channel is closed"), Why{.by = Why::By::kCaller}));
  }
  if (state_ == State::kTransientFailure && !request->wait_for_ready()) return request->OnNoStream(CannotConnect());
  if (state_ == State::kReady && waiting_.empty() && current_->CanOpen()) {
    return current_->Open(*request, authority_, user_agent_);
  }
  waiting_.push_back(std::move(request));
  if (state_ == State::kIdle) Connect();
}

void ChannelCore::Forget(const StreamRequest& request) {
  auto it =
      std::find_if(waiting_.begin(), waiting_.end(), [&request](const auto& held) { return held.get() == &request; });
  if (it != waiting_.end()) waiting_.erase(it);
}

Why::Phase ChannelCore::WaitingPhase(const StreamRequest& request) const {
  const bool waits =
      std::any_of(waiting_.begin(), waiting_.end(), [&request](const auto& held) { return held.get() == &request; });
  if (!waits) return Why::Phase::kStart;
  if (state_ == State::kReady) return Why::Phase::kQueue;
  return query_ != nullptr ? Why::Phase::kResolve : Why::Phase::kConnect;
}

void ChannelCore::PlaceWaiting() {
  if (std::exchange(placing_, true)) return;  // a call that starts may end, and free a place, inside Open
  while (!waiting_.empty() && state_ == State::kReady && current_->CanOpen()) {
    std::shared_ptr<StreamRequest> request = std::move(waiting_.front());
    waiting_.pop_front();
    current_->Open(*request, authority_, user_agent_);
  }
  placing_ = false;
}

void ChannelCore::FailWaiting(const absl::Status& why, Patient patient) {
  // Calls made by whom we tell wait for the next attempt, or fail, on their own.
  std::deque<std::shared_ptr<StreamRequest>> failed = std::exchange(waiting_, {});
  if (patient == Patient::kWait) {
    const auto first_patient = std::stable_partition(failed.begin(), failed.end(),
                                                     [](const auto& request) { return !request->wait_for_ready(); });
    waiting_.assign(std::move_iterator(first_patient), std::move_iterator(failed.end()));
    failed.erase(first_patient, failed.end());
  }
  for (std::shared_ptr<StreamRequest>& request : failed) request->OnNoStream(why);
}

void ChannelCore::OnBackoffOver() {
  state_ = State::kIdle;
  if (!waiting_.empty()) Connect();
}

// ---- connecting -----------------------------------------------------------------------------------------------------

void ChannelCore::Connect() {
  state_ = State::kConnecting;
  attempt_timer_.Set(TimeAfter(loop_.Now(), options_.connect_timeout));
  addresses_.clear();
  next_address_ = 0;
  if (source_ != nullptr) return OnConnected(source_->Connect(loop_));
  if (!target_->unix_address.empty()) {
    absl::StatusOr<transport::SocketAddress> address = transport::SocketAddress::Parse(target_->unix_address);
    if (!address.ok()) return OnAttemptFailed(address.status());
    addresses_.push_back(*address);
    return TryNextAddress();
  }
  query_ = resolver_.Resolve(
      loop_, target_->host, target_->port,
      [this](absl::StatusOr<transport::Resolver::Addresses> addresses) { OnAddresses(std::move(addresses)); });
}

void ChannelCore::Adopt(std::unique_ptr<transport::ByteStream> stream, uint32_t first_stream_id) {
  state_ = State::kConnecting;
  attempt_timer_.Set(TimeAfter(loop_.Now(), options_.connect_timeout));
  OnConnected(std::move(stream), first_stream_id);
}

void ChannelCore::OnAddresses(absl::StatusOr<transport::Resolver::Addresses> addresses) {
  if (!addresses.ok()) return OnAttemptFailed(addresses.status());
  query_.reset();
  addresses_ = *std::move(addresses);
  TryNextAddress();
}

void ChannelCore::TryNextAddress() {
  connector_ = std::make_unique<transport::TcpConnector>(
      loop_, addresses_[next_address_++],
      [this](absl::StatusOr<std::unique_ptr<transport::ByteStream>> stream) { OnConnected(std::move(stream)); });
  connector_->Start();
}

void ChannelCore::OnConnected(absl::StatusOr<std::unique_ptr<transport::ByteStream>> stream, uint32_t first_stream_id) {
  if (!stream.ok()) {
    if (next_address_ < addresses_.size()) return TryNextAddress();
    return OnAttemptFailed(stream.status());
  }
  connector_.reset();
  if (security_ != nullptr) *stream = security_->Secure(loop_, *std::move(stream), HostOf(authority_));
  ClientConnectionOwner& owner = *this;
  current_ = std::make_unique<ClientConnection>(loop_, options_, owner, *std::move(stream),
                                                absl::StrCat("c", ++connections_made_), first_stream_id);
  if (absl::Status started = current_->Start(); !started.ok()) {
    current_.reset();
    OnAttemptFailed(started);
  }
}

void ChannelCore::OnAttemptTimeout() {
  const std::string within = absl::StrCat(" within ", absl::FormatDuration(options_.connect_timeout));
  std::string text;
  if (query_ != nullptr) {
    text = absl::StrCat("resolve \"", target_->host, "\": no answer", within);
  } else if (current_ == nullptr) {
    text = absl::StrCat("connect to ", addresses_[next_address_ - 1].ToString(), ": no answer", within);
  } else {
    text = absl::StrCat("connected to ", current_->peer(), ", which sent no SETTINGS frame", within,
                        ": does it speak HTTP/2?");
  }
  OnAttemptFailed(absl::UnavailableError(text), current_ == nullptr ? std::string_view() : current_->peer());
}

void ChannelCore::OnAttemptFailed(absl::Status reason, std::string_view peer) {
  Why why = WhyOf(reason).value_or(Why{.by = Why::By::kNetwork});
  why.phase = query_ != nullptr ? Why::Phase::kResolve : Why::Phase::kConnect;
  why.processed = Why::Processed::kNo;
  std::string text = absl::StrCat("cannot connect: ", reason.message());
  why.peer = std::string(peer);
  if (peer.empty() && next_address_ > 0) why.peer = addresses_[next_address_ - 1].ToString();
  if (next_address_ > 1) absl::StrAppend(&text, "; before it, ", next_address_ - 1, " other address(es) failed");
  last_error_ = WithWhy(absl::UnavailableError(text), why);

  attempt_timer_.Cancel();
  query_.reset();
  connector_.reset();
  addresses_.clear();
  next_address_ = 0;
  if (current_ != nullptr) {
    current_->Close(reason);
    draining_.push_back(std::move(current_));
  }
  state_ = State::kTransientFailure;
  const absl::Duration pause = backoff_.Next(std::uniform_real_distribution<double>()(random_));
  backoff_timer_.Set(TimeAfter(loop_.Now(), pause));
  FailWaiting(CannotConnect(), Patient::kWait);
}

absl::Status ChannelCore::CannotConnect() const {
  const absl::Duration pause = absl::FromChrono(backoff_timer_.due() - loop_.Now());
  const std::string text = absl::StrCat(last_error_.message(), "; next attempt in ",
                                        absl::FormatDuration(absl::Ceil(pause, absl::Milliseconds(1))));
  return WithWhy(absl::UnavailableError(text), *WhyOf(last_error_));
}

// The connection has ended or drains, and calls may still wait for a place.
void ChannelCore::ConnectAgain(const ClientConnection& last, const absl::Status& reason) {
  if (waiting_.empty()) return;
  if (last.used()) return Connect();
  // It never gave a call a place (MAX_CONCURRENT_STREAMS 0): the next one may not either, and without a pause the two of
  // us would do nothing but connect.
  OnAttemptFailed(reason, last.peer());
}

void ChannelCore::OnReady(ClientConnection& connection) {
  if (&connection != current_.get()) return;
  attempt_timer_.Cancel();
  backoff_.Reset();
  state_ = State::kReady;
}

// ---- connections ----------------------------------------------------------------------------------------------------

void ChannelCore::OnPlaceFree(ClientConnection& connection) {
  if (&connection == current_.get() && !waiting_.empty()) PlaceWaiting();
}

void ChannelCore::OnDraining(ClientConnection& connection, const absl::Status& reason) {
  if (&connection != current_.get()) return;
  draining_.push_back(std::move(current_));
  if (state_ == State::kConnecting) return OnAttemptFailed(reason, connection.peer());
  if (state_ != State::kReady) return;
  state_ = State::kIdle;
  ConnectAgain(connection, reason);
}

void ChannelCore::OnGone(ClientConnection& connection, const absl::Status& reason) {
  std::unique_ptr<ClientConnection> gone;  // freed on return
  if (&connection == current_.get()) {
    gone = std::move(current_);
    if (state_ == State::kConnecting) return OnAttemptFailed(reason, connection.peer());
    if (state_ != State::kReady) return;
    state_ = State::kIdle;
    return ConnectAgain(*gone, reason);
  }
  auto it = std::find_if(draining_.begin(), draining_.end(),
                         [&connection](const auto& held) { return held.get() == &connection; });
  if (it == draining_.end()) return;
  gone = std::move(*it);
  draining_.erase(it);
}

void ChannelCore::Shutdown() {
  const absl::Status why = WithWhy(absl::CancelledError("the channel was closed"), Why{.by = Why::By::kCaller});
  state_ = State::kShutdown;
  attempt_timer_.Cancel();
  backoff_timer_.Cancel();
  query_.reset();
  connector_.reset();
  source_.reset();
  FailWaiting(why, Patient::kFail);
  while (!replied_.empty()) {
    ClientCall& call = *replied_.back();
    replied_.pop_back();
    call.End(why);
  }
  if (current_ != nullptr) draining_.push_back(std::move(current_));
  for (auto& connection : draining_) connection->Close(why);
}

void ChannelCore::DropConnections() { draining_.clear(); }

void ChannelCore::OnInterceptorsReturned() {
  if (--calls_intercepted_ == 0 && when_no_interceptor_runs_) std::exchange(when_no_interceptor_runs_, nullptr)();
}

void ChannelCore::WhenNoInterceptorRuns(std::function<void()> done) {
  if (calls_intercepted_ == 0) return done();
  when_no_interceptor_runs_ = std::move(done);
}

size_t ChannelCore::stream_count() const {
  size_t count = current_ == nullptr ? 0 : current_->stream_count();
  for (const auto& connection : draining_) count += connection->stream_count();
  return count;
}

size_t ChannelCore::ended_stream_count() const {
  size_t count = current_ == nullptr ? 0 : current_->ended_stream_count();
  for (const auto& connection : draining_) count += connection->ended_stream_count();
  return count;
}

size_t ChannelCore::buffered_bytes() const {
  size_t bytes = current_ == nullptr ? 0 : current_->buffered_bytes();
  for (const auto& connection : draining_) bytes += connection->buffered_bytes();
  return bytes;
}

}  // namespace weir
