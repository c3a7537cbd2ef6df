// Prints every failure mode and what its call is told, as failures.md.
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <regex>
#include <string>
#include <vector>

#include "weir/rpc/core/why.h"
#include "weir/tests/rpc/failures/modes.h"

namespace weir::testing {
namespace {

constexpr char kHead[] =
    R"(# What a failed call tells

Written by `bazel run //tests/rpc/failures:update`, and compared with what the code says by `golden_test`. Each entry is a
situation, brought about by a scripted server, and `weir::Explain(status)`: the status, and the why in brackets. The pause
before the next attempt is random; here it is written as 1s.
)";

// The explanation, with the why on a line of its own, and without what is random.
std::string TwoLines(const absl::Status& status) {
  static const std::regex pause("next attempt in [0-9.]+m?s");
  std::string text = std::regex_replace(Explain(status), pause, "next attempt in 1s");
  const size_t why = text.rfind(" [");
  if (why != std::string::npos) text.replace(why, 1, "\n    ");
  return text;
}

void Print(const FailureMode& mode) {
  std::cout << "\n" << mode.situation << "\n";
  const std::vector<absl::Status> ends = mode.play();
  if (ends.empty()) std::cout << "\n    (no call has ended)\n";
  for (const absl::Status& status : ends) std::cout << "\n    " << TwoLines(status) << "\n";
}

}  // namespace
}  // namespace weir::testing

int main() {
  using namespace weir::testing;
  // For the sockets of some modes.
  if (const char* scratch = std::getenv("TEST_TMPDIR"); scratch != nullptr && ::chdir(scratch) != 0) return 1;
  std::cout << kHead;
  for (const auto& groups : {ConnectingModes(), StreamModes(), ResponseModes()}) {
    for (const FailureGroup& group : groups) {
      std::cout << "\n## " << group.title << "\n";
      for (const FailureMode& mode : group.modes) Print(mode);
    }
  }
  return 0;
}
