// SweepOutliers: which addresses are ejected, and which come back (gRFC A50). Pure: time and chance are arguments.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "weir/rpc/client/balancing/outlier_config.h"
#include "weir/transport/io/executor.h"

namespace weir {

struct CallCounts {
  uint64_t successes = 0;
  uint64_t failures = 0;

  uint64_t total() const { return successes + failures; }
};

// What is known of an address.
struct OutlierRecord {
  CallCounts current;  // of calls that have ended since the last sweep
  CallCounts last;     // of those in the interval before it
  std::optional<transport::MonotonicTime> ejected_at;
  uint32_t multiplier = 0;  // of the base ejection time: one more for each ejection, one less for each good interval
};

// When an ejected address comes back, at the first sweep from then on.
transport::MonotonicTime EjectionEnds(const OutlierRecord& record, const OutlierConfig& config);

// The end of an interval. `random` gives a number in [0, 2^32). Whether a record is ejected may have changed.
void SweepOutliers(const OutlierConfig& config, const std::vector<OutlierRecord*>& records,
                   transport::MonotonicTime now, const std::function<uint32_t()>& random);

}  // namespace weir
