// FailureMode: one way in which a call may fail, and how to bring it about.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace weir::testing {

struct FailureMode {
  std::string situation;  // a sentence
  std::vector<absl::Status> (*play)();
};

struct FailureGroup {
  std::string title;
  std::vector<FailureMode> modes;
};

std::vector<FailureGroup> ConnectingModes();  // no connection yet, or no place on it
std::vector<FailureGroup> StreamModes();      // HTTP/2 ends the call, or the caller does
std::vector<FailureGroup> ResponseModes();    // what the server answers

}  // namespace weir::testing
