#include "weir/transport/h2/message_rules.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "weir/transport/h2/field_rules.h"

namespace weir::transport {
namespace {

using OctetTable = std::array<bool, 256>;

constexpr OctetTable MakeTable(std::string_view extra) {
  OctetTable table{};
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c : extra) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr OctetTable kToken = MakeTable("!#$%&'*+-.^_`|~");           // RFC 9110 section 5.6.2
constexpr OctetTable kScheme = MakeTable("+-.");                      // RFC 3986 section 3.1
constexpr OctetTable kAuthority = MakeTable("-._~!$&'()*+,;=:@%[]");  // RFC 3986 section 3.2

bool All(const OctetTable& table, std::string_view text) {
  bool good = true;
  for (char c : text) good &= table[static_cast<unsigned char>(c)];
  return good;
}

bool IsPath(std::string_view path) {
  return IsFieldValue(path) && path.find(' ') == std::string_view::npos && path.find('\t') == std::string_view::npos;
}

bool HasUpperCase(std::string_view name) {
  return std::any_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace

MessageRules::Verdict MessageRules::Field(std::string_view name, std::string_view value, bool extended_connect) {
  if (name.empty()) {
    Malformed();
    return Verdict::kDrop;
  }
  if (name.front() == ':') {
    Pseudo(name, value, extended_connect);
    return Verdict::kKeep;
  }
  seen_ |= kRegular;
  if (!IsFieldName(name)) {
    if (HasUpperCase(name)) Malformed();
    return Verdict::kDrop;
  }
  if (!IsFieldValue(value)) {
    // "A field value MUST NOT contain the zero value, line feed, or carriage return at any position" (8.2.1): these split
    // messages where HTTP/1.1 is spoken behind us.
    if (value.find_first_of(std::string_view("\0\r\n", 3)) != std::string_view::npos) Malformed();
    return Verdict::kDrop;
  }
  Regular(name, value);
  return Verdict::kKeep;
}

void MessageRules::Pseudo(std::string_view name, std::string_view value, bool extended_connect) {
  // "All pseudo-header fields MUST appear in a field block before all regular field lines", none in trailers (8.3).
  if ((seen_ & kRegular) != 0 || block_ == Block::kTrailers) return Malformed();
  if (block_ == Block::kResponse) {
    if (name != ":status" || value.size() != 3) return Malformed();
    Once(kStatus);
    const auto [end, error] = std::from_chars(value.data(), value.data() + 3, status_);
    // 101 does not exist in HTTP/2 (8.6).
    if (error != std::errc() || end != value.data() + 3 || status_ < 100 || status_ == 101) Malformed();
    return;
  }
  switch (name.size()) {
    case 5:
      if (name == ":path") return Path(value);
      break;
    case 7:
      if (name == ":method") return Method(value);
      if (name == ":scheme") return Scheme(value);
      break;
    case 9:
      if (name == ":protocol" && extended_connect) {
        Once(kProtocol);
        if (value.empty() || !All(kToken, value)) Malformed();
        return;
      }
      break;
    case 10:
      if (name == ":authority") {
        Once(kAuthority);
        if (!All(transport::kAuthority, value)) Malformed();
        return;
      }
      break;
    default:
      break;
  }
  Malformed();
}

void MessageRules::Method(std::string_view value) {
  Once(kMethod);
  if (value == "POST" || value == "GET") return;
  if (value.empty() || !All(kToken, value)) Malformed();
  if (value == "CONNECT") seen_ |= kConnect;
  if (value == "OPTIONS") seen_ |= kOptions;
}

void MessageRules::Scheme(std::string_view value) {
  Once(kScheme);
  if (value == "http" || value == "https") {
    seen_ |= kSchemeHttp;
  } else if (value.empty() || !All(transport::kScheme, value)) {
    Malformed();
  }
}

void MessageRules::Path(std::string_view value) {
  Once(kPath);
  if (value.empty() || !IsPath(value)) return Malformed();
  if (value.front() == '/') seen_ |= kPathSlash;
  if (value == "*") seen_ |= kPathAsterisk;
}

void MessageRules::Regular(std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 2:
      // "The only exception ... is the TE header field, which ... MUST NOT contain any value other than trailers" (8.2.2).
      if (name == "te" && value != "trailers") Malformed();
      break;
    case 4:
      if (name == "host" && block_ == Block::kRequest) {
        Once(kHost);
        if (!All(transport::kAuthority, value)) Malformed();
      }
      break;
    case 7:
      if (name == "upgrade") Malformed();
      break;
    case 10:
      if (name == "connection" || name == "keep-alive") Malformed();
      break;
    case 14:
      if (name == "content-length" && block_ != Block::kTrailers) {
        if (content_length_ != MessageState::kNoLength) return Malformed();
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), content_length_);
        const bool number = !value.empty() && error == std::errc() && end == value.data() + value.size();
        if (!number || content_length_ > INT64_MAX) Malformed();
      }
      break;
    case 16:
      if (name == "proxy-connection") Malformed();
      break;
    case 17:
      if (name == "transfer-encoding") Malformed();
      break;
    default:
      break;
  }
}

bool MessageRules::RequestIsComplete() const {
  if (Has(kConnect) && !Has(kProtocol)) {
    // "The :scheme and :path pseudo-header fields MUST be omitted", :authority says where to (8.5).
    return Has(kMethod | kAuthority) && (seen_ & (kScheme | kPath)) == 0;
  }
  if (Has(kProtocol) && !Has(kConnect)) return false;  // RFC 8441 section 4
  if (!Has(kMethod | kScheme | kPath)) return false;   // 8.3.1
  if ((seen_ & (kAuthority | kHost)) == 0) return false;
  if (Has(kProtocol) && !Has(kAuthority)) return false;
  if (!Has(kSchemeHttp)) return true;
  return Has(kPathSlash) || (Has(kPathAsterisk) && Has(kOptions));  // 8.3.1, :path
}

bool MessageRules::End(bool end_stream, bool head_request, MessageState* state) {
  if (Has(kMalformed)) return false;
  switch (block_) {
    case Block::kRequest:
      if (!RequestIsComplete()) return false;
      state->content_length = Has(kConnect) ? MessageState::kNoLength : content_length_;
      break;
    case Block::kResponse:
      if (!Has(kStatus)) return false;
      if (status_ < 200) return !end_stream;  // an interim response ends nothing (8.1)
      state->content_length = content_length_;
      state->bodyless = head_request || status_ == 204 || status_ == 304;
      break;
    case Block::kTrailers:
      if (!end_stream) return false;  // "... a HEADERS frame without the END_STREAM flag ... is malformed" (8.1)
      break;
  }
  return !end_stream || state->BodyEnd();
}

}  // namespace weir::transport
