// pick_first: all calls to the first address that answers (gRFC A61, A62). The channel's default.
//
//   attempts: 1st ----fails, or 250 ms over----> 2nd ----> ... ----all failed----> kTransientFailure until one is ready,
//              |                                  |                                each address at its own pace
//              +--ready: the others are dropped---+--> kReady --lost--> kIdle
//
// The addresses come in the order of the resolver, IPv6 and IPv4 in turns (RFC 8305 section 4).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/rpc/client/load_balancer.h"
#include "weir/transport/io/event_loop.h"

namespace weir {

// Config: {"shuffleAddressList": true} picks among many clients evenly (A62).
absl::StatusOr<std::unique_ptr<LoadBalancingPolicy>> MakePickFirst(LoadBalancingHelper& helper,
                                                                   const JsonValue& config);

// Families take turns, the family of the first address first; the order within each stays. Public for its test.
std::vector<ServerAddress> InterleaveFamilies(std::vector<ServerAddress> addresses);

class PickFirst final : public LoadBalancingPolicy {
 public:
  enum class Order : uint8_t { kAsGiven, kShuffled };
  // "Connection Attempt Delay ... 250 milliseconds" (RFC 8305 section 8).
  static constexpr std::chrono::milliseconds kAttemptDelay{250};

  PickFirst(LoadBalancingHelper& helper, Order order);
  ~PickFirst() override;

  void Update(const std::vector<ServerAddress>& addresses) override;
  void ExitIdle() override;

 private:
  class Candidate;
  using Candidates = std::vector<std::unique_ptr<Candidate>>;

  Candidates MakeCandidates();
  void BeginPass(Candidates candidates);
  void TryNext();
  void Select(Candidate& candidate);
  void OnState(Candidate& candidate);
  void OnFailed(Candidate& candidate);
  void OnSelectedLost(ConnectivityState state);
  void Report();

  LoadBalancingHelper& helper_;
  const Order order_;
  std::vector<ServerAddress> addresses_;
  // Ready: only the selected one. Idle: still that one, because its address remembers what became of connections.
  Candidates candidates_;
  Candidate* selected_ = nullptr;
  bool idle_ = false;  // until a call wants a connection
  size_t tried_ = 0;   // of candidates_, in this pass
  bool pass_over_ = false;
  bool failed_ = false;  // since a connection last worked, a pass has failed: kTransientFailure is sticky
  size_t failures_ = 0;  // since the last report
  absl::Status last_failure_;
  transport::Timer delay_;
};

}  // namespace weir
