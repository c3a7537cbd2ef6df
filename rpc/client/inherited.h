// Inherited: what a call takes over from the one that it is made for (CallOptions::Parent).
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "absl/time/time.h"
#include "weir/rpc/core/metadata.h"
#include "weir/rpc/core/parent_call.h"
#include "weir/transport/io/executor.h"

namespace weir {

// Holds nothing of that call, which may end before.
struct Inherited {
  explicit Inherited(const ParentCall& parent);

  std::string method;
  absl::Time deadline;
  std::optional<transport::MonotonicTime> monotonic_deadline;  // nullopt: only the other one is known
  std::stop_token stop;
  Metadata trace;  // traceparent, tracestate: those that there are
};

}  // namespace weir
