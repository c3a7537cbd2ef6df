// ServerCredentials: how a listening address is secured.
#pragma once

#include <memory>
#include <utility>

namespace weir::transport {
class StreamSecurity;
}

namespace weir {

// InsecureServerCredentials() makes one, and so does TlsServerCredentials() of tls_credentials.h. A value; copies share
// what was loaded.
class ServerCredentials {
 public:
  explicit ServerCredentials(std::shared_ptr<transport::StreamSecurity> security) : security_(std::move(security)) {}

  // Null: cleartext.
  const std::shared_ptr<transport::StreamSecurity>& security() const { return security_; }

 private:
  std::shared_ptr<transport::StreamSecurity> security_;
};

// Cleartext HTTP/2 with prior knowledge (h2c).
inline ServerCredentials InsecureServerCredentials() { return ServerCredentials(nullptr); }

}  // namespace weir
