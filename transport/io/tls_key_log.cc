#include "weir/transport/io/tls_key_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "weir/transport/io/system_error.h"

namespace weir::transport {
namespace {

// For the life of the process; -1: none.
int KeyLogDescriptor() {
  static const int descriptor = [] {
    const char* const path = ::secure_getenv("SSLKEYLOGFILE");
    if (path == nullptr || *path == '\0') return -1;
    const int opened = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (opened < 0) fprintf(stderr, "weir: SSLKEYLOGFILE: %s: %s\n", path, SystemErrorText(errno).c_str());
    return opened;
  }();
  return descriptor;
}

void OnSecret(const SSL*, const char* line) {
  const std::string with_newline = std::string(line) + "\n";  // one write: lines of several threads do not mix
  (void)!::write(KeyLogDescriptor(), with_newline.data(), with_newline.size());
}

}  // namespace

void SetUpKeyLog(SSL_CTX* context) {
  if (KeyLogDescriptor() >= 0) SSL_CTX_set_keylog_callback(context, OnSecret);
}

}  // namespace weir::transport
