// Text -> JsonValue, by protobuf's parser.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "weir/rpc/client/service_config/json_value.h"

namespace weir {

// INVALID_ARGUMENT with the parser's own words if `text` is not one JSON object. At most 100 levels
// deep; numbers are doubles.
absl::StatusOr<JsonValue> ParseJson(std::string_view text);

}  // namespace weir
