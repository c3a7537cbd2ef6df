#include "weir/rpc/client/balancing/policy_switch.h"

#include <utility>

#include "weir/rpc/client/balancing/policies.h"

namespace weir {

class PolicySwitch::Child final : public LoadBalancingHelper {
 public:
  Child(PolicySwitch& owner, LoadBalancingChoice choice) : owner_(owner), choice_(std::move(choice)) {}

  absl::Status Make(const LoadBalancers& own) {
    LoadBalancingHelper& helper = *this;
    absl::StatusOr<std::unique_ptr<LoadBalancingPolicy>> policy = MakePolicy(choice_, own, helper);
    if (!policy.ok()) return policy.status();
    policy_ = *std::move(policy);
    return absl::OkStatus();
  }

  const LoadBalancingChoice& choice() const { return choice_; }
  LoadBalancingPolicy& policy() { return *policy_; }
  ConnectivityState state() const { return state_; }
  void set_state(ConnectivityState state) { state_ = state; }
  // Of the one that is not in use yet.
  void Keep(std::unique_ptr<Picker> picker) { picker_ = std::move(picker); }
  bool has_picker() const { return picker_ != nullptr; }
  std::unique_ptr<Picker> TakePicker() { return std::move(picker_); }

 private:
  std::unique_ptr<Subchannel> CreateSubchannel(const ServerAddress& address, ReadyWhen ready_when,
                                               SubchannelWatcher* watcher) override {
    return owner_.helper_.CreateSubchannel(address, ready_when, watcher);
  }
  void UpdateState(ConnectivityState state, std::unique_ptr<Picker> picker) override {
    owner_.OnState(*this, state, std::move(picker));
  }
  void RequestReresolution() override {
    if (owner_.IsUsed(*this)) owner_.helper_.RequestReresolution();
  }
  transport::EventLoop& loop() override { return owner_.helper_.loop(); }
  uint32_t Random() override { return owner_.helper_.Random(); }

  PolicySwitch& owner_;
  const LoadBalancingChoice choice_;
  ConnectivityState state_ = ConnectivityState::kConnecting;
  std::unique_ptr<LoadBalancingPolicy> policy_;
  std::unique_ptr<Picker> picker_;
};

PolicySwitch::Prepared::Prepared(std::unique_ptr<Child> child) : child_(std::move(child)) {}
PolicySwitch::Prepared::Prepared(Prepared&&) = default;
PolicySwitch::Prepared::~Prepared() = default;

PolicySwitch::PolicySwitch(LoadBalancingHelper& helper, const LoadBalancers& own)
    : helper_(helper), own_(own), drop_retired_(helper.loop(), [this] { retired_.clear(); }) {}

PolicySwitch::~PolicySwitch() = default;

absl::StatusOr<PolicySwitch::Prepared> PolicySwitch::Prepare(const LoadBalancingChoice& choice) {
  const Child* const newest = next_ != nullptr ? next_.get() : current_.get();
  if (newest != nullptr && newest->choice() == choice) return Prepared(nullptr);
  auto child = std::make_unique<Child>(*this, choice);
  if (absl::Status made = child->Make(own_); !made.ok()) return made;
  return Prepared(std::move(child));
}

void PolicySwitch::Update(Prepared prepared, const std::vector<ServerAddress>& addresses) {
  if (prepared.child_ != nullptr) {
    std::unique_ptr<Child>& place = current_ == nullptr ? current_ : next_;
    if (place != nullptr) retired_.push_back(std::move(place));
    place = std::move(prepared.child_);
  }
  if (!retired_.empty()) drop_retired_.Set(helper_.loop().Now());
  Child& newest = next_ != nullptr ? *next_ : *current_;
  newest.policy().Update(addresses);
}

void PolicySwitch::ExitIdle() {
  if (current_ != nullptr) current_->policy().ExitIdle();
  if (next_ != nullptr) next_->policy().ExitIdle();
}

void PolicySwitch::Clear() {
  drop_retired_.Cancel();
  retired_.clear();
  next_.reset();
  current_.reset();
}

void PolicySwitch::OnState(Child& child, ConnectivityState state, std::unique_ptr<Picker> picker) {
  if (!IsUsed(child)) return;
  child.set_state(state);
  if (next_ == nullptr) return helper_.UpdateState(state, std::move(picker));
  if (&child == next_.get()) child.Keep(std::move(picker));
  const bool current_serves = current_->state() == ConnectivityState::kReady;
  const bool next_can = next_->state() != ConnectivityState::kConnecting;
  // What has not said anything yet is about to.
  if (next_->has_picker() && (!current_serves || next_can)) return TakeOver();
  if (&child == current_.get()) helper_.UpdateState(state, std::move(picker));
}

void PolicySwitch::TakeOver() {
  std::unique_ptr<Picker> picker = next_->TakePicker();
  retired_.push_back(std::exchange(current_, std::move(next_)));
  drop_retired_.Set(helper_.loop().Now());
  helper_.UpdateState(current_->state(), std::move(picker));
}

}  // namespace weir
