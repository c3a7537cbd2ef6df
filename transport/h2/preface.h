// PrefaceCheck: looks at the first bytes of a connection, to tell a peer that does not speak HTTP/2 what was expected.
//
// The usual strangers are an HTTP/1.1 client or server and a TLS handshake on a plaintext port. A verdict needs a few
// bytes more than the first wrong one, so that it can show them and does not depend on how the input was cut.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "weir/transport/h2/options.h"

namespace weir::transport {

class PrefaceCheck {
 public:
  explicit PrefaceCheck(Role role) : role_(role) {}

  bool done() const { return done_; }

  // Takes bytes from the front of `*bytes` while !done(). nullopt: go on; `passed()` holds what was taken once done().
  // Text: the peer speaks something else.
  std::optional<std::string> Feed(std::string_view* bytes);

  // After a verdict, of a server: it was the beginning of a request line of HTTP/1.
  bool is_http1() const;

  // The bytes that were taken and belong to HTTP/2.
  std::string_view passed() const { return seen_; }

 private:
  std::string Verdict() const;

  Role role_;
  bool done_ = false;
  std::string seen_;
};

// All that a client of HTTP/1 is told, as it understands it.
extern const std::string_view kHttp1Refusal;

// "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" (RFC 9113 section 3.4).
extern const std::string_view kClientMagic;

}  // namespace weir::transport
