// JsonValue -> ServiceConfig: names, types and rules of gRPC's service config.
#pragma once

#include "weir/rpc/client/service_config/json_reader.h"
#include "weir/rpc/client/service_config/service_config.h"

namespace weir {

// What is wrong is added to `errors`; the result counts only if nothing is.
ServiceConfig ReadServiceConfig(const JsonValue& json, JsonErrors* errors);

}  // namespace weir
