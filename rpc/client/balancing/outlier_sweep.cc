#include "weir/rpc/client/balancing/outlier_sweep.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "weir/rpc/core/deadline.h"

namespace weir {
namespace {

using Records = std::vector<OutlierRecord*>;

// One sweep: ejects, as long as that is allowed.
class Ejector {
 public:
  Ejector(const OutlierConfig& config, const Records& records, transport::MonotonicTime now,
          const std::function<uint32_t()>& random)
      : config_(config), records_(records), now_(now), random_(random) {
    ejected_ = static_cast<size_t>(std::count_if(
        records.begin(), records.end(), [](const OutlierRecord* record) { return record->ejected_at.has_value(); }));
  }

  // The gRFC stops when the percentage is reached, and has at least one ejected whatever the percentage.
  bool MayEject() const {
    return ejected_ == 0 || ejected_ * 100 < size_t{config_.max_ejection_percent} * records_.size();
  }

  void Eject(OutlierRecord& record, uint32_t enforcement_percentage) {
    // Calls that began before it was ejected are no reason to eject it again.
    if (record.ejected_at.has_value() || random_() % 100 >= enforcement_percentage) return;
    record.ejected_at = now_;
    ++record.multiplier;
    ++ejected_;
  }

 private:
  const OutlierConfig& config_;
  const Records& records_;
  const transport::MonotonicTime now_;
  const std::function<uint32_t()>& random_;
  size_t ejected_ = 0;
};

// Those that had enough calls to be compared; none if there are too few of them.
Records Comparable(const Records& records, uint32_t request_volume, uint32_t minimum_hosts) {
  Records enough;
  std::copy_if(records.begin(), records.end(), std::back_inserter(enough), [&](const OutlierRecord* record) {
    return record->last.total() > 0 && record->last.total() >= request_volume;
  });
  if (enough.size() < minimum_hosts) enough.clear();
  return enough;
}

double SuccessRate(const OutlierRecord& record) {
  return static_cast<double>(record.last.successes) / static_cast<double>(record.last.total());
}

void EjectBySuccessRate(const SuccessRateEjection& config, const Records& records, Ejector& ejector) {
  const Records compared = Comparable(records, config.request_volume, config.minimum_hosts);
  if (compared.empty()) return;
  const double count = static_cast<double>(compared.size());
  double mean = 0;
  for (const OutlierRecord* record : compared) mean += SuccessRate(*record) / count;
  double variance = 0;
  for (const OutlierRecord* record : compared) variance += std::pow(SuccessRate(*record) - mean, 2) / count;
  const double required = mean - std::sqrt(variance) * config.stdev_factor / 1000;
  for (OutlierRecord* record : compared) {
    if (!ejector.MayEject()) return;
    if (SuccessRate(*record) < required) ejector.Eject(*record, config.enforcement_percentage);
  }
}

void EjectByFailurePercentage(const FailurePercentageEjection& config, const Records& records, Ejector& ejector) {
  for (OutlierRecord* record : Comparable(records, config.request_volume, config.minimum_hosts)) {
    if (!ejector.MayEject()) return;
    const CallCounts& calls = record->last;
    if (calls.failures * 100 > calls.total() * config.threshold) ejector.Eject(*record, config.enforcement_percentage);
  }
}

}  // namespace

transport::MonotonicTime EjectionEnds(const OutlierRecord& record, const OutlierConfig& config) {
  return TimeAfter(*record.ejected_at,
                   std::min(config.base_ejection_time * record.multiplier, config.max_ejection_time));
}

void SweepOutliers(const OutlierConfig& config, const Records& records, transport::MonotonicTime now,
                   const std::function<uint32_t()>& random) {
  for (OutlierRecord* record : records) record->last = std::exchange(record->current, CallCounts());
  Ejector ejector(config, records, now, random);
  if (config.success_rate.has_value()) EjectBySuccessRate(*config.success_rate, records, ejector);
  if (config.failure_percentage.has_value()) EjectByFailurePercentage(*config.failure_percentage, records, ejector);
  for (OutlierRecord* record : records) {
    if (!record->ejected_at.has_value()) {
      if (record->multiplier > 0) --record->multiplier;
    } else if (now >= EjectionEnds(*record, config)) {
      record->ejected_at.reset();
    }
  }
}

}  // namespace weir
