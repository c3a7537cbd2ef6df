// What a certificate says about its owner, as values and as text for errors.
#pragma once

#include <openssl/x509.h>

#include <string>

#include "weir/transport/io/peer_identity.h"

namespace weir::transport {

PeerIdentity IdentityOf(const X509& certificate);

std::string SubjectOf(const X509& certificate);  // "CN=a.example,O=Example"; "(no subject)"
std::string IssuerOf(const X509& certificate);

// "DNS:a.example, IP:10.0.0.1": what a client may call the owner. "no DNS name or address" if there is none.
std::string HostNamesOf(const X509& certificate);

std::string TimeText(const ASN1_TIME* time);  // "2026-01-31 12:00:00 UTC"

}  // namespace weir::transport
