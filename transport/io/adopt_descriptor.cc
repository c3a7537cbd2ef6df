#include "weir/transport/io/adopt_descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <string>
#include <string_view>

#include "weir/transport/io/system_error.h"

namespace weir::transport {
namespace {

absl::Status Unexpected(int fd, std::string_view expected, const std::string& got) {
  return absl::InvalidArgumentError("descriptor " + std::to_string(fd) + ": expected " + std::string(expected) +
                                    ", got " + got);
}

// -1: not a socket.
int SocketOption(int fd, int option) {
  int value = 0;
  socklen_t length = sizeof(value);
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
}

absl::Status CheckStreamSocket(int fd, std::string_view expected) {
  if (::fcntl(fd, F_GETFD) < 0) return Unexpected(fd, expected, "none (" + SystemErrorText(errno) + ")");
  const int type = SocketOption(fd, SO_TYPE);
  if (type < 0) return Unexpected(fd, expected, "something that is no socket");
  if (type != SOCK_STREAM) return Unexpected(fd, expected, "a socket of type " + std::to_string(type));
  const int family = SocketOption(fd, SO_DOMAIN);
  if (family != AF_INET && family != AF_INET6 && family != AF_UNIX) {
    return Unexpected(fd, expected, "a socket of family " + std::to_string(family));
  }
  return absl::OkStatus();
}

absl::Status SetFlags(int fd) {
  const int status_flags = ::fcntl(fd, F_GETFL);
  if (::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && ::fcntl(fd, F_SETFL, status_flags | O_NONBLOCK) == 0) {
    return absl::OkStatus();
  }
  return absl::InternalError("descriptor " + std::to_string(fd) + ": fcntl: " + SystemErrorText(errno));
}

}  // namespace

absl::Status AdoptListening(int fd) {
  constexpr std::string_view kExpected = "a listening TCP or Unix stream socket";
  if (absl::Status stream = CheckStreamSocket(fd, kExpected); !stream.ok()) return stream;
  if (SocketOption(fd, SO_ACCEPTCONN) != 1) return Unexpected(fd, kExpected, "one that does not listen");
  return SetFlags(fd);
}

absl::Status AdoptConnected(int fd) {
  constexpr std::string_view kExpected = "a connected TCP or Unix stream socket";
  if (absl::Status stream = CheckStreamSocket(fd, kExpected); !stream.ok()) return stream;
  if (SocketOption(fd, SO_ACCEPTCONN) == 1) return Unexpected(fd, kExpected, "one that listens");
  sockaddr_storage peer{};
  socklen_t length = sizeof(peer);
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0) {
    return Unexpected(fd, kExpected, "one that is not connected");
  }
  return SetFlags(fd);
}

}  // namespace weir::transport
