#include "weir/transport/h2/preface.h"

#include <algorithm>
#include <cstddef>

#include "weir/transport/h2/text.h"

namespace weir::transport {
namespace {

// Bytes of a stranger's greeting that are worth showing.
constexpr size_t kShownBytes = 16;
constexpr size_t kStatusLineBytes = 64;
// What a server that does not speak HTTP/2 begins with; SETTINGS begins with a length, so 'H' is never its first octet.
constexpr std::string_view kHttp1Answer = "HTTP/";
// And one that expected TLS: an alert record (RFC 8446 section 5.1). As a frame it would be larger than is allowed.
constexpr std::string_view kTlsAlert = "\x15\x03";
constexpr size_t kTlsAlertBytes = 7;

size_t CommonPrefix(std::string_view a, std::string_view b) {
  const size_t length = std::min(a.size(), b.size());
  return static_cast<size_t>(std::mismatch(a.begin(), a.begin() + length, b.begin()).first - a.begin());
}

bool BeginsAlike(std::string_view seen, std::string_view greeting) {
  return CommonPrefix(seen, greeting) == std::min(seen.size(), greeting.size());
}

}  // namespace

constexpr std::string_view kHttp1Refusal =
    "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 125\r\nconnection: close\r\n\r\n"
    "This port speaks HTTP/2 only, as gRPC does. Use a gRPC client, or HTTP/2 from the first byte (curl "
    "--http2-prior-knowledge).\n";

constexpr std::string_view kClientMagic = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

std::optional<std::string> PrefaceCheck::Feed(std::string_view* bytes) {
  if (role_ == Role::kServer && seen_.empty() && bytes->starts_with(kClientMagic)) {  // the usual case
    seen_ = kClientMagic;
    bytes->remove_prefix(kClientMagic.size());
    done_ = true;
    return std::nullopt;
  }
  while (!done_ && !bytes->empty()) {
    seen_ += bytes->front();
    bytes->remove_prefix(1);
    if (role_ == Role::kServer) {
      if (CommonPrefix(seen_, kClientMagic) < seen_.size()) {
        if (seen_.size() >= kShownBytes || seen_.back() == '\n') return Verdict();
      } else {
        done_ = seen_.size() == kClientMagic.size();
      }
    } else if (BeginsAlike(seen_, kHttp1Answer)) {
      if (seen_.size() >= kStatusLineBytes || seen_.back() == '\n') return Verdict();
    } else if (BeginsAlike(seen_, kTlsAlert)) {
      if (seen_.size() >= kTlsAlertBytes) return Verdict();
    } else {
      done_ = true;
    }
  }
  return std::nullopt;
}

// "GET /a HTTP/1.1": a method of capital letters, a blank.
bool PrefaceCheck::is_http1() const {
  const size_t method = seen_.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ-");
  return role_ == Role::kServer && !seen_.starts_with("PRI ") && method != std::string::npos && method > 0 &&
         seen_[method] == ' ';
}

std::string PrefaceCheck::Verdict() const {
  if (role_ == Role::kClient && seen_.starts_with(kTlsAlert)) {
    return "server's preface: expected an HTTP/2 SETTINGS frame, got a TLS alert (" + Quote(seen_) +
           "): this port speaks TLS; use TLS on both sides or on none";
  }
  if (role_ == Role::kClient) {
    const std::string_view status_line = std::string_view(seen_).substr(0, seen_.find_last_not_of("\r\n") + 1);
    return "server's preface: expected an HTTP/2 SETTINGS frame, got " + Quote(status_line) +
           ": this server speaks HTTP/1; check the port";
  }
  if (seen_.starts_with("\x16\x03")) {
    return "client's preface: expected " + Quote(kClientMagic) + ", got a TLS handshake (" + Quote(seen_) +
           "): this port is plaintext; use TLS on both sides or on none";
  }
  return "client's preface: expected " + Quote(kClientMagic) + ", got " + Quote(seen_) +
         ": the client does not speak HTTP/2 with prior knowledge";
}

}  // namespace weir::transport
