#include "weir/rpc/client/service_config/parse_service_config.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "weir/rpc/client/service_config/parse_json.h"
#include "weir/rpc/client/service_config/read_service_config.h"

namespace weir {

ServiceConfigResult ParseServiceConfig(std::string_view json) {
  constexpr char kWhat[] = "service config: ";
  const absl::StatusOr<JsonValue> value = ParseJson(json);
  if (!value.ok()) return absl::InvalidArgumentError(absl::StrCat(kWhat, value.status().message()));
  JsonErrors errors;
  ServiceConfig config = ReadServiceConfig(*value, &errors);
  if (!errors.empty()) return absl::InvalidArgumentError(absl::StrCat(kWhat, absl::StrJoin(errors, "; ")));
  return std::make_shared<const ServiceConfig>(std::move(config));
}

}  // namespace weir
