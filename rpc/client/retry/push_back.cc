#include "weir/rpc/client/retry/push_back.h"

#include <charconv>
#include <cstdint>
#include <system_error>

namespace weir {

std::optional<absl::Duration> ParsePushBack(std::optional<std::string_view> value) {
  if (!value.has_value()) return std::nullopt;
  int32_t milliseconds = 0;
  const char* const end = value->data() + value->size();
  const auto parsed = std::from_chars(value->data(), end, milliseconds);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == end;
  return whole && milliseconds >= 0 ? absl::Milliseconds(milliseconds) : absl::InfiniteDuration();
}

}  // namespace weir
