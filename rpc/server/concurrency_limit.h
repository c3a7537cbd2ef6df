// ConcurrencyLimit: so many calls at a time, of a server and of each method.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "weir/rpc/server/admission.h"

namespace weir {

struct ConcurrencyLimitOptions {
  // Calls whose handlers have not returned.
  size_t running_max = SIZE_MAX;
  // The same of each method; and of single methods, by path: "/package.Service/Method".
  size_t running_of_method_max = SIZE_MAX;
  std::map<std::string, size_t, std::less<>> running_of;

  // What a call that is shed ends with. UNAVAILABLE tells clients that to retry helps; RESOURCE_EXHAUSTED that it may
  // not.
  absl::StatusCode code = absl::StatusCode::kUnavailable;
  // Before a retry; nullopt: the client's own pause. Below zero: no retry.
  std::optional<absl::Duration> push_back = absl::Milliseconds(100);
};

class ConcurrencyLimit final : public Admission {
 public:
  explicit ConcurrencyLimit(ConcurrencyLimitOptions options) : options_(std::move(options)) {}

 private:
  AdmissionDecision Admit(const Arrival& arrival) override;

  const ConcurrencyLimitOptions options_;
};

}  // namespace weir
