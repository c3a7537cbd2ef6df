// How long what was sent may stay unacknowledged by the peer's system: TCP_USER_TIMEOUT. README.md says why.
#pragma once

#include "weir/rpc/life/connection_options.h"

namespace weir {

inline absl::Duration AcknowledgeTimeout(const KeepaliveOptions& keepalive, absl::Duration write_timeout) {
  return keepalive.time == absl::InfiniteDuration() ? write_timeout : keepalive.timeout;
}

}  // namespace weir
