#include "weir/rpc/client/balancing/outlier_detection.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/balancing/outlier_config.h"
#include "weir/rpc/client/balancing/outlier_sweep.h"
#include "weir/rpc/client/balancing/policy_switch.h"
#include "weir/rpc/core/deadline.h"
#include "weir/rpc/core/why.h"
#include "weir/transport/io/event_loop.h"

namespace weir {
namespace {

class WatchedSubchannel;

// One address: what its calls came to, and who uses it.
struct Host {
  OutlierRecord record;
  std::vector<WatchedSubchannel*> subchannels;
  absl::Status why;  // it is ejected
  transport::MonotonicTime ejection_ends{};
};

class WatchedSubchannel final : public Subchannel, private SubchannelWatcher {
 public:
  // `host` null: it is not watched.
  WatchedSubchannel(LoadBalancingHelper& helper, const ServerAddress& address, ReadyWhen ready_when,
                    SubchannelWatcher* watcher, std::shared_ptr<Host> host)
      : watcher_(watcher), host_(std::move(host)), inner_(helper.CreateSubchannel(address, ready_when, this)) {
    if (host_ != nullptr) host_->subchannels.push_back(this);
  }
  ~WatchedSubchannel() override {
    if (host_ != nullptr) std::erase(host_->subchannels, this);
  }

  const std::shared_ptr<Host>& host() const { return host_; }
  // It has been ejected, or has come back.
  void Tell() {
    if (watcher_ != nullptr) watcher_->OnSubchannelState(*this);
  }

  const ServerAddress& address() const override { return inner_->address(); }
  ConnectivityState state() const override {
    return ejected() ? ConnectivityState::kTransientFailure : inner_->state();
  }
  const absl::Status& failure() const override { return ejected() ? host_->why : inner_->failure(); }
  transport::MonotonicTime pause_ends() const override {
    return ejected() ? host_->ejection_ends : inner_->pause_ends();
  }
  void RequestConnection() override { inner_->RequestConnection(); }
  size_t call_count() const override { return inner_->call_count(); }
  Backend& backend() override { return inner_->backend(); }

 private:
  bool ejected() const { return host_ != nullptr && host_->record.ejected_at.has_value(); }
  void OnSubchannelState(Subchannel&) override {
    if (!ejected()) Tell();
  }

  SubchannelWatcher* const watcher_;
  const std::shared_ptr<Host> host_;
  const std::unique_ptr<Subchannel> inner_;
};

class CountedCall final : public CallWatcher {
 public:
  explicit CountedCall(std::shared_ptr<Host> host) : host_(std::move(host)) {}

  void OnCallEnd(const absl::Status& status) override {
    CallCounts& counts = host_->record.current;
    ++(status.ok() ? counts.successes : counts.failures);
  }

 private:
  const std::shared_ptr<Host> host_;
};

class CountingPicker final : public Picker {
 public:
  explicit CountingPicker(std::unique_ptr<Picker> child) : child_(std::move(child)) {}

  Pick PickFor(const PickRequest& request) override {
    Pick pick = child_->PickFor(request);
    if (pick.kind() != Pick::Kind::kSubchannel) return pick;
    // All subchannels of the child are ours.
    const std::shared_ptr<Host>& host = static_cast<WatchedSubchannel*>(pick.subchannel())->host();
    if (host == nullptr) return pick;
    return Pick::Use(*pick.subchannel(), std::make_unique<CountedCall>(host));
  }

 private:
  const std::unique_ptr<Picker> child_;
};

class OutlierDetection final : public LoadBalancingPolicy, private LoadBalancingHelper {
 public:
  OutlierDetection(LoadBalancingHelper& helper, OutlierConfig config, const LoadBalancers& own)
      : helper_(helper), config_(std::move(config)), sweep_(helper.loop(), [this] { Sweep(); }), child_(*this, own) {}

  // Once, first.
  absl::Status MakeChild() {
    absl::StatusOr<PolicySwitch::Prepared> made = child_.Prepare(config_.child);
    if (!made.ok()) return made.status();
    made_child_.emplace(*std::move(made));
    return absl::OkStatus();
  }

  void Update(const std::vector<ServerAddress>& addresses) override;
  void ExitIdle() override { child_.ExitIdle(); }

 private:
  void Sweep();
  void Explain(const std::string& address, Host& host) const;
  void Tell(const Host& host);

  // LoadBalancingHelper
  std::unique_ptr<Subchannel> CreateSubchannel(const ServerAddress& address, ReadyWhen ready_when,
                                               SubchannelWatcher* watcher) override;
  void UpdateState(ConnectivityState state, std::unique_ptr<Picker> picker) override;
  void RequestReresolution() override { helper_.RequestReresolution(); }
  transport::EventLoop& loop() override { return helper_.loop(); }
  uint32_t Random() override { return helper_.Random(); }

  LoadBalancingHelper& helper_;
  const OutlierConfig config_;
  std::map<std::string, std::shared_ptr<Host>> hosts_;  // by address; in order, as chance has its part in what follows
  transport::Timer sweep_;
  PolicySwitch child_;
  std::optional<PolicySwitch::Prepared> made_child_;  // until the first addresses
};

void OutlierDetection::Update(const std::vector<ServerAddress>& addresses) {
  std::map<std::string, std::shared_ptr<Host>> hosts;
  for (const ServerAddress& address : addresses) {
    const std::string name = address.address.ToString();
    const auto known = hosts_.find(name);
    hosts.emplace(name, known != hosts_.end() ? known->second : std::make_shared<Host>());
  }
  hosts_.swap(hosts);
  if (config_.detects() && !sweep_.IsSet()) sweep_.Set(TimeAfter(loop().Now(), config_.interval));
  // Of the same choice none is made anew.
  if (!made_child_.has_value()) made_child_.emplace(*child_.Prepare(config_.child));
  child_.Update(*std::exchange(made_child_, std::nullopt), addresses);
}

std::unique_ptr<Subchannel> OutlierDetection::CreateSubchannel(const ServerAddress& address, ReadyWhen ready_when,
                                                               SubchannelWatcher* watcher) {
  const auto host = hosts_.find(address.address.ToString());
  const bool watched = config_.detects() && ready_when == ReadyWhen::kHealthy && host != hosts_.end();
  return std::make_unique<WatchedSubchannel>(helper_, address, ready_when, watcher, watched ? host->second : nullptr);
}

void OutlierDetection::UpdateState(ConnectivityState state, std::unique_ptr<Picker> picker) {
  const bool counts = config_.detects() && state == ConnectivityState::kReady && picker->always() == nullptr;
  if (counts) picker = std::make_unique<CountingPicker>(std::move(picker));
  helper_.UpdateState(state, std::move(picker));
}

void OutlierDetection::Sweep() {
  const transport::MonotonicTime now = loop().Now();
  sweep_.Set(TimeAfter(now, config_.interval));
  std::vector<OutlierRecord*> records;
  std::vector<std::pair<std::shared_ptr<Host>, bool>> before;  // and whether it was ejected
  for (const auto& [name, host] : hosts_) {
    records.push_back(&host->record);
    before.emplace_back(host, host->record.ejected_at.has_value());
  }
  SweepOutliers(config_, records, now, [this] { return helper_.Random(); });
  // First all of them, as whoever is told may look at the others.
  for (const auto& [name, host] : hosts_) {
    if (host->record.ejected_at == now) Explain(name, *host);
  }
  for (const auto& [host, was_ejected] : before) {
    if (host->record.ejected_at.has_value() != was_ejected) Tell(*host);
  }
}

void OutlierDetection::Explain(const std::string& address, Host& host) const {
  const OutlierRecord& record = host.record;
  host.ejection_ends = EjectionEnds(record, config_);
  host.why =
      WithWhy(absl::UnavailableError(absl::StrCat("outlier detection has ejected ", address, ": ", record.last.failures,
                                                  " of ", record.last.total(), " calls failed")),
              Why{.by = Why::By::kPeer, .phase = Why::Phase::kConnect});
}

// Whoever is told may make other subchannels, and let go of these.
void OutlierDetection::Tell(const Host& host) {
  const std::vector<WatchedSubchannel*> subchannels = host.subchannels;
  for (WatchedSubchannel* subchannel : subchannels) {
    const auto& held = host.subchannels;
    if (std::find(held.begin(), held.end(), subchannel) != held.end()) subchannel->Tell();
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<LoadBalancingPolicy>> MakeOutlierDetection(LoadBalancingHelper& helper,
                                                                          const JsonValue& config,
                                                                          const LoadBalancers& own) {
  absl::StatusOr<OutlierConfig> read = ReadOutlierConfig(config, own);
  if (!read.ok()) return read.status();
  auto policy = std::make_unique<OutlierDetection>(helper, *std::move(read), own);
  if (absl::Status made = policy->MakeChild(); !made.ok()) return made;
  return policy;
}

}  // namespace weir
