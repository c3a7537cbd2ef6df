#include "weir/rpc/client/service_config/service_config.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace weir {

const MethodConfig* ServiceConfig::For(const MethodSpec& method) const {
  auto it = methods_.find(method.path);
  // "/package.Service/" is the path without what follows its last slash.
  if (it == methods_.end()) it = methods_.find(method.path.substr(0, method.path.rfind('/') + 1));
  if (it == methods_.end()) it = methods_.find(std::string_view());
  return it == methods_.end() ? nullptr : it->second.get();
}

bool ServiceConfig::Add(std::string_view service, std::string_view method, std::shared_ptr<const MethodConfig> config) {
  std::string key;
  if (!service.empty()) key = absl::StrCat("/", std::string(service), "/", std::string(method));
  return methods_.emplace(std::move(key), std::move(config)).second;
}

}  // namespace weir
