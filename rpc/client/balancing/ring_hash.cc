#include "weir/rpc/client/balancing/ring_hash.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weir/rpc/client/balancing/hash.h"
#include "weir/rpc/client/balancing/hash_ring.h"
#include "weir/rpc/client/balancing/pickers.h"
#include "weir/rpc/client/balancing/read_config.h"

namespace weir {
namespace {

constexpr uint32_t kPlacesMinDefault = 1024;
constexpr uint32_t kPlacesMaxDefault = 4096;
constexpr uint32_t kPlacesMost = 4096;

struct RingHashConfig {
  std::string header;  // empty: none
  uint32_t places_min = kPlacesMinDefault;
  uint32_t places_max = kPlacesMaxDefault;
};

class RingHash final : public LoadBalancingPolicy, private SubchannelWatcher {
 public:
  RingHash(LoadBalancingHelper& helper, RingHashConfig config) : helper_(helper), config_(std::move(config)) {}

  void Update(const std::vector<ServerAddress>& addresses) override;
  // Somebody wants a connection, whichever.
  void ExitIdle() override { members_[helper_.Random() % members_.size()].subchannel->RequestConnection(); }

 private:
  class RingPicker;
  struct Member {
    std::unique_ptr<Subchannel> subchannel;
    bool failed = false;  // and not ready since
  };

  void OnSubchannelState(Subchannel& subchannel) override;
  ConnectivityState Aggregate() const;
  void Report();
  void ConnectNextAfterFailure();

  LoadBalancingHelper& helper_;
  const RingHashConfig config_;
  std::vector<Member> members_;
  std::optional<HashRing> ring_;
  absl::Status last_failure_;
};

class RingHash::RingPicker final : public Picker {
 public:
  explicit RingPicker(RingHash& policy) : policy_(policy) {}

  Pick PickFor(const PickRequest& request) override {
    const std::optional<std::string_view> key = request.metadata == nullptr || policy_.config_.header.empty()
                                                    ? std::nullopt
                                                    : request.metadata->Get(policy_.config_.header);
    const uint64_t hash = key.has_value() ? StableHash(*key) : AnyHash();
    Member& first = policy_.members_[policy_.ring_->First(hash)];
    if (first.subchannel->state() == ConnectivityState::kReady) return Pick::Use(*first.subchannel);
    return PickFrom(policy_.ring_->Order(hash), key.has_value(), request);
  }

 private:
  uint64_t AnyHash() { return uint64_t{policy_.helper_.Random()} << 32 | policy_.helper_.Random(); }

  Pick PickFrom(const std::vector<size_t>& order, bool keyed, const PickRequest& request) {
    if (!keyed) {
      for (const size_t index : order) {
        Subchannel& subchannel = *policy_.members_[index].subchannel;
        if (subchannel.state() == ConnectivityState::kReady) return Pick::Use(subchannel);
      }
    }
    for (const size_t index : order) {
      Member& member = policy_.members_[index];
      if (member.subchannel->state() == ConnectivityState::kReady) return Pick::Use(*member.subchannel);
      member.subchannel->RequestConnection();  // if it is idle; also of those that failed and whose pause is over
      if (!member.failed) return Pick::Queue();
    }
    std::vector<const Subchannel*> all;
    for (const Member& member : policy_.members_) all.push_back(member.subchannel.get());
    return FailurePicker(policy_.last_failure_, std::move(all)).PickFor(request);
  }

  RingHash& policy_;
};

void RingHash::Update(const std::vector<ServerAddress>& addresses) {
  std::vector<Member> members;
  std::vector<ServerAddress> unique;
  for (const ServerAddress& address : addresses) {
    const auto same = [&](const Member& member) { return member.subchannel->address().address == address.address; };
    if (std::any_of(members.begin(), members.end(), same)) continue;
    unique.push_back(address);
    members.push_back(Member{.subchannel = helper_.CreateSubchannel(address, ReadyWhen::kHealthy, this)});
    const auto before = std::find_if(members_.begin(), members_.end(), same);
    members.back().failed = before != members_.end() && before->failed;
  }
  members.swap(members_);  // what is connected stays, by the subchannels of the new ones
  ring_.emplace(unique, config_.places_min, config_.places_max);
  Report();
}

void RingHash::OnSubchannelState(Subchannel& subchannel) {
  const auto member = std::find_if(members_.begin(), members_.end(),
                                   [&](const Member& m) { return m.subchannel.get() == &subchannel; });
  if (member == members_.end()) return;  // one that Update is letting go
  if (subchannel.state() == ConnectivityState::kReady) member->failed = false;
  if (subchannel.state() == ConnectivityState::kTransientFailure) {
    member->failed = true;
    last_failure_ = subchannel.failure();
    helper_.RequestReresolution();
  }
  Report();
  if (subchannel.state() != ConnectivityState::kConnecting) ConnectNextAfterFailure();
}

// gRFC A42, "Aggregated Connectivity State": one failure among several is not yet one of the whole.
ConnectivityState RingHash::Aggregate() const {
  size_t failed = 0;
  bool connecting = false;
  bool idle = false;
  for (const Member& member : members_) {
    const ConnectivityState state = member.subchannel->state();
    if (state == ConnectivityState::kReady) return ConnectivityState::kReady;
    failed += member.failed ? 1 : 0;
    connecting |= !member.failed && state == ConnectivityState::kConnecting;
    idle |= !member.failed && state == ConnectivityState::kIdle;
  }
  if (failed > 1) return ConnectivityState::kTransientFailure;
  if (connecting || (failed == 1 && members_.size() > 1)) return ConnectivityState::kConnecting;
  return idle ? ConnectivityState::kIdle : ConnectivityState::kTransientFailure;
}

void RingHash::Report() { helper_.UpdateState(Aggregate(), std::make_unique<RingPicker>(*this)); }

// "the ring_hash policy will not be getting any pick requests" while calls fail: to get out of that, it tries one after
// the other by itself (A42).
void RingHash::ConnectNextAfterFailure() {
  const bool one_failed = std::any_of(members_.begin(), members_.end(), [](const Member& m) { return m.failed; });
  if (!one_failed || Aggregate() == ConnectivityState::kReady) return;
  for (const Member& member : members_) {
    if (member.subchannel->state() == ConnectivityState::kConnecting) return;
  }
  for (const Member& member : members_) {
    if (member.subchannel->state() == ConnectivityState::kIdle) return member.subchannel->RequestConnection();
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<LoadBalancingPolicy>> MakeRingHash(LoadBalancingHelper& helper,
                                                                  const JsonValue& config) {
  const PolicyConfig read("ring_hash_experimental", config);
  RingHashConfig ring;
  ring.header = read.fields().String("requestHashHeader").value_or("");
  ring.places_min = std::min(read.fields().Whole("minRingSize", 1).value_or(kPlacesMinDefault), kPlacesMost);
  ring.places_max = std::min(read.fields().Whole("maxRingSize", 1).value_or(kPlacesMaxDefault), kPlacesMost);
  if (ring.places_min > ring.places_max) read.fields().Wrong("minRingSize", "at most maxRingSize");
  if (!read.status().ok()) return read.status();
  return std::make_unique<RingHash>(helper, std::move(ring));
}

}  // namespace weir
