#include "weir/rpc/client/tls_credentials.h"

#include <utility>

#include "weir/transport/io/tls.h"

namespace weir {

ChannelCredentials TlsChannelCredentials(TlsChannelOptions options) {
  return ChannelCredentials(transport::MakeTlsClientSecurity(std::move(options)));
}

}  // namespace weir
