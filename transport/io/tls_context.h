// TlsContext: all that the connections of one set of options share. Made from files and texts once, then never changed:
// a reload makes another one, and connections keep the one that they began with.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "weir/transport/io/tls_handles.h"
#include "weir/transport/io/tls_options.h"
#include "weir/transport/io/tls_sessions.h"

namespace weir::transport {

enum class TlsRole { kClient, kServer };

// TlsClientOptions or TlsServerOptions.
struct TlsConfig {
  TlsRole role = TlsRole::kClient;
  TlsKeyPair key_pair;
  TlsPem roots;
  TlsPem revocation_lists;
  TlsClientCertificates client_certificates = TlsClientCertificates::kIgnore;  // servers
  TlsVersion min_version = TlsVersion::k12;
};

class TlsContext {
 public:
  // INVALID_ARGUMENT: what cannot be read, or does not fit together.
  static absl::StatusOr<std::shared_ptr<TlsContext>> Make(const TlsConfig& config);

  // A connection's state, with name and roots to verify set. `host`: see StreamSecurity. Null: out of memory.
  SslPtr NewConnection(const std::string& host) const;

  TlsRole role() const { return role_; }
  TlsVersion min_version() const { return min_version_; }
  const std::string& trusted() const { return trusted_; }                    // "roots ca.pem, 2 certificates"
  const std::string& revocation_lists() const { return revocation_lists_; }  // "": revocation is not checked
  const std::string& own_subject() const { return own_subject_; }            // "": no certificate

  TlsSessions& sessions() { return sessions_; }

 private:
  TlsContext(TlsRole role, TlsVersion min_version) : role_(role), min_version_(min_version) {}

  absl::Status SetUp(const TlsConfig& config);
  absl::Status UseKeyPair(const TlsKeyPair& pair);
  absl::Status UseRoots(const TlsConfig& config);
  absl::Status UseRevocationLists(const TlsPem& lists);

  const TlsRole role_;
  const TlsVersion min_version_;
  SslContextPtr context_;
  std::string trusted_;
  std::string revocation_lists_;
  std::string own_subject_;
  TlsSessions sessions_;
};

inline constexpr std::string_view kAlpnH2 = "\x02h2";  // as it stands on the wire

}  // namespace weir::transport
