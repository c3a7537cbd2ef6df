#include "weir/rpc/client/balancing/weighted_round_robin.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "weir/rpc/client/balancing/read_config.h"
#include "weir/rpc/client/balancing/spread.h"

namespace weir {
namespace {

// Smooth weighted round robin, as nginx has it: each turn everybody gains its weight, and the richest one is picked and
// pays for all. Weights 5, 1, 1 give a a b a c a a.
class WeightedPicker final : public Picker {
 public:
  WeightedPicker(const std::vector<Subchannel*>& ready, uint32_t skip) {
    for (Subchannel* subchannel : ready) {
      entries_.push_back(Entry{.subchannel = subchannel, .weight = subchannel->address().weight});
      total_ += entries_.back().weight;
    }
    // Begins anywhere, for the sake of many clients of the same servers.
    constexpr uint32_t kTurnsMax = 1024;
    const int64_t turns = std::min<int64_t>(total_, kTurnsMax);
    for (int64_t turn = skip % turns; turn > 0; --turn) Next();
  }

  Pick PickFor(const PickRequest&) override { return Pick::Use(*Next().subchannel); }

 private:
  struct Entry {
    Subchannel* subchannel;
    int64_t weight;
    int64_t credit = 0;
  };

  Entry& Next() {
    Entry* richest = &entries_.front();
    for (Entry& entry : entries_) {
      entry.credit += entry.weight;
      if (entry.credit > richest->credit) richest = &entry;
    }
    richest->credit -= total_;
    return *richest;
  }

  std::vector<Entry> entries_;
  int64_t total_ = 0;
};

class WeightedRoundRobin final : public Spread {
 public:
  explicit WeightedRoundRobin(LoadBalancingHelper& helper) : Spread(helper) {}

 private:
  std::unique_ptr<Picker> MakePicker(const std::vector<Subchannel*>& ready) override {
    return std::make_unique<WeightedPicker>(ready, helper().Random());
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<LoadBalancingPolicy>> MakeWeightedRoundRobin(LoadBalancingHelper& helper,
                                                                            const JsonValue& config) {
  const PolicyConfig read("static_weighted_round_robin", config);
  if (!read.status().ok()) return read.status();
  return std::make_unique<WeightedRoundRobin>(helper);
}

}  // namespace weir
