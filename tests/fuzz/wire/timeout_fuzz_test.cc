// What parses is encoded to something that parses to no less and at most one percent more. Eight bytes taken as
// nanoseconds encode monotonously.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "weir/rpc/wire/timeout.h"

namespace {

absl::Duration Encoded(absl::Duration timeout) {
  const auto parsed = weir::wire::ParseTimeout(weir::wire::EncodeTimeout(timeout));
  if (!parsed.ok()) std::abort();
  return *parsed;
}

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;  // data may be null
  const auto parsed = weir::wire::ParseTimeout(std::string_view(reinterpret_cast<const char*>(data), size));
  if (parsed.ok()) {
    Require(*parsed >= absl::ZeroDuration());
    Require(Encoded(*parsed) >= *parsed);
    Require(Encoded(*parsed) <= *parsed * 1.01 + absl::Nanoseconds(1));
  }
  int64_t nanos[2] = {0, 0};
  std::memcpy(nanos, data, size < sizeof(nanos) ? size : sizeof(nanos));
  const absl::Duration first = absl::Nanoseconds(nanos[0]);
  const absl::Duration second = absl::Nanoseconds(nanos[1]);
  if (first <= second) Require(Encoded(first) <= Encoded(second));
  if (first > absl::ZeroDuration()) Require(Encoded(first) >= first);
  return 0;
}
