// OutlierConfig: the configuration of outlier_detection (gRFC A50), with its defaults.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "weir/rpc/client/load_balancer.h"
#include "weir/rpc/client/service_config/service_config.h"

namespace weir {

// An address whose share of successes is far below that of the others is ejected.
struct SuccessRateEjection {
  uint32_t stdev_factor = 1900;  // thousandths of the standard deviation below the mean
  uint32_t enforcement_percentage = 100;
  uint32_t minimum_hosts = 5;     // with at least `request_volume`; with fewer nothing is compared
  uint32_t request_volume = 100;  // calls in an interval; an address with fewer says nothing
};

// An address of whose calls more than `threshold` percent fail is ejected.
struct FailurePercentageEjection {
  uint32_t threshold = 85;
  uint32_t enforcement_percentage = 100;
  uint32_t minimum_hosts = 5;
  uint32_t request_volume = 50;
};

struct OutlierConfig {
  absl::Duration interval = absl::Seconds(10);
  absl::Duration base_ejection_time = absl::Seconds(30);  // times the number of ejections
  absl::Duration max_ejection_time = absl::Seconds(300);  // at least base_ejection_time
  uint32_t max_ejection_percent = 10;                     // of the addresses; one may be ejected in any case
  std::optional<SuccessRateEjection> success_rate;
  std::optional<FailurePercentageEjection> failure_percentage;
  LoadBalancingChoice child;

  // Otherwise nothing is counted.
  bool detects() const { return success_rate.has_value() || failure_percentage.has_value(); }
};

// `own`: policies of the program, which may be below it. INVALID_ARGUMENT names every mistake.
absl::StatusOr<OutlierConfig> ReadOutlierConfig(const JsonValue& config, const LoadBalancers& own);

}  // namespace weir
