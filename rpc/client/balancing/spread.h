// Spread: the base of policies that use all addresses at once: connects to each, keeps it connected, and makes a picker
// of those that are ready.
//
//   any ready: kReady      else any connecting: kConnecting      else: kTransientFailure
//
// An address that has failed counts as failed until it is ready again, though it is connected to in between
// (kTransientFailure is sticky, as in gRFC A62).
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "weir/rpc/client/load_balancer.h"

namespace weir {

class Spread : public LoadBalancingPolicy {
 public:
  void Update(const std::vector<ServerAddress>& addresses) final;
  void ExitIdle() override {}  // never is

 protected:
  explicit Spread(LoadBalancingHelper& helper);
  ~Spread() override;

  LoadBalancingHelper& helper() { return helper_; }

  // Of subchannels that are ready, in the order of their addresses; at least one.
  virtual std::unique_ptr<Picker> MakePicker(const std::vector<Subchannel*>& ready) = 0;

 private:
  class Member;

  void OnState(Member& member);
  void Report();

  LoadBalancingHelper& helper_;
  std::vector<std::unique_ptr<Member>> members_;
  absl::Status last_failure_;
};

}  // namespace weir
