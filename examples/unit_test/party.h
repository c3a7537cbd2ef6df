// Code that makes calls, as an example of what is to be tested.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/hello/hello.weir.pb.h"

namespace party {

// Has every guest greeted, in order; a guest whom the greeter does not know (NOT_FOUND) is left out. Any other error is
// the result. Takes the client by reference, so that a test may put a mock in its place.
absl::StatusOr<std::vector<std::string>> Welcome(hello::GreeterClient& greeter, const std::vector<std::string>& guests);

}  // namespace party
