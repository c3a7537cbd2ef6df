#include "weir/rpc/client/balancing/spread.h"

#include <algorithm>
#include <utility>

#include "weir/rpc/client/balancing/pickers.h"

namespace weir {

class Spread::Member final : private SubchannelWatcher {
 public:
  Member(Spread& policy, const ServerAddress& address)
      : policy_(policy), subchannel_(policy.helper_.CreateSubchannel(address, ReadyWhen::kHealthy, this)) {}

  Subchannel& subchannel() { return *subchannel_; }
  ConnectivityState state() const { return subchannel_->state(); }

  bool failed = false;  // and not ready since

 private:
  void OnSubchannelState(Subchannel&) override { policy_.OnState(*this); }

  Spread& policy_;
  const std::unique_ptr<Subchannel> subchannel_;
};

Spread::Spread(LoadBalancingHelper& helper) : helper_(helper) {}
Spread::~Spread() = default;

void Spread::Update(const std::vector<ServerAddress>& addresses) {
  std::vector<std::unique_ptr<Member>> members;
  for (const ServerAddress& address : addresses) {
    const auto same = [&](const auto& member) { return member->subchannel().address().address == address.address; };
    if (std::any_of(members.begin(), members.end(), same)) continue;
    members.push_back(std::make_unique<Member>(*this, address));
    const auto before = std::find_if(members_.begin(), members_.end(), same);
    if (before != members_.end()) members.back()->failed = (*before)->failed;
  }
  // What they have connected to stays, by the subchannels of the new ones. They go when nothing is picked from them.
  members.swap(members_);
  for (const auto& member : members_) member->subchannel().RequestConnection();
  Report();
}

void Spread::OnState(Member& member) {
  switch (member.state()) {
    case ConnectivityState::kReady:
      member.failed = false;
      break;
    case ConnectivityState::kTransientFailure:
      member.failed = true;
      last_failure_ = member.subchannel().failure();
      helper_.RequestReresolution();
      break;
    case ConnectivityState::kIdle:  // lost, or its pause is over
      if (!member.failed) helper_.RequestReresolution();
      return member.subchannel().RequestConnection();  // kConnecting comes here again
    case ConnectivityState::kConnecting:
    case ConnectivityState::kShutdown:
      break;
  }
  Report();
}

void Spread::Report() {
  std::vector<Subchannel*> ready;
  std::vector<const Subchannel*> all;
  bool connecting = false;
  for (const auto& member : members_) {
    all.push_back(&member->subchannel());
    if (member->state() == ConnectivityState::kReady) ready.push_back(&member->subchannel());
    if (member->state() == ConnectivityState::kTransientFailure && !std::exchange(member->failed, true)) {
      last_failure_ = member->subchannel().failure();
    }
    connecting |= !member->failed;
  }
  if (!ready.empty()) return helper_.UpdateState(ConnectivityState::kReady, MakePicker(ready));
  if (connecting) return helper_.UpdateState(ConnectivityState::kConnecting, std::make_unique<QueuePicker>());
  helper_.UpdateState(ConnectivityState::kTransientFailure,
                      std::make_unique<FailurePicker>(last_failure_, std::move(all)));
}

}  // namespace weir
