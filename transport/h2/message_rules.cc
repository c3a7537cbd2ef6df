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
constexpr OctetTable kToken = MakeTable("!#$%&'*+-.^_`|~");            // RFC 9110 section 5.6.2
constexpr OctetTable kScheme = MakeTable("+-.");                       // RFC 3986 section 3.1
constexpr OctetTable kHost = MakeTable("-._~!$&'()*+,;=:@%[]");        // RFC 3986 section 3.2
constexpr OctetTable kAuthority = MakeTable("-._~!$&'()*+,;=:@%[]/");  // the same, or the path of a Unix socket

bool All(const OctetTable& table, std::string_view text) {
  bool good = true;
  for (char c : text) good &= table[static_cast<unsigned char>(c)];
  return good;
}

bool IsPath(std::string_view path) {
  return IsFieldValue(path) && path.find(' ') == std::string_view::npos && path.find('\t') == std::string_view::npos;
}

// "A field name MUST NOT contain characters in the ranges 0x00-0x20, 0x41-0x5a, or 0x7f-0xff (all ranges inclusive)",
// and but for pseudo-header fields "field names MUST NOT include a colon" (8.2.1).
bool HasForbiddenOctet(std::string_view name) {
  return std::any_of(name.begin(), name.end(), [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet <= 0x20 || octet >= 0x7f || (octet >= 'A' && octet <= 'Z') || octet == ':';
  });
}

}  // namespace

MessageRules::Judgement MessageRules::Judge(Block block, std::string_view name, std::string_view value,
                                            bool extended_connect) {
  if (name.empty()) return {.signs = kMalformed, .verdict = Verdict::kDrop};
  if (name.front() == ':') return JudgePseudo(block, name, value, extended_connect);
  if (!IsFieldName(name)) {
    const uint32_t signs = HasForbiddenOctet(name) ? kRegular | kMalformed : kRegular;
    return {.signs = signs, .verdict = Verdict::kDrop};
  }
  if (!IsFieldValue(value)) {
    // "A field value MUST NOT contain the zero value, line feed, or carriage return at any position" (8.2.1): these
    // split messages where HTTP/1.1 is spoken behind us.
    const bool splits = value.find_first_of(std::string_view("\0\r\n", 3)) != std::string_view::npos;
    const uint32_t signs = splits ? kRegular | kMalformed : kRegular;
    return {.signs = signs, .verdict = Verdict::kDrop};
  }
  return JudgeRegular(block, name, value);
}

void MessageRules::Add(const Judgement& field) {
  // "All pseudo-header fields MUST appear in a field block before all regular field lines" (8.3).
  if ((field.signs & kPseudo) != 0 && (seen_ & kRegular) != 0) seen_ |= kMalformed;
  if ((field.signs & seen_ & kOnce) != 0) seen_ |= kMalformed;
  seen_ |= field.signs;
  if ((field.signs & kContentLength) != 0) content_length_ = field.number;
  if ((field.signs & kStatus) != 0) status_ = static_cast<int>(field.number);
}

MessageRules::Judgement MessageRules::JudgePseudo(Block block, std::string_view name, std::string_view value,
                                                  bool extended_connect) {
  const auto signs = [](uint32_t all) { return Judgement{.signs = all | kPseudo}; };
  const auto good_if = [&](bool good, uint32_t all) { return signs(good ? all : all | kMalformed); };
  if (block == Block::kResponse) {
    if (name != ":status" || value.size() != 3) return signs(kMalformed);
    int status = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + 3, status);
    const bool number = error == std::errc() && end == value.data() + 3;
    // 101 does not exist in HTTP/2 (8.6).
    Judgement judged = good_if(number && status >= 100 && status != 101, kStatus);
    judged.number = static_cast<uint64_t>(std::max(status, 0));
    return judged;
  }
  if (block == Block::kTrailers) return signs(kMalformed);  // "MUST NOT appear in a trailer section" (8.1)
  switch (name.size()) {
    case 5:
      if (name == ":path") {
        if (value == "*") return signs(kPath | kPathBare | kPathAsterisk);
        const bool slash = value.starts_with('/');
        return good_if(!value.empty() && IsPath(value), slash ? kPath : kPath | kPathBare);
      }
      break;
    case 7:
      if (name == ":method") {
        if (value == "POST") return signs(kMethod | kPost);
        if (value == "GET") return signs(kMethod);
        if (value == "CONNECT") return signs(kMethod | kConnect);
        if (value == "OPTIONS") return signs(kMethod | kOptions);
        return good_if(!value.empty() && All(kToken, value), kMethod);
      }
      if (name == ":scheme") {
        if (value == "http" || value == "https") return signs(kScheme | kSchemeHttp);
        return good_if(!value.empty() && All(transport::kScheme, value), kScheme);
      }
      break;
    case 9:
      if (name == ":protocol" && extended_connect) return good_if(!value.empty() && All(kToken, value), kProtocol);
      break;
    case 10:
      if (name == ":authority") return good_if(All(transport::kAuthority, value), kAuthority);
      break;
    default:
      break;
  }
  return signs(kMalformed);
}

MessageRules::Judgement MessageRules::JudgeRegular(Block block, std::string_view name, std::string_view value) {
  Judgement judged{.signs = kRegular};
  const auto malformed_if = [&judged](bool bad) {
    if (bad) judged.signs |= kMalformed;
  };
  switch (name.size()) {
    case 2:
      // "The only exception ... is the TE header field, which ... MUST NOT contain any value other than trailers"
      // (8.2.2).
      malformed_if(name == "te" && value != "trailers");
      break;
    case 4:
      if (name == "host" && block == Block::kRequest) {
        judged.signs |= kHost;
        malformed_if(!All(transport::kHost, value));
      }
      break;
    case 7:
      malformed_if(name == "upgrade");
      break;
    case 10:
      malformed_if(name == "connection" || name == "keep-alive");
      break;
    case 14:
      if (name == "content-length" && block != Block::kTrailers) {
        judged.signs |= kContentLength;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), judged.number);
        const bool number = !value.empty() && error == std::errc() && end == value.data() + value.size();
        malformed_if(!number || judged.number > INT64_MAX);
      }
      break;
    case 16:
      malformed_if(name == "proxy-connection");
      break;
    case 17:
      malformed_if(name == "transfer-encoding");
      break;
    default:
      break;
  }
  return judged;
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
  // 8.3.1, :path; a POST may be a call of gRPC.
  return !Has(kPathBare) || !Has(kSchemeHttp) || Has(kPost) || Has(kPathAsterisk | kOptions);
}

bool MessageRules::End(bool end_stream, bool head_request, MessageState* state) const {
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
