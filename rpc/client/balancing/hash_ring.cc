#include "weir/rpc/client/balancing/hash_ring.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/balancing/hash.h"

namespace weir {

HashRing::HashRing(const std::vector<ServerAddress>& addresses, size_t places_min, size_t places_max)
    : addresses_(addresses.size()) {
  double total = 0;
  double lightest = addresses.front().weight;
  for (const ServerAddress& address : addresses) {
    total += address.weight;
    lightest = std::min<double>(lightest, address.weight);
  }
  const double min_share = lightest / total;
  const double scale =
      std::min(std::ceil(min_share * static_cast<double>(places_min)) / min_share, static_cast<double>(places_max));
  // Rounding errors are carried on from address to address, so that the sum is right.
  double wanted = 0;
  size_t count = 0;
  for (size_t i = 0; i < addresses.size(); ++i) {
    const std::string name = addresses[i].address.ToString();
    wanted += scale * addresses[i].weight / total;
    for (size_t copy = 0; static_cast<double>(count) < wanted; ++copy, ++count) {
      places_.push_back(Place{.hash = StableHash(absl::StrCat(name, "_", copy)), .address = i});
    }
  }
  std::sort(places_.begin(), places_.end(), [](const Place& a, const Place& b) { return a.hash < b.hash; });
}

size_t HashRing::Find(uint64_t hash) const {
  const auto it = std::lower_bound(places_.begin(), places_.end(), hash,
                                   [](const Place& place, uint64_t wanted) { return place.hash < wanted; });
  return it == places_.end() ? 0 : static_cast<size_t>(it - places_.begin());
}

size_t HashRing::First(uint64_t hash) const { return places_[Find(hash)].address; }

std::vector<size_t> HashRing::Order(uint64_t hash) const {
  std::vector<size_t> order;
  std::vector<bool> seen(addresses_, false);
  const size_t first = Find(hash);
  for (size_t i = 0; i < places_.size() && order.size() < addresses_; ++i) {
    const size_t address = places_[(first + i) % places_.size()].address;
    if (seen[address]) continue;
    seen[address] = true;
    order.push_back(address);
  }
  return order;
}

}  // namespace weir
