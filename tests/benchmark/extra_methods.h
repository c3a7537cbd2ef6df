// ExtraMethods: a service of any number of methods that nobody calls, to see what a call costs beside many.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "weir/rpc/server/service.h"

namespace bench {

class ExtraMethods final : public weir::Service {
 public:
  explicit ExtraMethods(size_t count);

  std::span<const weir::ServerMethod> methods() const override { return methods_; }

 private:
  std::vector<std::string> paths_;
  std::vector<weir::ServerMethod> methods_;
};

}  // namespace bench
