// PeerIdentity: who a peer has proven to be, from its verified certificate. A value.
#pragma once

#include <string>
#include <vector>

namespace weir::transport {

struct PeerIdentity {
  std::string subject;                 // "CN=payments,O=Example" (RFC 2253)
  std::vector<std::string> dns_names;  // the subject alternative names, by kind
  std::vector<std::string> uris;       // "spiffe://example.org/payments"
  std::vector<std::string> emails;
  std::vector<std::string> ip_addresses;  // "10.0.0.1", "2001:db8::1"

  // No certificate was asked for or sent; cleartext.
  bool empty() const {
    return subject.empty() && dns_names.empty() && uris.empty() && emails.empty() && ip_addresses.empty();
  }
};

}  // namespace weir::transport
