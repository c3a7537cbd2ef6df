// KeepaliveTime: how long a channel's connections are silent before a PING; learns from servers that want fewer.
//
// gRFC A8: after GOAWAY ENHANCE_YOUR_CALM "too_many_pings" a client logs it at a level that is on by default, and
// doubles the time for the channel's new connections.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "weir/rpc/life/connection_options.h"
#include "weir/transport/h2/event.h"

namespace weir {

class KeepaliveTime {
 public:
  // Less counts as this (gRFC A8).
  static constexpr absl::Duration kMin = absl::Seconds(10);

  // `target`: of the channel, for the log.
  KeepaliveTime(const KeepaliveOptions& options, std::string target);

  absl::Duration value() const { return value_; }

  // A connection to `peer` that used `used` has got this GOAWAY. Returns what is to be logged; empty if it is another
  // matter, or was logged before. Connections that were made with the same time double it once.
  std::string OnGoAway(const transport::H2GoAway& goaway, absl::Duration used, std::string_view peer);

 private:
  absl::Duration value_;
  bool without_calls_;
  std::string target_;
  bool logged_ = false;
};

}  // namespace weir
