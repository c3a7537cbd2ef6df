// Pickers that several policies use.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "weir/rpc/client/load_balancer.h"

namespace weir {

// Nothing can be said yet.
class QueuePicker final : public Picker {
 public:
  Pick PickFor(const PickRequest&) override { return Pick::Queue(); }
};

// There is one.
class OnePicker final : public Picker {
 public:
  explicit OnePicker(Subchannel& subchannel) : subchannel_(subchannel) {}
  Pick PickFor(const PickRequest&) override { return Pick::Use(subchannel_); }
  Subchannel* always() const override { return &subchannel_; }

 private:
  Subchannel& subchannel_;
};

// None of the subchannels can be connected to. `reason` is of the last failure.
class FailurePicker final : public Picker {
 public:
  FailurePicker(absl::Status reason, std::vector<const Subchannel*> subchannels)
      : reason_(std::move(reason)), subchannels_(std::move(subchannels)) {}
  Pick PickFor(const PickRequest& request) override;

 private:
  const absl::Status reason_;
  const std::vector<const Subchannel*> subchannels_;
};

}  // namespace weir
