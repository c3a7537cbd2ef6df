// PushBack: when a server wants to be asked again: Metadata::kPushBackKey beside the status of a failed
// attempt.
#pragma once

#include <optional>
#include <string_view>

#include "absl/time/time.h"

namespace weir {

// gRFC A6, Pushback: "If the value for pushback is negative or unparseable, then it will be seen as the server asking
// the client not to retry at all." That is InfiniteDuration; nullopt: the server says nothing (`value` nullopt).
std::optional<absl::Duration> ParsePushBack(std::optional<std::string_view> value);

}  // namespace weir
