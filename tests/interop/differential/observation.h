// Observation: what an application can see of a call that has ended, in a form that two libraries can agree on.
#pragma once

#include <string>
#include <vector>

#include "tests/interop/differential/plan.h"

namespace weir::differential {

struct Observation {
  int code = 0;
  std::string message;
  Pairs initial;
  Pairs trailing;
  std::vector<std::string> replies;
};

// What the plan says can be compared, as lines of text: equal texts are equal observations.
std::string Comparable(const Plan& plan, const Observation& observation);

// For handlers: what has come, as the value of kSeenKey. `metadata` as received; `requests` as read.
std::string Seen(const Pairs& metadata, const std::vector<std::string>& requests);

// Size and checksum, short enough for metadata.
std::string Digest(const std::string& content);

}  // namespace weir::differential
