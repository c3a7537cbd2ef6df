// ChannelCredentials: how a channel's connections are secured.
#pragma once

#include <memory>
#include <utility>

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

 private:
  std::shared_ptr<transport::StreamSecurity> security_;
};

// Cleartext HTTP/2 with prior knowledge (h2c).
inline ChannelCredentials InsecureChannelCredentials() { return ChannelCredentials(nullptr); }

}  // namespace weir
