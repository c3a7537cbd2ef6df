// HashRing: which address serves which key. Every address stands at many places of a ring, in proportion to its weight,
// and serves the keys before each: when one comes or goes, only the keys at its places change their server. A value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/rpc/client/server_address.h"

namespace weir {

class HashRing {
 public:
  // Places: enough for the lightest address to have one for each share of its weight, between `places_min` and
  // `places_max` (gRFC A42).
  HashRing(const std::vector<ServerAddress>& addresses, size_t places_min, size_t places_max);

  // Indices into the addresses, of which there is at least one: the one that serves `hash`, and behind it those that
  // would if it were not there.
  std::vector<size_t> Order(uint64_t hash) const;
  // The first of them.
  size_t First(uint64_t hash) const;
  size_t places() const { return places_.size(); }

 private:
  struct Place {
    uint64_t hash;
    size_t address;
  };
  size_t Find(uint64_t hash) const;

  size_t addresses_;
  std::vector<Place> places_;  // by hash
};

}  // namespace weir
