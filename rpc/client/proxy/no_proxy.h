// NoProxy: the hosts that are reached without a proxy, as no_grpc_proxy and no_proxy list them.
//
//   no_proxy=localhost,.internal,10.0.0.0/8,[::1]
//
// Commas and blanks separate. A name stands for itself and what is below it, with a dot in front or not; an address for
// itself; address/bits for a range; "*" for everything. Case does not matter.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace weir {

class NoProxy {
 public:
  NoProxy() = default;
  explicit NoProxy(std::string list) : list_(std::move(list)) {}

  // `host`: a name, or a numeric address without brackets.
  bool Includes(std::string_view host) const;

 private:
  std::string list_;
};

}  // namespace weir
