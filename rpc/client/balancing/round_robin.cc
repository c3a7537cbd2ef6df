#include "weir/rpc/client/balancing/round_robin.h"

#include <utility>
#include <vector>

#include "weir/rpc/client/balancing/read_config.h"
#include "weir/rpc/client/balancing/spread.h"

namespace weir {
namespace {

class RoundRobinPicker final : public Picker {
 public:
  RoundRobinPicker(std::vector<Subchannel*> ready, size_t first) : ready_(std::move(ready)), next_(first) {}

  Pick PickFor(const PickRequest&) override { return Pick::Use(*ready_[next_++ % ready_.size()]); }

 private:
  const std::vector<Subchannel*> ready_;
  size_t next_;
};

class RoundRobin final : public Spread {
 public:
  explicit RoundRobin(LoadBalancingHelper& helper) : Spread(helper) {}

 private:
  std::unique_ptr<Picker> MakePicker(const std::vector<Subchannel*>& ready) override {
    return std::make_unique<RoundRobinPicker>(ready, helper().Random() % ready.size());
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<LoadBalancingPolicy>> MakeRoundRobin(LoadBalancingHelper& helper,
                                                                    const JsonValue& config) {
  const PolicyConfig read("round_robin", config);
  if (!read.status().ok()) return read.status();
  return std::make_unique<RoundRobin>(helper);
}

}  // namespace weir
