// Which fields HTTP/2 allows us to send (RFC 9113 section 8.2). What the peer sends is checked by the engine.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "weir/transport/h2/headers.h"

namespace weir::transport {

enum class BlockKind : uint8_t { kRequest, kResponse, kTrailers };

// kInvalidArgument names the first field that is not allowed, or says that the block is larger than `list_bytes_max`.
absl::Status CheckFields(BlockKind kind, const HeaderList& fields, uint64_t list_bytes_max);

// `value` without leading and trailing spaces and tabs: "A field value does not include leading or trailing
// whitespace" (RFC 9110 section 5.5), but peers do send it and gRPC wants such a call to go on.
inline std::string_view StripWhitespace(std::string_view value) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
  while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
  return value;
}

}  // namespace weir::transport
