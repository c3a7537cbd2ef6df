// PolicySwitch: the policy in use, and the one that follows it. The next one takes over when it can do something for
// calls, or when the one before it no longer can: until then that goes on, so no call notices.
//
//   current: kReady      next: kConnecting   ->  current is used
//   current: not kReady, or next: not kConnecting  ->  next is used, and current goes
//
// Used by the channel, and by policies that have a policy below them.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "weir/rpc/client/load_balancer.h"
#include "weir/rpc/client/service_config/service_config.h"
#include "weir/transport/io/event_loop.h"

namespace weir {

class PolicySwitch {
 private:
  class Child;

 public:
  // A policy that has been made and does nothing yet.
  class Prepared {
   public:
    Prepared(Prepared&&);
    ~Prepared();

   private:
    friend class PolicySwitch;
    explicit Prepared(std::unique_ptr<Child> child);
    std::unique_ptr<Child> child_;  // null: the newest one goes on
  };

  // `helper` is told what the policy in use says. Both must outlive it.
  PolicySwitch(LoadBalancingHelper& helper, const LoadBalancers& own);
  ~PolicySwitch();

  // There is no policy.
  bool empty() const { return current_ == nullptr; }

  // INVALID_ARGUMENT: there is no such policy, or its configuration is wrong; nothing has changed then.
  absl::StatusOr<Prepared> Prepare(const LoadBalancingChoice& choice);
  // The newest policy from now on is `prepared`; it gets the addresses.
  void Update(Prepared prepared, const std::vector<ServerAddress>& addresses);
  void ExitIdle();
  // No policy.
  void Clear();

 private:
  void OnState(Child& child, ConnectivityState state, std::unique_ptr<Picker> picker);
  void TakeOver();
  bool IsUsed(const Child& child) const { return &child == current_.get() || &child == next_.get(); }

  LoadBalancingHelper& helper_;
  const LoadBalancers& own_;
  std::unique_ptr<Child> current_;
  std::unique_ptr<Child> next_;
  std::vector<std::unique_ptr<Child>> retired_;  // perhaps one of their methods is running
  transport::Timer drop_retired_;
};

}  // namespace weir
