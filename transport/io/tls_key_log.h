// SSLKEYLOGFILE: the secrets of every connection of this process are appended to the file that this variable names, for
// Wireshark (the NSS key log format, draft-ietf-tls-keylogfile). Read once; ignored in setuid programs.
#pragma once

#include <openssl/ssl.h>

namespace weir::transport {

void SetUpKeyLog(SSL_CTX* context);

}  // namespace weir::transport
