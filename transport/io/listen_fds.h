// ListenFds: the descriptors that a supervisor has passed to this process (systemd's socket activation,
// sd_listen_fds(3)).
//
//   LISTEN_PID=4711 LISTEN_FDS=2 LISTEN_FDNAMES=web:admin     ->  {3, "web"}, {4, "admin"}
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace weir::transport {

struct ListenFd {
  int fd = -1;
  std::string name;  // FileDescriptorName= of the socket unit; "unknown" if there is none, as sd_listen_fds has it
};

// From 3 on, in order; empty if nothing was passed, or not to this process. The environment is left as it is, and the
// descriptors become close-on-exec, so that a child neither has them nor takes the variables for its own (LISTEN_PID).
// INVALID_ARGUMENT says which variable cannot be understood.
absl::StatusOr<std::vector<ListenFd>> ListenFds();

}  // namespace weir::transport
