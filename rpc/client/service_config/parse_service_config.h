// ParseServiceConfig: the JSON text of a service config, checked as a whole.
//
//   weir::ChannelOptions options;
//   options.service_config = weir::ParseServiceConfig(R"({
//     "methodConfig": [{
//       "name": [{"service": "greeter.Greeter"}],
//       "timeout": "2s",
//       "retryPolicy": {
//         "maxAttempts": 4, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
//         "retryableStatusCodes": ["UNAVAILABLE"]
//       }
//     }]
//   })");
//
// Any thread. Format: gRPC service_config.md, gRFC A6.
#pragma once

#include <string_view>

#include "weir/rpc/client/service_config/service_config.h"

namespace weir {

// INVALID_ARGUMENT naming every mistake by its place: "service config: methodConfig[0].timeout: expected seconds such
// as "1.5s", got 1.5". Fields that are not known are left alone.
ServiceConfigResult ParseServiceConfig(std::string_view json);

}  // namespace weir
