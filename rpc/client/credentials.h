// ChannelCredentials: how a channel's connections are secured, and on whose behalf its calls are made.
#pragma once

#include <memory>
#include <utility>

#include "weir/rpc/client/call_credentials/call_credentials.h"

namespace weir::transport {
class StreamSecurity;
}

namespace weir {

// InsecureChannelCredentials() makes one, and so does TlsChannelCredentials() of tls_credentials.h. A value; copies
// share what was loaded.
class ChannelCredentials {
 public:
  explicit ChannelCredentials(std::shared_ptr<transport::StreamSecurity> security) : security_(std::move(security)) {}

  // Null: cleartext.
  const std::shared_ptr<transport::StreamSecurity>& security() const { return security_; }
  // Of every call; null: none.
  const std::shared_ptr<const CallCredentialsList>& call_credentials() const { return call_credentials_; }

 private:
  friend ChannelCredentials CompositeChannelCredentials(ChannelCredentials, std::shared_ptr<CallCredentials>);

  std::shared_ptr<transport::StreamSecurity> security_;
  std::shared_ptr<const CallCredentialsList> call_credentials_;
};

// Cleartext HTTP/2 with prior knowledge (h2c).
inline ChannelCredentials InsecureChannelCredentials() { return ChannelCredentials(nullptr); }

// The same connections; every call carries what `call_credentials`, not null, give, after what those give that
// `channel_credentials` have already. Where they are not sent: call_credentials/call_credentials.h.
ChannelCredentials CompositeChannelCredentials(ChannelCredentials channel_credentials,
                                               std::shared_ptr<CallCredentials> call_credentials);

}  // namespace weir
