// ServerCredentials: how a listening address is secured.
#pragma once

namespace weir {

class ServerCredentials {
 public:
  friend ServerCredentials InsecureServerCredentials();

 private:
  ServerCredentials() = default;
};

// Cleartext HTTP/2 with prior knowledge (h2c).
inline ServerCredentials InsecureServerCredentials() { return ServerCredentials(); }

}  // namespace weir
