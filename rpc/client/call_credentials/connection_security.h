// ConnectionSecurity: who can read what is sent on a connection.
#pragma once

#include <cstdint>

namespace weir {

enum class ConnectionSecurity : uint8_t {
  kPlaintext,  // everybody on the way
  kLocal,      // nobody else: it does not leave the machine. A Unix socket, or a server in this process
  kTls,        // the server alone, whose certificate was verified
};

}  // namespace weir
