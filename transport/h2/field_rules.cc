#include "weir/transport/h2/field_rules.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/transport/h2/text.h"

namespace weir::transport {
namespace {

// tchar of RFC 9110 section 5.6.2 without the upper-case letters (RFC 9113 section 8.2.1).
constexpr std::array<bool, 256> MakeNameTable() {
  std::array<bool, 256> table{};
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kNameOctet = MakeNameTable();

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

bool AreValueOctets(std::string_view octets) {
  bool good = true;
  for (char c : octets) good &= static_cast<unsigned char>(c) >= 0x20 ? c != 0x7f : c == '\t';
  return good;
}

// Eight octets, none of them below 0x20 or 0x7f.
bool AreVisible(const char* eight) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  uint64_t octets;
  std::memcpy(&octets, eight, sizeof octets);
  const uint64_t del = octets ^ (kOnes * 0x7f);
  const uint64_t below_space = (octets - kOnes * 0x20) & ~octets;
  const uint64_t is_del = (del - kOnes) & ~del;
  return ((below_space | is_del) & (kOnes * 0x80)) == 0;
}

// "An endpoint MUST NOT generate an HTTP/2 message containing connection-specific header fields" (section 8.2.2).
bool IsConnectionSpecific(const HeaderView& field) {
  switch (field.name.size()) {
    case 2:
      return field.name == "te" && field.value != "trailers";
    case 7:
      return field.name == "upgrade";
    case 10:
      return field.name == "connection" || field.name == "keep-alive";
    case 16:
      return field.name == "proxy-connection";
    case 17:
      return field.name == "transfer-encoding";
    default:
      return false;
  }
}

absl::Status Refuse(const HeaderView& field, std::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat("header field ", Quote(field.name), "=",
                                                 Quote(field.value.substr(0, 64)), ": ", std::string(expected)));
}

bool IsRequestPseudo(std::string_view name) {
  return name == ":method" || name == ":scheme" || name == ":path" || name == ":authority" || name == ":protocol";
}

// RFC 9113 section 8.3.1 and RFC 8441 section 4: what a request cannot do without.
absl::Status CheckRequestPseudo(const HeaderList& fields) {
  const std::string_view method = fields.Find(":method").value_or("");
  const bool tunnel = method == "CONNECT" && !fields.Find(":protocol").has_value();
  const bool complete = fields.Find(":scheme").has_value() && !fields.Find(":path").value_or("").empty();
  if (!method.empty() && (tunnel || complete)) return absl::OkStatus();
  return absl::InvalidArgumentError("request head: expected :method, :scheme and :path first");
}

}  // namespace

bool IsFieldName(std::string_view name) {
  // These come with every call.
  if (name == "content-type" || name == "user-agent" || name == "grpc-status") return true;
  bool good = !name.empty();
  for (char c : name) good &= kNameOctet[static_cast<unsigned char>(c)];
  return good;
}

bool IsFieldValue(std::string_view value) {
  if (value.empty()) return true;
  if (IsBlank(value.front()) || IsBlank(value.back())) return false;
  if (value.size() < 8) return AreValueOctets(value);
  // Eight octets at a time, the last eight perhaps twice. What this rejects (it knows no tab) is looked at one by one.
  const char* const last = value.data() + value.size() - 8;
  for (const char* p = value.data(); p < last; p += 8) {
    if (!AreVisible(p)) return AreValueOctets(value);
  }
  if (!AreVisible(last)) return AreValueOctets(value);
  return true;
}

absl::Status CheckFields(BlockKind kind, const HeaderList& fields, uint64_t list_bytes_max) {
  bool regular = false;
  for (const HeaderView field : fields) {
    if (field.name.starts_with(':')) {
      if (kind != BlockKind::kRequest || regular || !IsRequestPseudo(field.name)) {
        return Refuse(field, "expected no pseudo-header field here");
      }
    } else {
      regular = true;
      if (!IsFieldName(field.name))
        return Refuse(field, "expected a name of lower-case letters, digits and !#$%&'*+-.^_`|~");
      if (IsConnectionSpecific(field)) return Refuse(field, "HTTP/2 has no connection-specific fields; leave it out");
    }
    if (!IsFieldValue(field.value)) return Refuse(field, "expected a value without control octets and outer blanks");
  }
  if (ListSize(kind, fields) > list_bytes_max) {
    return absl::OutOfRangeError(absl::StrCat("header block: expected at most ", list_bytes_max,
                                              " octets (the peer's MAX_HEADER_LIST_SIZE, or 64 KiB), got ",
                                              ListSize(kind, fields)));
  }
  return kind == BlockKind::kRequest ? CheckRequestPseudo(fields) : absl::OkStatus();
}

}  // namespace weir::transport
