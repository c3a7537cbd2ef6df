// SendDescriptors, ReceiveDescriptors: open descriptors for another process, over a connected Unix socket (unix(7),
// SCM_RIGHTS).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace weir::transport {

// Of one message: the kernel's SCM_MAX_FD.
inline constexpr size_t kPassedDescriptorsMax = 253;

// Sends them all in one message; they stay open here. Expects a socket with room for it, and does not wait.
absl::Status SendDescriptors(int socket, std::span<const int> descriptors);

// Waits for one message, as long as the socket's SO_RCVTIMEO says. The descriptors are the caller's, close-on-exec.
// UNAVAILABLE if the other side has closed or sends none.
absl::StatusOr<std::vector<int>> ReceiveDescriptors(int socket);

}  // namespace weir::transport
