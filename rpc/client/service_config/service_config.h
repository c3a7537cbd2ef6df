// ServiceConfig: what the owner of a service says about calls of it: per method timeout, sizes, readiness, retries;
// and for the channel how to balance. A value, made of JSON by ParseServiceConfig (parse_service_config.h). gRPC
// service_config.md and gRFC A6.
#pragma once

#include <bitset>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "weir/rpc/client/service_config/json_value.h"
#include "weir/rpc/core/method.h"

namespace weir {

// A set of absl::StatusCode.
class StatusCodes {
 public:
  void Add(absl::StatusCode code) { codes_.set(static_cast<size_t>(code)); }
  bool Has(absl::StatusCode code) const {
    return static_cast<size_t>(code) < codes_.size() && codes_.test(static_cast<size_t>(code));
  }
  bool empty() const { return codes_.none(); }
  bool operator==(const StatusCodes&) const = default;

 private:
  std::bitset<17> codes_;  // OK (0) to UNAUTHENTICATED (16)
};

// More than this counts as this, and is no mistake (gRFC A6, Limits on Retries and Hedges).
inline constexpr int kAttemptsMax = 5;

// After an attempt fails with one of `retryable`, another one follows, later and later.
struct RetryPolicy {
  int max_attempts = 2;  // the first one included; 2 to kAttemptsMax
  absl::Duration initial_backoff;
  absl::Duration max_backoff;
  double backoff_multiplier = 1;
  StatusCodes retryable;
};

// Attempts side by side, one more every `delay`; the first good answer wins.
struct HedgingPolicy {
  int max_attempts = 2;   // as above
  absl::Duration delay;   // zero: all at once
  StatusCodes non_fatal;  // an attempt that fails with another code fails the call
};

// Of one entry of methodConfig. What is not set is as the program says.
struct MethodConfig {
  std::optional<absl::Duration> timeout;  // the call's own counts if it is shorter
  std::optional<bool> wait_for_ready;
  std::optional<size_t> max_request_message_bytes;  // the channel's own count if they are smaller
  std::optional<size_t> max_response_message_bytes;
  // At most one of the two.
  std::optional<RetryPolicy> retry;
  std::optional<HedgingPolicy> hedging;
};

// No more retries while too many attempts of the channel fail: a failure takes a token, a success gives `token_ratio`.
struct RetryThrottling {
  double max_tokens = 0;   // in (0, 1000]
  double token_ratio = 0;  // over 0, in thousandths
  bool operator==(const RetryThrottling&) const = default;
};

// A way to balance that the service suggests.
struct LoadBalancingChoice {
  std::string policy;  // "round_robin"
  JsonValue config;    // an object, which the policy reads
  bool operator==(const LoadBalancingChoice&) const = default;
};

class ServiceConfig {
 public:
  // In order of preference: the first one whose policy the channel knows counts.
  std::vector<LoadBalancingChoice> load_balancing;
  std::optional<RetryThrottling> retry_throttling;
  // healthCheckConfig.serviceName; nullopt: the service says nothing of health checks.
  std::optional<std::string> health_check_service;

  // The entry for a method: the one that names it, else its service, else the one for all; null: none.
  const MethodConfig* For(const MethodSpec& method) const;

  // `method` empty: of all methods of `service`; both empty: of all. False if there is one already.
  bool Add(std::string_view service, std::string_view method, std::shared_ptr<const MethodConfig> config);

 private:
  // "/package.Service/Method", "/package.Service/", "".
  std::map<std::string, std::shared_ptr<const MethodConfig>, std::less<>> methods_;
};

// A configuration, or why the text was none. OK and null: there is none.
using ServiceConfigResult = absl::StatusOr<std::shared_ptr<const ServiceConfig>>;

}  // namespace weir
