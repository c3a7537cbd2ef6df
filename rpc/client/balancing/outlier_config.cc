#include "weir/rpc/client/balancing/outlier_config.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/balancing/policies.h"
#include "weir/rpc/client/balancing/read_config.h"

namespace weir {
namespace {

void ReadPercent(const JsonReader& json, std::string_view name, uint32_t* percent) {
  *percent = json.Whole(name, 0).value_or(*percent);
  if (*percent > 100) json.Wrong(name, "a whole number from 0 to 100");
}

// What both ways to detect have.
template <class Ejection>
void ReadCommon(const JsonReader& json, Ejection* ejection) {
  ReadPercent(json, "enforcementPercentage", &ejection->enforcement_percentage);
  ejection->minimum_hosts = json.Whole("minimumHosts", 0).value_or(ejection->minimum_hosts);
  ejection->request_volume = json.Whole("requestVolume", 0).value_or(ejection->request_volume);
}

// As loadBalancingConfig of a service config: the first one that is known.
void ReadChild(const JsonReader& json, const LoadBalancers& own, LoadBalancingChoice* child) {
  constexpr std::string_view kName = "childPolicy";
  const JsonValue::Array* list = json.List(kName);
  if (list == nullptr && json.Find(kName) != nullptr) return;  // it has been said
  for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const JsonValue::Object* choice = (*list)[i].object();
    if (choice == nullptr || choice->size() != 1 || choice->front().second.object() == nullptr) {
      return json.WrongElement(kName, i, "an object with one field, {\"policy\": {...}}", (*list)[i]);
    }
    if (!IsPolicyKnown(choice->front().first, own)) continue;
    *child = {choice->front().first, choice->front().second};
    return;
  }
  json.Wrong(kName, absl::StrCat("a list with at least one of ", KnownPolicies(own)));
}

}  // namespace

absl::StatusOr<OutlierConfig> ReadOutlierConfig(const JsonValue& config, const LoadBalancers& own) {
  const PolicyConfig read("outlier_detection_experimental", config);
  const JsonReader& json = read.fields();
  OutlierConfig result;
  result.interval = json.Duration("interval").value_or(result.interval);
  if (result.interval <= absl::ZeroDuration()) json.Wrong("interval", "more than \"0s\"");
  result.base_ejection_time = json.Duration("baseEjectionTime").value_or(result.base_ejection_time);
  result.max_ejection_time =
      std::max(json.Duration("maxEjectionTime").value_or(result.max_ejection_time), result.base_ejection_time);
  ReadPercent(json, "maxEjectionPercent", &result.max_ejection_percent);
  if (const auto rate = json.Object("successRateEjection")) {
    result.success_rate.emplace();
    ReadCommon(*rate, &*result.success_rate);
    result.success_rate->stdev_factor = rate->Whole("stdevFactor", 0).value_or(result.success_rate->stdev_factor);
  }
  if (const auto percentage = json.Object("failurePercentageEjection")) {
    result.failure_percentage.emplace();
    ReadCommon(*percentage, &*result.failure_percentage);
    ReadPercent(*percentage, "threshold", &result.failure_percentage->threshold);
  }
  ReadChild(json, own, &result.child);
  if (!read.status().ok()) return read.status();
  return result;
}

}  // namespace weir
