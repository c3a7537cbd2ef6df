#include "weir/rpc/client/balancing/pick_first.h"

#include <algorithm>
#include <utility>

#include "weir/rpc/client/balancing/pickers.h"
#include "weir/rpc/client/balancing/read_config.h"

namespace weir {

class PickFirst::Candidate final : private SubchannelWatcher {
 public:
  Candidate(PickFirst& policy, const ServerAddress& address)
      : policy_(policy), subchannel_(policy.helper_.CreateSubchannel(address, ReadyWhen::kConnected, this)) {}

  Subchannel& subchannel() { return *subchannel_; }
  ConnectivityState state() const { return subchannel_->state(); }

  bool failed = false;  // in this pass

 private:
  void OnSubchannelState(Subchannel&) override { policy_.OnState(*this); }

  PickFirst& policy_;
  const std::unique_ptr<Subchannel> subchannel_;
};

absl::StatusOr<std::unique_ptr<LoadBalancingPolicy>> MakePickFirst(LoadBalancingHelper& helper,
                                                                   const JsonValue& config) {
  const PolicyConfig read("pick_first", config);
  const bool shuffle = read.fields().Bool("shuffleAddressList").value_or(false);
  if (!read.status().ok()) return read.status();
  return std::make_unique<PickFirst>(helper, shuffle ? PickFirst::Order::kShuffled : PickFirst::Order::kAsGiven);
}

std::vector<ServerAddress> InterleaveFamilies(std::vector<ServerAddress> addresses) {
  if (addresses.empty()) return addresses;
  const int first_family = addresses.front().address.family();
  const auto others = std::stable_partition(addresses.begin(), addresses.end(), [&](const ServerAddress& address) {
    return address.address.family() == first_family;
  });
  std::vector<ServerAddress> taking_turns;
  auto first = addresses.begin();
  auto other = others;
  while (first != others || other != addresses.end()) {
    if (first != others) taking_turns.push_back(std::move(*first++));
    if (other != addresses.end()) taking_turns.push_back(std::move(*other++));
  }
  return taking_turns;
}

PickFirst::PickFirst(LoadBalancingHelper& helper, Order order)
    : helper_(helper), order_(order), delay_(helper.loop(), [this] { TryNext(); }) {}

PickFirst::~PickFirst() = default;

void PickFirst::Update(const std::vector<ServerAddress>& addresses) {
  addresses_ = addresses;
  if (order_ == Order::kShuffled) {
    for (size_t left = addresses_.size(); left > 1; --left) {
      std::swap(addresses_[left - 1], addresses_[helper_.Random() % left]);
    }
  }
  addresses_ = InterleaveFamilies(std::move(addresses_));
  if (!idle_) BeginPass(MakeCandidates());
}

void PickFirst::ExitIdle() {
  if (!idle_) return;
  idle_ = false;
  BeginPass(MakeCandidates());
}

PickFirst::Candidates PickFirst::MakeCandidates() {
  Candidates candidates;
  for (const ServerAddress& address : addresses_) {
    const bool known = std::any_of(candidates.begin(), candidates.end(), [&](const auto& candidate) {
      return candidate->subchannel().address().address == address.address;
    });
    if (!known) candidates.push_back(std::make_unique<Candidate>(*this, address));
  }
  return candidates;
}

// Those of the pass before go when the channel does not pick them any more; what they have connected to goes on with
// the new ones.
void PickFirst::BeginPass(Candidates candidates) {
  const Candidates old = std::exchange(candidates_, std::move(candidates));
  selected_ = nullptr;
  tried_ = 0;
  pass_over_ = false;
  for (const auto& candidate : candidates_) {
    if (candidate->state() == ConnectivityState::kReady) return Select(*candidate);
  }
  Report();
  TryNext();
}

void PickFirst::TryNext() {
  while (tried_ < candidates_.size()) {
    Candidate& candidate = *candidates_[tried_++];
    if (candidate.state() == ConnectivityState::kTransientFailure) {
      candidate.failed = true;
      last_failure_ = candidate.subchannel().failure();
      continue;
    }
    if (tried_ < candidates_.size()) delay_.Set(helper_.loop().Now() + kAttemptDelay);
    return candidate.subchannel().RequestConnection();
  }
  const bool all_failed =
      std::all_of(candidates_.begin(), candidates_.end(), [](const auto& candidate) { return candidate->failed; });
  if (!all_failed || pass_over_) return;
  // "report TRANSIENT_FAILURE, request re-resolution, and from then on try each address at its own pace" (A61).
  delay_.Cancel();
  pass_over_ = true;
  failed_ = true;
  Report();
  helper_.RequestReresolution();
  for (size_t i = 0; i < candidates_.size() && pass_over_; ++i) candidates_[i]->subchannel().RequestConnection();
}

void PickFirst::OnState(Candidate& candidate) {
  if (idle_) return;
  if (&candidate == selected_) return OnSelectedLost(candidate.state());
  switch (candidate.state()) {
    case ConnectivityState::kReady:
      return Select(candidate);
    case ConnectivityState::kTransientFailure:
      return OnFailed(candidate);
    case ConnectivityState::kIdle:
      if (pass_over_) candidate.subchannel().RequestConnection();
      return;
    case ConnectivityState::kConnecting:
    case ConnectivityState::kShutdown:
      return;
  }
}

void PickFirst::OnFailed(Candidate& candidate) {
  candidate.failed = true;
  last_failure_ = candidate.subchannel().failure();
  if (!pass_over_) return TryNext();
  Report();
  if (++failures_ < candidates_.size()) return;
  failures_ = 0;
  helper_.RequestReresolution();
}

void PickFirst::Select(Candidate& candidate) {
  delay_.Cancel();
  selected_ = &candidate;
  failed_ = false;
  failures_ = 0;
  helper_.UpdateState(ConnectivityState::kReady, std::make_unique<OnePicker>(candidate.subchannel()));
  std::erase_if(candidates_, [&candidate](const auto& held) { return held.get() != &candidate; });
}

void PickFirst::OnSelectedLost(ConnectivityState state) {
  helper_.RequestReresolution();
  if (state != ConnectivityState::kIdle) return BeginPass(MakeCandidates());
  idle_ = true;
  helper_.UpdateState(ConnectivityState::kIdle, std::make_unique<QueuePicker>());
}

void PickFirst::Report() {
  if (!failed_) return helper_.UpdateState(ConnectivityState::kConnecting, std::make_unique<QueuePicker>());
  std::vector<const Subchannel*> all;
  for (const auto& candidate : candidates_) all.push_back(&candidate->subchannel());
  helper_.UpdateState(ConnectivityState::kTransientFailure,
                      std::make_unique<FailurePicker>(last_failure_, std::move(all)));
}

}  // namespace weir
