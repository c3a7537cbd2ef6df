// Dispatcher: "/package.Service/Method" -> the handler that serves it.
//
// Filled before the server listens, constant afterwards: loops read it without a lock. Match is exact, octet by octet.
#pragma once

#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "weir/rpc/server/service.h"

namespace weir {

class Dispatcher {
 public:
  struct Target {
    Service* service = nullptr;
    const ServerMethod* method = nullptr;
  };

  // ALREADY_EXISTS naming the method if another service serves it. Of services for any method there may be one.
  absl::Status Add(Service& service);

  // The service for any method, if there is one, gets what no other has. Null members if nobody serves `path`.
  Target Find(std::string_view path) const;

 private:
  absl::flat_hash_map<absl::string_view, Target> targets_;
  Target any_;
};

}  // namespace weir
