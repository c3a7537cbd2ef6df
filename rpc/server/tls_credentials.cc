#include "weir/rpc/server/tls_credentials.h"

#include <utility>

#include "weir/transport/io/tls.h"

namespace weir {

ServerCredentials TlsServerCredentials(TlsServerOptions options) {
  return ServerCredentials(transport::MakeTlsServerSecurity(std::move(options)));
}

}  // namespace weir
