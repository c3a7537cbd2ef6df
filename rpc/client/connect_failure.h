// The status of calls for which there is no connection: what was tried, why it failed, when it is tried again.
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace weir {

// `reason` is of the attempt that failed last, `others` the number of other addresses that have failed as well, `pause`
// the time until the next attempt; zero or less: it is under way. The result is UNAVAILABLE, with the Why of `reason`.
absl::Status CannotConnect(const absl::Status& reason, size_t others, absl::Duration pause);

}  // namespace weir
