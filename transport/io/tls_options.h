// What may be set on TLS. Plain values with working defaults; no type of the TLS library.
//
// What may not be set: verification of chain and name cannot be turned off, ALPN "h2" is required, TLS 1.2 has only the
// cipher suites that HTTP/2 allows (RFC 9113 section 9.2), compression and renegotiation are off.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/time.h"

namespace weir::transport {

// PEM text: in a file or in memory. A file is looked at again when a connection is made, at most once a second, and
// read anew when it has changed.
class TlsPem {
 public:
  TlsPem() = default;  // none
  static TlsPem File(std::string path) { return TlsPem(std::move(path), ""); }
  static TlsPem Memory(std::string text) { return TlsPem("", std::move(text)); }

  bool empty() const { return path_.empty() && text_.empty(); }
  const std::string& path() const { return path_; }  // empty: in memory
  const std::string& text() const { return text_; }

 private:
  TlsPem(std::string path, std::string text) : path_(std::move(path)), text_(std::move(text)) {}
  std::string path_;
  std::string text_;
};

// Whom we prove to be. A pair of files that changes is replaced whole: until both fit together, the old pair stays.
struct TlsKeyPair {
  TlsPem certificate_chain;  // ours first, then the intermediate ones
  TlsPem private_key;        // not encrypted

  bool empty() const { return certificate_chain.empty() && private_key.empty(); }
};

enum class TlsVersion { k12, k13 };

// Takes one line without "\n" for what an operator should know: a certificate that could not be reloaded, a refused
// handshake (at most one line a second). Any thread. Null: standard error.
using TlsLog = std::function<void(std::string_view line)>;

struct TlsClientOptions {
  // Whom to trust. Empty: the system's roots.
  TlsPem roots;

  // Certificates that are no longer good (CRL, RFC 5280 section 5). Not empty: one list for each issuer in a server's
  // chain is required, the root included, and none may be past its nextUpdate. Empty: revocation is not checked.
  TlsPem revocation_lists;

  // For servers that ask for a client certificate. Empty: none.
  TlsKeyPair key_pair;

  TlsVersion min_version = TlsVersion::k12;

  // From the first byte to the end of the handshake.
  absl::Duration handshake_timeout = absl::Seconds(10);

  TlsLog log;
};

enum class TlsClientCertificates {
  kIgnore,   // not asked for
  kRequest,  // asked for; a client without one is served, one that does not verify is refused
  kRequire,  // asked for; a client without one is refused
};

struct TlsServerOptions {
  // Required.
  TlsKeyPair key_pair;

  TlsClientCertificates client_certificates = TlsClientCertificates::kIgnore;

  // Who may issue client certificates. Required when they are asked for: the system's roots would let in the world.
  TlsPem client_roots;

  // Client certificates that are no longer good, as TlsClientOptions::revocation_lists.
  TlsPem client_revocation_lists;

  TlsVersion min_version = TlsVersion::k12;

  // From the first byte to the end of the handshake.
  absl::Duration handshake_timeout = absl::Seconds(10);

  TlsLog log;
};

}  // namespace weir::transport
