// TLS over any ByteStream. This header and tls_options.h are all that the rest of weir sees of it.
#pragma once

#include <memory>

#include "weir/transport/io/stream_security.h"
#include "weir/transport/io/tls_options.h"

namespace weir::transport {

// Never null. Options that cannot be used (unreadable files, a key that is not the certificate's) make status()
// INVALID_ARGUMENT with the reason. Reads the files now.
std::shared_ptr<StreamSecurity> MakeTlsClientSecurity(TlsClientOptions options);
std::shared_ptr<StreamSecurity> MakeTlsServerSecurity(TlsServerOptions options);

}  // namespace weir::transport
