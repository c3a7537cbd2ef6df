#include "weir/rpc/server/concurrency_limit.h"

#include "absl/strings/str_cat.h"

namespace weir {

AdmissionDecision ConcurrencyLimit::Admit(const Arrival& arrival) {
  const auto shed = [&](std::string_view what, size_t limit, std::string_view option) {
    return AdmissionDecision::Shed(
        absl::Status(options_.code, absl::StrCat("the server is at its limit: ", limit, " calls", std::string(what),
                                                 " run (ConcurrencyLimitOptions::", std::string(option), ")")),
        options_.push_back);
  };
  if (arrival.running >= options_.running_max) return shed("", options_.running_max, "running_max");
  const auto own = options_.running_of.find(arrival.method);
  if (own != options_.running_of.end()) {
    if (arrival.running_of_method >= own->second) return shed(" of this method", own->second, "running_of");
  } else if (arrival.running_of_method >= options_.running_of_method_max) {
    return shed(" of this method", options_.running_of_method_max, "running_of_method_max");
  }
  return AdmissionDecision::Admit();
}

}  // namespace weir
