#include "weir/rpc/client/channel_core.h"

#include <stdio.h>

#include <algorithm>
#include <iterator>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/balancing/pickers.h"
#include "weir/rpc/client/balancing/policies.h"
#include "weir/rpc/client/client_call.h"
#include "weir/rpc/client/connect_failure.h"
#include "weir/rpc/client/connector.h"
#include "weir/rpc/client/resolving/fixed_resolver.h"
#include "weir/rpc/client/resolving/resolvers.h"
#include "weir/rpc/client/state_change.h"
#include "weir/rpc/core/deadline.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/wire/user_agent.h"

namespace weir {
namespace {

absl::Status Closed(const char* text) { return WithWhy(absl::CancelledError(text), Why{.by = Why::By::kCaller}); }

// An attempt after others, or beside them (hedging), is worth most at another server. Policies know nothing of
// attempts: they are asked again, a few times.
Pick PickElsewhere(Picker& picker, const PickRequest& asked, const StreamRequest& request) {
  constexpr int kAgainMax = 3;
  Pick pick = picker.PickFor(asked);
  for (int again = 0; again < kAgainMax; ++again) {
    if (pick.kind() != Pick::Kind::kSubchannel) break;
    if (!request.WasAt(pick.subchannel()->address().address.ToString())) break;
    pick = picker.PickFor(asked);
  }
  return pick;
}

// The target's addresses are not known.
class UnresolvedPicker final : public Picker {
 public:
  UnresolvedPicker(absl::Status reason, const transport::Timer& pause) : reason_(std::move(reason)), pause_(pause) {}

  Pick PickFor(const PickRequest& request) override {
    const absl::Duration pause = pause_.IsSet() ? absl::FromChrono(pause_.due() - request.now) : absl::ZeroDuration();
    return Pick::Fail(CannotConnect(reason_, 0, pause));
  }

 private:
  const absl::Status reason_;
  const transport::Timer& pause_;
};

// At most ten connections to an address (gRFC A105), whatever is asked for.
ChannelOptions Legal(ChannelOptions options) {
  options.max_connections_per_address = std::clamp(options.max_connections_per_address, 1u, 10u);
  return options;
}

// Of weir's own none does.
ChannelConfig::Resolver WhatGives(const absl::StatusOr<Target>& target, const ChannelOptions& options) {
  const bool own = target.ok() && options.name_resolvers.contains(target->scheme);
  return own ? ChannelConfig::Resolver::kMayGiveOne : ChannelConfig::Resolver::kGivesNone;
}

}  // namespace

// A policy's view of a backend, or of its health.
template <class Watched>
class ChannelCore::SubchannelOf final : public Subchannel, private BackendWatcher {
 public:
  SubchannelOf(std::shared_ptr<Watched> watched, const ServerAddress& address, SubchannelWatcher* watcher)
      : watched_(std::move(watched)), address_(address), watcher_(watcher) {
    watched_->AddWatcher(*this);
  }
  ~SubchannelOf() override { watched_->RemoveWatcher(*this); }

  const ServerAddress& address() const override { return address_; }
  ConnectivityState state() const override { return watched_->state(); }
  const absl::Status& failure() const override { return watched_->failure(); }
  transport::MonotonicTime pause_ends() const override { return watched_->pause_ends(); }
  void RequestConnection() override { watched_->backend().RequestConnection(); }
  size_t call_count() const override { return watched_->backend().call_count(); }
  Backend& backend() override { return watched_->backend(); }

 private:
  void OnBackendState(ConnectivityState) override {
    if (watcher_ != nullptr) watcher_->OnSubchannelState(*this);
  }

  const std::shared_ptr<Watched> watched_;
  const ServerAddress address_;
  SubchannelWatcher* const watcher_;
};

ChannelCore::ChannelCore(transport::EventLoop& loop, std::string text, absl::StatusOr<Target> target,
                         ChannelOptions options, std::unique_ptr<StreamSource> source,
                         const ChannelCredentials& credentials, transport::ResolverOptions lookups)
    : loop_(loop),
      text_(std::move(text)),
      target_(std::move(target)),
      options_(Legal(std::move(options))),
      call_credentials_(credentials.call_credentials()),
      lookups_(std::move(lookups)),
      has_source_(source != nullptr),
      config_(options_, WhatGives(target_, options_)),
      changed_(loop, [this] { OrStartOver([this] { OnChanged(); }); }),
      environment_(loop, options_, text_, *this),
      policies_(*this, options_.load_balancers),
      resolution_timer_(loop,
                        [this] { OrStartOver([this] { resolving_ ? OnResolutionTimeout() : BeginResolution(); }); }),
      resolution_backoff_(options_.backoff_initial, options_.backoff_max),
      idle_timer_(loop, [this] { OrStartOver([this] { OnIdleTimer(); }); }),
      retries_(*this) {
  retries_.Use(config_.get());
  environment_.authority = !options_.authority.empty() ? options_.authority : target_.ok() ? target_->authority : "";
  environment_.user_agent = wire::UserAgent(options_.user_agent_prefix);
  environment_.security = credentials.security();
  environment_.connector = has_source_ ? MakeSourceConnector(std::move(source)) : MakeSocketConnector();
  environment_.random.seed(static_cast<unsigned>(loop.RandomSeed()));
}

ChannelCore::~ChannelCore() = default;

// ---- calls ----------------------------------------------------------------------------------------------------------

void ChannelCore::AwaitConfig(std::shared_ptr<ClientCall> call) {
  std::shared_ptr<StreamRequest> request = call;
  if (state() == ConnectivityState::kShutdown) return request->OnNoStream(Closed("the channel is closed"));
  last_call_at_ = loop_.Now();
  if (TryPick(request)) return;
  unconfigured_.push_back(std::move(call));
  Connect();
}

void ChannelCore::BeginCalls() {
  for (std::shared_ptr<ClientCall>& call : std::exchange(unconfigured_, {})) {
    if (call->ended()) continue;  // whoever is told something may end others
    if (!config_.awaited()) {
      call->OnConfig();
      continue;
    }
    try {
      AwaitConfig(call);
    } catch (const std::bad_alloc&) {
      call->End(OutOfMemory());
    }
  }
}

void ChannelCore::PlaceByPick(std::shared_ptr<StreamRequest> request) {
  if (!target_.ok()) return request->OnNoStream(target_.status());
  if (state() == ConnectivityState::kShutdown) return request->OnNoStream(Closed("the channel is closed"));
  if (TryPick(request)) return;
  waiting_.push_back(std::move(request));
  Connect();
}

bool ChannelCore::TryPick(std::shared_ptr<StreamRequest>& request) {
  const std::shared_ptr<Picker> picker = picker_;  // it may ask for a connection, which may bring another one
  if (picker == nullptr) return false;
  wire::RequestHead head;
  request->DescribeTo(&head);
  const PickRequest asked{.path = head.path, .metadata = head.metadata, .now = loop_.Now()};
  Pick pick = request->is_repeated() ? PickElsewhere(*picker, asked, *request) : picker->PickFor(asked);
  switch (pick.kind()) {
    case Pick::Kind::kSubchannel:
      if (pick.subchannel()->state() != ConnectivityState::kReady) return false;
      if (auto watcher = pick.TakeWatcher(); watcher != nullptr) request->OnPicked(std::move(watcher));
      pick.subchannel()->backend().Place(std::move(request));
      return true;
    case Pick::Kind::kQueue:
      return false;
    case Pick::Kind::kFail:
      if (request->wait_for_ready()) return false;
      [[fallthrough]];
    case Pick::Kind::kDrop:
      request->OnNoStream(pick.status());
      return true;
  }
  return false;
}

void ChannelCore::PlaceWaiting() {
  if (!picking_.empty()) return;  // whoever is told something may end others, and make new calls
  const auto self = shared_from_this();
  picking_.swap(waiting_);
  for (size_t kept = 0; !picking_.empty();) {
    std::shared_ptr<StreamRequest> request = std::move(picking_.front());
    picking_.pop_front();
    const std::shared_ptr<StreamRequest> held = request;  // TryPick gives it away
    try {
      if (TryPick(request)) continue;
      // Before those that have come meanwhile.
      waiting_.insert(waiting_.begin() + static_cast<ptrdiff_t>(std::min(kept++, waiting_.size())), held);
    } catch (const std::bad_alloc&) {
      held->OnNoStream(OutOfMemory());
    }
  }
  if (!waiting_.empty()) Connect();
}

void ChannelCore::Forget(const StreamRequest& request) {
  const auto is_it = [&request](const auto& held) { return held.get() == &request; };
  if (std::erase_if(unconfigured_, is_it) > 0) return;
  if (std::erase_if(waiting_, is_it) > 0 || std::erase_if(picking_, is_it) > 0) return;
  for (const std::shared_ptr<Backend>& backend : Backends()) backend->Forget(request);
}

bool ChannelCore::WaitsForPicker(const StreamRequest& request) const {
  const auto is_it = [&request](const auto& held) { return held.get() == &request; };
  return std::any_of(waiting_.begin(), waiting_.end(), is_it) || std::any_of(picking_.begin(), picking_.end(), is_it);
}

Why::Phase ChannelCore::WaitingPhase(const StreamRequest& request) const {
  const auto is_it = [&request](const auto& held) { return held.get() == &request; };
  if (std::any_of(unconfigured_.begin(), unconfigured_.end(), is_it)) return Why::Phase::kResolve;
  if (WaitsForPicker(request)) return policies_.empty() && !has_source_ ? Why::Phase::kResolve : Why::Phase::kConnect;
  const std::vector<std::shared_ptr<Backend>> backends = Backends();
  const bool queued =
      std::any_of(backends.begin(), backends.end(), [&](const auto& backend) { return backend->Waits(request); });
  return queued ? Why::Phase::kQueue : Why::Phase::kStart;
}

std::string ChannelCore::WaitingReason(const StreamRequest& request) const {
  const auto is_it = [&request](const auto& held) { return held.get() == &request; };
  const bool waits = WaitsForPicker(request) || std::any_of(unconfigured_.begin(), unconfigured_.end(), is_it);
  if (!waits || picker_ == nullptr || state() != ConnectivityState::kTransientFailure) return "";
  const std::shared_ptr<Picker> picker = picker_;
  wire::RequestHead head;
  request.DescribeTo(&head);
  const Pick pick = picker->PickFor(PickRequest{.path = head.path, .metadata = head.metadata, .now = loop_.Now()});
  return pick.kind() == Pick::Kind::kFail ? absl::StrCat("; ", pick.status().message()) : "";
}

void ChannelCore::OnStranded(StreamRequests requests) {
  waiting_.insert(waiting_.begin(), std::move_iterator(requests.begin()), std::move_iterator(requests.end()));
  if (state() != ConnectivityState::kShutdown) changed_.Set(loop_.Now());
}

void ChannelCore::FailWaiting(const absl::Status& why) {
  for (const std::shared_ptr<Backend>& backend : Backends()) OnStranded(backend->TakeWaiting());
  waiting_.insert(waiting_.end(), unconfigured_.begin(), unconfigured_.end());
  unconfigured_.clear();
  for (StreamRequests* requests : {&picking_, &waiting_}) {
    while (!requests->empty()) {
      const std::shared_ptr<StreamRequest> request = std::move(requests->front());
      requests->pop_front();
      request->OnNoStream(why);
    }
  }
}

// ---- state ----------------------------------------------------------------------------------------------------------

void ChannelCore::SetState(ConnectivityState state, std::shared_ptr<Picker> picker) {
  state_.store(state, std::memory_order_relaxed);
  Subchannel* const always = picker == nullptr ? nullptr : picker->always();
  always_ = always == nullptr ? nullptr : &always->backend();
  picker_.swap(picker);
  changed_.Set(loop_.Now());
}

void ChannelCore::OnNoMemory() noexcept {
  start_over_ = true;
  changed_.Set(loop_.Now());
}

template <class Step>
void ChannelCore::OrStartOver(Step step) {
  const auto self = weak_from_this().lock();  // null while it is being made or destroyed
  try {
    step();
  } catch (const std::bad_alloc&) {
    OnNoMemory();
  }
}

void ChannelCore::OnChanged() {
  const auto self = shared_from_this();
  if (std::exchange(start_over_, false) && state() != ConnectivityState::kShutdown) EnterIdle();
  const std::vector<StateChangeOperation*> watchers = state_watchers_;
  for (StateChangeOperation* watcher : watchers) {
    const bool watches = std::find(state_watchers_.begin(), state_watchers_.end(), watcher) != state_watchers_.end();
    if (!watches || watcher->from() == state()) continue;
    ForgetState(*watcher);
    watcher->OnState(state());
  }
  if (state() == ConnectivityState::kShutdown) return;
  if (!unconfigured_.empty()) BeginCalls();
  if (!waiting_.empty()) PlaceWaiting();
}

void ChannelCore::Connect() {
  if (!target_.ok() || state() != ConnectivityState::kIdle) return;
  OrStartOver([this] {
    if (resolver_ == nullptr) return ExitIdle();
    policies_.ExitIdle();
  });
}

void ChannelCore::ResetConnectBackoff() {
  for (const std::shared_ptr<Backend>& backend : Backends()) backend->ResetBackoff();
  resolution_backoff_.Reset();
  if (!resolving_ && resolution_timer_.IsSet()) resolution_timer_.Set(loop_.Now());
}

void ChannelCore::ExitIdle() {
  const NameResolverArgs args{.target = *target_, .options = options_, .loop = loop_, .listener = *this};
  if (has_source_ && !options_.name_resolvers.contains(target_->scheme)) {
    resolver_ = std::make_unique<FixedResolver>(args, std::vector<ServerAddress>(1));
  } else {
    resolver_ = MakeResolver(args, lookups_);
  }
  SetState(ConnectivityState::kConnecting, nullptr);
  if (options_.idle_timeout != absl::InfiniteDuration()) {
    idle_timer_.Set(TimeAfter(loop_.Now(), options_.idle_timeout));
  }
  resolving_ = true;
  resolution_timer_.Set(TimeAfter(loop_.Now(), options_.connect_timeout));
  resolver_->Start();
}

void ChannelCore::OnIdleTimer() {
  const bool busy = waiting_count() + stream_count() > health_watch_count();
  const transport::MonotonicTime due = TimeAfter(busy ? loop_.Now() : last_call_at_, options_.idle_timeout);
  if (due > loop_.Now()) return idle_timer_.Set(due);
  EnterIdle();
}

void ChannelCore::EnterIdle() {
  SetState(ConnectivityState::kIdle, nullptr);
  DropPolicy();
  config_.Forget();
}

void ChannelCore::DropPolicy() {
  idle_timer_.Cancel();
  resolution_timer_.Cancel();
  resolving_ = false;
  policies_.Clear();
  resolver_.reset();
}

// ---- addresses ------------------------------------------------------------------------------------------------------

void ChannelCore::BeginResolution() {
  resolving_ = true;
  resolution_timer_.Set(TimeAfter(loop_.Now(), options_.connect_timeout));
  resolver_->RequestReresolution();
}

void ChannelCore::OnResolutionTimeout() {
  const std::string& name = target_->host.empty() ? text_ : target_->host;
  OnResolutionFailed(absl::UnavailableError(
      absl::StrCat("resolve \"", name, "\": no answer within ", absl::FormatDuration(options_.connect_timeout))));
}

void ChannelCore::OnResolution(absl::StatusOr<Resolution> resolution) {
  OrStartOver([&] { TakeResolution(std::move(resolution)); });
}

void ChannelCore::TakeResolution(absl::StatusOr<Resolution> resolution) {
  if (!resolution.ok()) return OnResolutionFailed(resolution.status());
  if (resolution->addresses.empty()) {
    return OnResolutionFailed(absl::UnavailableError(absl::StrCat("resolve \"", text_, "\": there is no address")));
  }
  const ServiceConfigResult found = config_.Choose(resolution->service_config);
  const absl::Status used = found.ok() ? Use(*found, resolution->addresses) : found.status();
  if (used.ok()) return config_error_.clear();
  const ServiceConfigResult instead = config_.Instead(used);
  if (!instead.ok() || !Use(*instead, resolution->addresses).ok()) {
    return OnResolutionFailed(absl::UnavailableError(used.message()));
  }
  // Nobody else would hear of it.
  if (std::exchange(config_error_, std::string(used.message())) == used.message()) return;
  ::fprintf(stderr, "weir: %s: %s; what counted before it still does\n", text_.c_str(), config_error_.c_str());
}

absl::Status ChannelCore::Use(const std::shared_ptr<const ServiceConfig>& config,
                              const std::vector<ServerAddress>& addresses) {
  absl::StatusOr<LoadBalancingChoice> choice = config_.LoadBalancingOf(config.get());
  if (!choice.ok()) return choice.status();
  absl::StatusOr<PolicySwitch::Prepared> prepared = policies_.Prepare(*choice);
  if (!prepared.ok()) return prepared.status();
  config_.Use(config);
  retries_.Use(config_.get());
  resolving_ = false;
  resolution_timer_.Cancel();
  resolution_backoff_.Reset();
  changed_.Set(loop_.Now());
  policies_.Update(*std::move(prepared), addresses);
  return absl::OkStatus();
}

void ChannelCore::OnResolutionFailed(const absl::Status& why) {
  resolving_ = false;
  const double uniform = std::uniform_real_distribution<double>()(environment_.random);
  resolution_timer_.Set(TimeAfter(loop_.Now(), resolution_backoff_.Next(uniform)));
  if (!policies_.empty()) return;  // the addresses that are known stay in use
  Why known = WhyOf(why).value_or(Why{.by = Why::By::kNetwork});
  known.phase = Why::Phase::kResolve;
  SetState(ConnectivityState::kTransientFailure,
           std::make_shared<UnresolvedPicker>(WithWhy(why, known), resolution_timer_));
}

// ---- the policy -----------------------------------------------------------------------------------------------------

std::shared_ptr<Backend> ChannelCore::BackendFor(const transport::SocketAddress& address) {
  std::weak_ptr<Backend>& known = backends_[address.ToString()];
  if (std::shared_ptr<Backend> backend = known.lock()) return backend;
  auto backend = std::make_shared<Backend>(environment_, address);
  known = backend;
  std::erase_if(backends_, [](const auto& entry) { return entry.second.expired(); });
  return backend;
}

std::shared_ptr<BackendHealth> ChannelCore::HealthOf(const std::shared_ptr<Backend>& backend,
                                                     const std::string& service) {
  std::weak_ptr<BackendHealth>& known = healths_[{backend->name(), service}];
  if (std::shared_ptr<BackendHealth> health = known.lock()) return health;
  auto health = std::make_shared<BackendHealth>(environment_, backend, service);
  known = health;
  std::erase_if(healths_, [](const auto& entry) { return entry.second.expired(); });
  return health;
}

std::unique_ptr<Subchannel> ChannelCore::CreateSubchannel(const ServerAddress& address, ReadyWhen ready_when,
                                                          SubchannelWatcher* watcher) {
  const std::shared_ptr<Backend> backend = BackendFor(address.address);
  const ServiceConfig* config = config_.get();
  const bool checked = ready_when == ReadyWhen::kHealthy && options_.enable_health_checks && config != nullptr &&
                       config->health_check_service.has_value();
  if (!checked) return std::make_unique<SubchannelOf<Backend>>(backend, address, watcher);
  return std::make_unique<SubchannelOf<BackendHealth>>(HealthOf(backend, *config->health_check_service), address,
                                                       watcher);
}

void ChannelCore::UpdateState(ConnectivityState state, std::unique_ptr<Picker> picker) {
  SetState(state, std::move(picker));
}

void ChannelCore::RequestReresolution() {
  if (resolver_ != nullptr && !resolution_timer_.IsSet()) resolver_->RequestReresolution();
}

uint32_t ChannelCore::Random() { return std::uniform_int_distribution<uint32_t>()(environment_.random); }

// ---- the end --------------------------------------------------------------------------------------------------------

void ChannelCore::Adopt(std::unique_ptr<transport::ByteStream> stream, uint32_t first_stream_id) {
  environment_.connector =
      MakeAdoptingConnector(ConnectedStream{.stream = std::move(stream), .first_stream_id = first_stream_id},
                            std::move(environment_.connector));
  Connect();
}

void ChannelCore::Shutdown() {
  const absl::Status why = Closed("the channel was closed");
  SetState(ConnectivityState::kShutdown, nullptr);
  FailWaiting(why);
  DropPolicy();
  retries_.Shutdown(why);
  while (!replied_.empty()) {
    ClientCall& call = *replied_.back();
    replied_.pop_back();
    call.End(why);
  }
  environment_.draining.CloseAll(why);
}

void ChannelCore::DropConnections() { environment_.draining.DropAll(); }

void ChannelCore::OnInterceptorsReturned() {
  if (--calls_intercepted_ == 0 && when_no_interceptor_runs_) std::exchange(when_no_interceptor_runs_, nullptr)();
}

void ChannelCore::WhenNoInterceptorRuns(std::function<void()> done) {
  if (calls_intercepted_ == 0) return done();
  when_no_interceptor_runs_ = std::move(done);
}

// ---- what there is --------------------------------------------------------------------------------------------------

std::vector<std::shared_ptr<Backend>> ChannelCore::Backends() const {
  std::vector<std::shared_ptr<Backend>> backends;
  for (const auto& [address, weak] : backends_) {
    if (std::shared_ptr<Backend> backend = weak.lock()) backends.push_back(std::move(backend));
  }
  return backends;
}

template <class Measure>
size_t ChannelCore::SumOverConnections(Measure measure) const {
  size_t sum = 0;
  environment_.draining.ForEach([&](const ClientConnection& connection) { sum += measure(connection); });
  for (const std::shared_ptr<Backend>& backend : Backends()) {
    for (const auto& connection : backend->connections()) sum += measure(*connection);
  }
  return sum;
}

size_t ChannelCore::waiting_count() const {
  size_t count = unconfigured_.size() + waiting_.size() + picking_.size() + retries_.waiting_count();
  for (const std::shared_ptr<Backend>& backend : Backends()) count += backend->waiting_count();
  return count;
}

size_t ChannelCore::stream_count() const {
  return SumOverConnections([](const ClientConnection& connection) { return connection.stream_count(); });
}

size_t ChannelCore::health_watch_count() const {
  return static_cast<size_t>(std::count_if(healths_.begin(), healths_.end(), [](const auto& entry) {
    const std::shared_ptr<BackendHealth> health = entry.second.lock();
    return health != nullptr && health->watches();
  }));
}

size_t ChannelCore::ended_stream_count() const {
  return SumOverConnections([](const ClientConnection& connection) { return connection.ended_stream_count(); });
}

size_t ChannelCore::buffered_bytes() const {
  return SumOverConnections([](const ClientConnection& connection) { return connection.buffered_bytes(); });
}

}  // namespace weir
