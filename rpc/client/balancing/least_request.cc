#include "weir/rpc/client/balancing/least_request.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "weir/rpc/client/balancing/read_config.h"
#include "weir/rpc/client/balancing/spread.h"

namespace weir {
namespace {

constexpr uint32_t kChoicesDefault = 2;
constexpr uint32_t kChoicesMin = 2;
constexpr uint32_t kChoicesMax = 10;

class LeastRequestPicker final : public Picker {
 public:
  LeastRequestPicker(LoadBalancingHelper& helper, std::vector<Subchannel*> ready, uint32_t choices)
      : helper_(helper), ready_(std::move(ready)), choices_(choices) {}

  Pick PickFor(const PickRequest&) override {
    Subchannel* best = Draw();
    size_t best_count = best->call_count();
    for (uint32_t i = 1; i < choices_; ++i) {
      Subchannel* const other = Draw();
      const size_t count = other->call_count();
      if (count >= best_count) continue;
      best = other;
      best_count = count;
    }
    return Pick::Use(*best);
  }

 private:
  Subchannel* Draw() { return ready_[helper_.Random() % ready_.size()]; }

  LoadBalancingHelper& helper_;
  const std::vector<Subchannel*> ready_;
  const uint32_t choices_;
};

class LeastRequest final : public Spread {
 public:
  LeastRequest(LoadBalancingHelper& helper, uint32_t choices) : Spread(helper), choices_(choices) {}

 private:
  std::unique_ptr<Picker> MakePicker(const std::vector<Subchannel*>& ready) override {
    return std::make_unique<LeastRequestPicker>(helper(), ready, choices_);
  }

  const uint32_t choices_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LoadBalancingPolicy>> MakeLeastRequest(LoadBalancingHelper& helper,
                                                                      const JsonValue& config) {
  const PolicyConfig read("least_request_experimental", config);
  const uint32_t choices = read.fields().Whole("choiceCount", kChoicesMin).value_or(kChoicesDefault);
  if (!read.status().ok()) return read.status();
  return std::make_unique<LeastRequest>(helper, std::min(choices, kChoicesMax));
}

}  // namespace weir
