#include "weir/rpc/life/keepalive_time.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace weir {

KeepaliveTime::KeepaliveTime(const KeepaliveOptions& options, std::string target)
    : value_(std::max(options.time, kMin)), without_calls_(options.without_calls), target_(std::move(target)) {}

std::string KeepaliveTime::OnGoAway(const transport::H2GoAway& goaway, absl::Duration used, std::string_view peer) {
  const bool ours =
      goaway.error_code == transport::ErrorCode::kEnhanceYourCalm && goaway.debug_data == "too_many_pings";
  if (!ours || used == absl::InfiniteDuration()) return "";
  value_ = std::max(value_, 2 * used);
  if (std::exchange(logged_, true)) return "";
  return absl::StrCat("weir::Channel to ", target_, ": ", std::string(peer), " sent \"too_many_pings\". ",
                      "This channel pings after ", absl::FormatDuration(used), " of silence",
                      without_calls_ ? ", also without calls" : "",
                      " (ChannelOptions::connection.keepalive); the server allows that less often (of weir: ",
                      "ServerOptions::connection.pings, 5 minutes and only with calls by default; of gRPC: ",
                      "min_recv_ping_interval_without_data, permit_keepalive_without_calls). Next connections wait ",
                      absl::FormatDuration(value_), ", and twice as long each time it is said again: set both alike");
}

}  // namespace weir
