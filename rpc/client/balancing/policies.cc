#include "weir/rpc/client/balancing/policies.h"

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/balancing/least_request.h"
#include "weir/rpc/client/balancing/outlier_detection.h"
#include "weir/rpc/client/balancing/pick_first.h"
#include "weir/rpc/client/balancing/ring_hash.h"
#include "weir/rpc/client/balancing/round_robin.h"
#include "weir/rpc/client/balancing/weighted_round_robin.h"

namespace weir {
namespace {

using Factory = absl::StatusOr<std::unique_ptr<LoadBalancingPolicy>> (*)(LoadBalancingHelper&, const JsonValue&);

// Of policies that have another one below them.
using ParentFactory = absl::StatusOr<std::unique_ptr<LoadBalancingPolicy>> (*)(LoadBalancingHelper&, const JsonValue&,
                                                                               const LoadBalancers& own);

struct NamedPolicy {
  std::string_view name;
  Factory make;
  ParentFactory make_parent = nullptr;
};

constexpr NamedPolicy kPolicies[] = {
    {"pick_first", MakePickFirst},
    {"round_robin", MakeRoundRobin},
    {"static_weighted_round_robin", MakeWeightedRoundRobin},
    {"least_request_experimental", MakeLeastRequest},
    {"ring_hash_experimental", MakeRingHash},
    {"outlier_detection_experimental", nullptr, MakeOutlierDetection},
};

const NamedPolicy* Find(std::string_view name) {
  for (const NamedPolicy& policy : kPolicies) {
    if (policy.name == name) return &policy;
  }
  return nullptr;
}

}  // namespace

std::string KnownPolicies(const LoadBalancers& own) {
  std::string known;
  for (const auto& [key, factory] : own) absl::StrAppend(&known, known.empty() ? "" : ", ", key);
  for (const NamedPolicy& policy : kPolicies) {
    absl::StrAppend(&known, known.empty() ? "" : ", ", std::string(policy.name));
  }
  return known;
}

absl::StatusOr<std::unique_ptr<LoadBalancingPolicy>> MakePolicy(const LoadBalancingChoice& choice,
                                                                const LoadBalancers& own, LoadBalancingHelper& helper) {
  if (const auto it = own.find(choice.policy); it != own.end()) return it->second(helper, choice.config);
  if (const NamedPolicy* known = Find(choice.policy); known != nullptr) {
    return known->make != nullptr ? known->make(helper, choice.config) : known->make_parent(helper, choice.config, own);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("load balancing: expected one of ", KnownPolicies(own), ", got \"", choice.policy, "\""));
}

bool IsPolicyKnown(std::string_view name, const LoadBalancers& own) {
  return own.contains(name) || Find(name) != nullptr;
}

}  // namespace weir
