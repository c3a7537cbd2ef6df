// Descriptors that somebody else has opened: inherited from a supervisor, made by socketpair, received over a socket.
#pragma once

#include "absl/status/status.h"

namespace weir::transport {

// Checks that `fd` is a stream socket of a family that we know, one that listens or one that is connected, and makes it
// non-blocking and close-on-exec. INVALID_ARGUMENT says what was expected and what the descriptor is; it is then as it
// was.
absl::Status AdoptListening(int fd);
absl::Status AdoptConnected(int fd);

}  // namespace weir::transport
