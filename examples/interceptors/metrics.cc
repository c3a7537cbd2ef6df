#include "examples/interceptors/metrics.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace interceptors {

weir::Task<absl::Status> Metrics::Intercept(const weir::MethodSpec& method, weir::InterceptedCall& call,
                                            const weir::Next& next) {
  const absl::Time begin = absl::Now();
  absl::Status status = co_await next(call);
  Record(std::string(method.path), status.code(), absl::Now() - begin);
  co_return status;
}

void Metrics::Record(const std::string& method, absl::StatusCode code, absl::Duration duration) {
  const auto us = static_cast<uint64_t>(std::max<int64_t>(absl::ToInt64Microseconds(duration), 0));
  const size_t bucket = std::min<size_t>(std::bit_width(us), kBuckets - 1);
  std::lock_guard lock(mutex_);
  Latencies& latencies = latencies_[{method, code}];
  ++latencies.calls;
  ++latencies.by_duration[bucket];
}

absl::Duration Metrics::Latencies::AtMost(double share) const {
  uint64_t seen = 0;
  for (size_t i = 0; i + 1 < kBuckets; ++i) {
    seen += by_duration[i];
    if (static_cast<double>(seen) >= share * static_cast<double>(calls)) {
      return absl::Microseconds(int64_t{1} << i);
    }
  }
  return absl::InfiniteDuration();
}

std::string Metrics::Report() const {
  std::lock_guard lock(mutex_);
  std::string report;
  for (const auto& [key, latencies] : latencies_) {
    absl::StrAppend(&report, key.first, " ", absl::StatusCodeToString(key.second), " ", latencies.calls,
                    latencies.calls == 1 ? " call\n" : " calls\n");
  }
  return report;
}

Metrics::Latencies Metrics::Get(const std::string& method, absl::StatusCode code) const {
  std::lock_guard lock(mutex_);
  const auto found = latencies_.find({method, code});
  return found == latencies_.end() ? Latencies() : found->second;
}

}  // namespace interceptors
