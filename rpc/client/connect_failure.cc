#include "weir/rpc/client/connect_failure.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/why.h"

namespace weir {

absl::Status CannotConnect(const absl::Status& reason, size_t others, absl::Duration pause) {
  std::string text = absl::StrCat("cannot connect: ", reason.message());
  if (others > 0) absl::StrAppend(&text, "; before it, ", others, " other address(es) failed");
  if (pause > absl::ZeroDuration()) {
    absl::StrAppend(&text, "; next attempt in ", absl::FormatDuration(absl::Ceil(pause, absl::Milliseconds(1))));
  } else {
    absl::StrAppend(&text, "; trying again");
  }
  Why why = WhyOf(reason).value_or(Why{.by = Why::By::kNetwork, .phase = Why::Phase::kConnect});
  why.processed = Why::Processed::kNo;
  return WithWhy(absl::UnavailableError(text), why);
}

}  // namespace weir
