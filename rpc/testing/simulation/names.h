// Names: what lookups find in a simulation. They take a while, find some of the servers only, or fail.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "weir/rpc/client/name_resolver.h"
#include "weir/testing/simulation/random.h"

namespace weir::testing {

class Names {
 public:
  explicit Names(SimulatedRandom random) : random_(random) {}
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  // For the scheme of a channel that has these servers. This must outlive the channel.
  NameResolverFactory Factory(std::vector<ServerAddress> servers);

  // Lookups do not find the servers whose bits are set, and fail if that is all of them. Resolvers tell their channels.
  void Hide(uint64_t servers);
  bool asked() const { return !resolvers_.empty(); }  // is there a channel that looks up names?

 private:
  class Resolver;

  absl::StatusOr<Resolution> Find(const std::vector<ServerAddress>& servers) const;
  std::chrono::milliseconds LookupTime() { return std::chrono::milliseconds(random_.Between(1, 20)); }

  SimulatedRandom random_;
  uint64_t hidden_ = 0;
  std::vector<Resolver*> resolvers_;  // in the order in which they were made
};

}  // namespace weir::testing
