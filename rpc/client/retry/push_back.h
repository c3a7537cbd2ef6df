// PushBack: when a server wants to be asked again: Metadata::kPushBackKey beside the status of a failed
// attempt.
#pragma once

#include <optional>
#include <string_view>

#include "absl/time/time.h"

namespace weir {

// A value that is negative, or no number, asks for no retry at all (gRFC A6, Pushback): InfiniteDuration. nullopt: the
// server says nothing (`value` nullopt).
std::optional<absl::Duration> ParsePushBack(std::optional<std::string_view> value);

}  // namespace weir
