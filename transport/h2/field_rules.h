// Which fields HTTP/2 allows (RFC 9113 section 8.2), and whether a block is one that we may send. Whether what the peer
// sends makes a message is MessageRules' business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "weir/transport/h2/headers.h"

namespace weir::transport {

enum class BlockKind : uint8_t { kRequest, kResponse, kTrailers };

// Size of the block as it will be on the wire (RFC 9113 section 6.5.2): the list of a response does not have its
// ":status".
inline size_t ListSize(BlockKind kind, const HeaderList& fields) {
  constexpr size_t kStatusFieldBytes = 7 + 3 + 32;
  return fields.ListSize() + (kind == BlockKind::kResponse ? kStatusFieldBytes : 0);
}

// kInvalidArgument names the first field that is not allowed; kOutOfRange: the block is larger than `list_bytes_max`.
absl::Status CheckFields(BlockKind kind, const HeaderList& fields, uint64_t list_bytes_max);

// Lower-case letters, digits and !#$%&'*+-.^_`|~; at least one.
bool IsFieldName(std::string_view name);
// No control octets but the tab, and no blanks at the ends.
bool IsFieldValue(std::string_view value);

// `value` without leading and trailing spaces and tabs: "A field value does not include leading or trailing
// whitespace" (RFC 9110 section 5.5), but peers do send it and gRPC wants such a call to go on.
inline std::string_view StripWhitespace(std::string_view value) {
  const auto is_plain = [](char c) { return static_cast<unsigned char>(c) > ' '; };
  if (!value.empty() && is_plain(value.front()) && is_plain(value.back())) return value;
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
  while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
  return value;
}

}  // namespace weir::transport
