// TLS for listening addresses: ALPN "h2" is required; client certificates as told.
//
//   weir::TlsServerOptions tls;
//   tls.key_pair = {weir::TlsPem::File("server.pem"), weir::TlsPem::File("server-key.pem")};
//   tls.client_certificates = weir::TlsClientCertificates::kRequire;                          // mTLS; who it is:
//   tls.client_roots = weir::TlsPem::File("ca.pem");                                          // context.peer_identity()
//   server.Listen("0.0.0.0:443", weir::TlsServerCredentials(tls));
//
// Options that cannot be used make Listen fail with INVALID_ARGUMENT and the reason. Files are read again when they
// change; a pair that cannot be used is told to TlsServerOptions::log and the old one stays in use.
#pragma once

#include "weir/rpc/server/credentials.h"
#include "weir/transport/io/tls_options.h"

namespace weir {

using transport::TlsClientCertificates;
using transport::TlsKeyPair;
using transport::TlsPem;
using transport::TlsServerOptions;
using transport::TlsVersion;

ServerCredentials TlsServerCredentials(TlsServerOptions options);

}  // namespace weir
