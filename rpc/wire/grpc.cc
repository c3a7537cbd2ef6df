// gRPC over HTTP/2: the grpc project's PROTOCOL-HTTP2.md, cited below as "gRPC over HTTP2".
//
// Every Encode* appends to its HeaderList, which the caller clears and uses again. Entries of the application's
// metadata that may not be sent (Metadata::Check, which the call runs when it starts) are left out, so that no caller's
// mistake can put another field into a block.
#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "weir/rpc/core/why.h"
#include "weir/rpc/wire/grpc_status.h"
#include "weir/rpc/wire/protocol.h"
#include "weir/rpc/wire/status_mapping.h"
#include "weir/rpc/wire/text_codec.h"
#include "weir/rpc/wire/timeout.h"
#include "weir/rpc/wire/user_agent.h"

namespace weir::wire {
namespace {

using transport::HeaderList;
using transport::HeaderView;

constexpr std::string_view kContentType = "application/grpc";
constexpr std::string_view kPreviousAttempts = "grpc-previous-rpc-attempts";  // gRFC A6

// The part of a peer's value that an error text repeats.
std::string Quoted(std::string_view text) {
  return absl::StrCat("\"", absl::CHexEscape(absl::string_view(text.data(), std::min<size_t>(text.size(), 100))), "\"");
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// "application/grpc" and, behind it, nothing, "+proto", "+json", ";charset=utf-8". Not "application/grpc-web".
bool IsGrpc(std::string_view content_type) {
  if (!content_type.starts_with(kContentType)) {
    // Media types ignore case (RFC 9110 section 8.3.1), though no peer is known to make use of it.
    if (content_type.size() < kContentType.size()) return false;
    for (size_t i = 0; i < kContentType.size(); ++i) {
      if (Lower(content_type[i]) != kContentType[i]) return false;
    }
  }
  if (content_type.size() == kContentType.size()) return true;
  const char next = content_type[kContentType.size()];
  return next == '+' || next == ';' || next == ' ' || next == '\t';
}

// "/Service-Name/method": two slashes, nothing empty (gRPC over HTTP2, Requests: Path).
bool IsMethodPath(std::string_view path) {
  if (path.size() < 4 || path[0] != '/') return false;
  const size_t slash = path.find('/', 1);
  return slash != std::string_view::npos && slash > 1 && slash + 1 < path.size() &&
         path.find('/', slash + 1) == std::string_view::npos;
}

// Is this field the protocol's or HTTP's own, and not the application's? "user-agent" is passed on: handlers want it.
bool IsReserved(std::string_view name) {
  if (name.empty()) return true;
  switch (name[0]) {
    case ':':
      return true;
    case 'c':
      return name == "content-type" || name == "content-length";
    case 'g':
      return name.starts_with("grpc-") && name != Metadata::kPushBackKey;
    case 'h':
      return name == "host";
    case 't':
      return name == "te";
    default:
      return false;
  }
}

std::string_view Stripped(std::string_view value) {
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
  return value;
}

void AppendMetadata(const Metadata& metadata, HeaderList* out) {
  for (const auto& [key, value] : metadata) {
    // A received user-agent that is passed on would be a second one beside ours.
    if (key == "user-agent" || !Metadata::CheckEntry(key, value).ok()) continue;
    if (key.ends_with("-bin")) {
      out->Add(key, Base64Encode(value));
    } else {
      // "If it contains leading or trailing whitespace, it may be stripped"; it must be: such a field value is
      // malformed (RFC 9113 section 8.2.1).
      out->Add(key, Stripped(value));
    }
  }
}

// A response that is not gRPC's: often a proxy's, whose word for the failure is its HTTP status.
absl::Status StatusFromHttp(int http_status, const std::string& what) {
  const Why why{.by = Why::By::kPeer, .http2 = absl::StrCat("HTTP ", http_status)};
  return WithWhy(absl::Status(CodeFromHttp(http_status), absl::StrCat("peer answered HTTP ", http_status, what)), why);
}

class GrpcProtocol final : public Protocol {
 public:
  std::string_view name() const override { return "grpc"; }
  bool Accepts(std::string_view content_type) const override { return IsGrpc(content_type); }

  DecodedRequest DecodeRequest(const transport::RequestReceived& request) const override;
  int DecodePreviousAttempts(const transport::RequestReceived& request) const override;
  void EncodeResponseHead(const ResponseHead& head, HeaderList* out) const override;
  void EncodeTrailers(const absl::Status& status, const Metadata& trailing, HeaderList* out) const override;
  void EncodeTrailersOnly(const absl::Status& status, const Metadata& trailing, std::string_view accept_encoding,
                          HeaderList* out) const override;
  bool ShortenTrailers(const HeaderList& block, HeaderList* out) const override {
    return DropStatusDetails(block, out);
  }

  void EncodeRequest(const RequestHead& head, HeaderList* out) const override;
  DecodedResponse DecodeResponse(const transport::ResponseReceived& response, bool end_stream) const override;
  absl::Status DecodeTrailers(const HeaderList& trailers) const override;

  Metadata DecodeMetadata(const HeaderList& fields, size_t fields_max) const override;
};

// ---- server

// The hot path of a server: one pass, no allocation unless the call is refused. The first of two equal fields counts.
DecodedRequest GrpcProtocol::DecodeRequest(const transport::RequestReceived& request) const {
  DecodedRequest decoded;
  std::string_view method;
  std::string_view content_type;
  std::string_view timeout;
  std::string_view host;
  const auto take = [](std::string_view name, std::string_view wanted, std::string_view value, std::string_view* out) {
    if (name == wanted && out->data() == nullptr) *out = value;
  };
  for (const HeaderView field : request.fields) {
    switch (field.name.size()) {
      case 4:
        take(field.name, "host", field.value, &host);
        break;
      case 5:
        take(field.name, ":path", field.value, &decoded.path);
        break;
      case 7:
        take(field.name, ":method", field.value, &method);
        break;
      case 10:
        take(field.name, ":authority", field.value, &decoded.authority);
        break;
      case 12:
        take(field.name, "content-type", field.value, &content_type);
        take(field.name, "grpc-timeout", field.value, &timeout);
        break;
      case 13:
        take(field.name, "grpc-encoding", field.value, &decoded.encoding);
        break;
      case 20:
        take(field.name, "grpc-accept-encoding", field.value, &decoded.accept_encoding);
        break;
      default:
        break;
    }
  }
  // RFC 9113 section 8.3.1: a request without :authority may carry "host" instead.
  if (decoded.authority.empty()) decoded.authority = host;

  // gRPC over HTTP2, Requests: Method -> ":method POST".
  if (method != "POST") {
    decoded.http_status = 405;
    decoded.status = absl::InternalError(absl::StrCat(":method: expected POST, got ", Quoted(method)));
  } else if (!IsGrpc(content_type)) {
    // "If Content-Type does not begin with "application/grpc", gRPC servers SHOULD respond with HTTP status of 415".
    decoded.http_status = 415;
    decoded.status =
        absl::InternalError(absl::StrCat("content-type: expected application/grpc, got ", Quoted(content_type)));
  } else if (!IsMethodPath(decoded.path)) {
    decoded.status = absl::UnimplementedError(
        absl::StrCat(":path: expected \"/package.Service/Method\", got ", Quoted(decoded.path)));
  } else if (timeout.data() != nullptr) {
    absl::StatusOr<absl::Duration> parsed = ParseTimeout(timeout);
    if (parsed.ok()) {
      decoded.timeout = *parsed;
    } else {
      decoded.status = std::move(parsed).status();
    }
  }
  return decoded;
}

int GrpcProtocol::DecodePreviousAttempts(const transport::RequestReceived& request) const {
  for (const HeaderView field : request.fields) {
    if (field.name != kPreviousAttempts) continue;
    int attempts = 0;
    const char* const end = field.value.data() + field.value.size();
    const auto parsed = std::from_chars(field.value.data(), end, attempts);
    return parsed.ec == std::errc() && parsed.ptr == end ? std::max(attempts, 0) : 0;
  }
  return 0;
}

void GrpcProtocol::EncodeResponseHead(const ResponseHead& head, HeaderList* out) const {
  if (!head.encoding.empty()) out->Add("grpc-encoding", head.encoding);
  if (!head.accept_encoding.empty()) out->Add("grpc-accept-encoding", head.accept_encoding);
  out->Add("content-type", kContentType);
  if (head.metadata != nullptr) AppendMetadata(*head.metadata, out);
}

void GrpcProtocol::EncodeTrailers(const absl::Status& status, const Metadata& trailing, HeaderList* out) const {
  EncodeGrpcStatus(status, out);
  AppendMetadata(trailing, out);
}

void GrpcProtocol::EncodeTrailersOnly(const absl::Status& status, const Metadata& trailing,
                                      std::string_view accept_encoding, HeaderList* out) const {
  out->Add("content-type", kContentType);
  // Harmless for every cause of UNIMPLEMENTED but the request's encoding.
  if (absl::IsUnimplemented(status)) out->Add("grpc-accept-encoding", accept_encoding);
  EncodeTrailers(status, trailing, out);
}

// ---- client

// gRPC over HTTP2, Requests: "HTTP2 requires that reserved headers, ones starting with ":" appear before all other
// headers. Additionally implementations should send Timeout immediately after the reserved headers and they should send
// the Call-Definition headers before sending Custom-Metadata."
void GrpcProtocol::EncodeRequest(const RequestHead& head, HeaderList* out) const {
  out->Add(":method", "POST");
  out->Add(":scheme", head.scheme);
  out->Add(":path", head.path);
  out->Add(":authority", head.authority);
  if (head.timeout && *head.timeout != absl::InfiniteDuration()) out->Add("grpc-timeout", EncodeTimeout(*head.timeout));
  out->Add("te", "trailers");
  out->Add("content-type", kContentType);
  if (!head.encoding.empty()) out->Add("grpc-encoding", head.encoding);
  if (!head.accept_encoding.empty()) out->Add("grpc-accept-encoding", head.accept_encoding);
  if (head.previous_attempts > 0) out->Add(kPreviousAttempts, std::to_string(head.previous_attempts));
  out->Add("user-agent", head.user_agent.empty() ? kUserAgent : head.user_agent);
  if (head.metadata != nullptr) AppendMetadata(*head.metadata, out);
}

DecodedResponse GrpcProtocol::DecodeResponse(const transport::ResponseReceived& response, bool end_stream) const {
  DecodedResponse decoded;
  std::string_view content_type;
  bool has_status = false;
  for (const HeaderView field : response.fields) {
    if (field.name == "content-type") {
      if (content_type.empty()) content_type = field.value;
    } else if (field.name == "grpc-encoding") {
      if (decoded.encoding.empty()) decoded.encoding = field.value;
    } else if (field.name == "grpc-status") {
      has_status = true;
    }
  }
  // Trailers-Only. gRPC http-grpc-status-mapping.md: the HTTP status counts only if there is no grpc-status. One in the
  // head of a response that goes on is not the call's, unless that head ends the call in any case.
  if (has_status && (end_stream || response.status != 200 || !IsGrpc(content_type))) {
    absl::Status status = DecodeGrpcStatus(response.fields);
    if (end_stream || !status.ok()) {
      // The server's word, though what follows it is not waited for.
      const bool servers_own = !status.ok() && !WhyOf(status).has_value();
      decoded.final_status = servers_own ? WithWhy(std::move(status), Why{.by = Why::By::kPeer}) : std::move(status);
      return decoded;
    }
  }
  if (!IsGrpc(content_type)) {
    decoded.final_status = StatusFromHttp(
        response.status, absl::StrCat(" with content-type ", Quoted(content_type), ", expected application/grpc"));
  } else if (response.status != 200) {
    decoded.final_status = StatusFromHttp(response.status, ", expected 200");
  } else if (end_stream) {
    decoded.final_status = DecodeGrpcStatus(response.fields);  // says that there is none
  }
  return decoded;
}

absl::Status GrpcProtocol::DecodeTrailers(const HeaderList& trailers) const { return DecodeGrpcStatus(trailers); }

// ---- both

// A -bin value that is not base64 is dropped, alone: the field is the peer's mistake, but a call may well do without
// it, and a server that ends more than the call for it can be brought down by one client (CVE-2023-32732).
// So is a field that we could not send: "Implementations must not error due to receiving an invalid ASCII-Value that's
// a valid field-value in HTTP ... they may throw the value away or accept the value. If accepted, care must be taken to
// make sure that the application is permitted to echo the value back as metadata." What comes in may go out as it is.
//
// A list is "semantically equivalent" to as many fields (Custom-Metadata), but comes at one octet for each. So its
// values count among the block's fields, and one that has too many is dropped, alone: to refuse the call would make a
// field that its application may not even read the reason for its end.
Metadata GrpcProtocol::DecodeMetadata(const HeaderList& fields, size_t fields_max) const {
  Metadata metadata;
  size_t room = fields_max - std::min(fields_max, fields.size());  // for the values that lists add
  for (const HeaderView field : fields) {
    if (IsReserved(field.name)) continue;
    if (!Metadata::CheckEntry(field.name, field.value).ok()) continue;
    if (!field.name.ends_with("-bin")) {
      metadata.Add(field.name, field.value);
    } else if (const auto values = Base64DecodeList(field.value, room + 1)) {
      room -= values->size() - 1;
      for (const std::string& value : *values) metadata.Add(field.name, value);
    }
  }
  return metadata;
}

constinit const GrpcProtocol kGrpc;

}  // namespace

const Protocol& Grpc() { return kGrpc; }

}  // namespace weir::wire
