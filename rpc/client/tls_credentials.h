// TLS for channels: the chain and the name of the server are verified, ALPN "h2" is required; both cannot be turned
// off.
//
//   weir::Channel channel("greeter.internal:443", weir::TlsCredentials());                    // the system's roots
//
//   weir::TlsChannelOptions tls;
//   tls.roots = weir::TlsPem::File("/etc/greeter/ca.pem");                                    // roots of one's own
//   tls.key_pair = {weir::TlsPem::File("client.pem"), weir::TlsPem::File("client-key.pem")};  // mTLS
//   weir::Channel channel("10.0.0.7:443", weir::TlsChannelCredentials(tls));
//
// The name that is verified and sent as SNI is the host of ChannelOptions::authority, or of the target. Options that
// cannot be used (unreadable files) make every call fail with INVALID_ARGUMENT and the reason; a refused handshake
// makes calls fail with UNAVAILABLE and the reason. Files are read again when they change. Credentials may be shared by
// channels and threads; what is shared includes sessions for resumption.
#pragma once

#include "weir/rpc/client/credentials.h"
#include "weir/transport/io/tls_options.h"

namespace weir {

using TlsChannelOptions = transport::TlsClientOptions;
using transport::TlsKeyPair;
using transport::TlsPem;
using transport::TlsVersion;

ChannelCredentials TlsChannelCredentials(TlsChannelOptions options);

inline ChannelCredentials TlsCredentials() { return TlsChannelCredentials({}); }

}  // namespace weir
