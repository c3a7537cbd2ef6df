#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "weir/transport/io/system_error.h"
#include "weir/transport/io/tcp.h"

namespace weir::transport {
namespace {

absl::Status ConnectError(const SocketAddress& address, int error) {
  return absl::UnavailableError("connect to " + address.ToString() + ": " + SystemErrorText(error));
}

}  // namespace

TcpConnector::TcpConnector(EventLoop& loop, const SocketAddress& address, OnDone on_done)
    : loop_(loop), address_(address), on_done_(std::move(on_done)), report_(loop, [this] { Report(outcome_); }) {}

TcpConnector::~TcpConnector() {
  if (fd_ < 0) return;
  loop_.Unwatch(fd_);
  ::close(fd_);
}

void TcpConnector::Start() {
  fd_ = ::socket(address_.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ < 0) {
    outcome_ = ConnectError(address_, errno);
  } else if (::connect(fd_, static_cast<const sockaddr*>(address_.raw()), address_.raw_length()) != 0) {
    if (errno == EINPROGRESS || errno == EINTR) {
      outcome_ = loop_.Watch(fd_, this);
      if (outcome_.ok()) return;
    } else {
      outcome_ = ConnectError(address_, errno);
    }
  }
  report_.Set(loop_.Now());
}

void TcpConnector::OnWritable() {
  int error = 0;
  socklen_t length = sizeof(error);
  ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return Report(ConnectError(address_, error));
  sockaddr_storage peer{};
  socklen_t peer_length = sizeof(peer);
  if (::getpeername(fd_, reinterpret_cast<sockaddr*>(&peer), &peer_length) == 0) return Report(absl::OkStatus());
  if (errno != ENOTCONN) Report(ConnectError(address_, errno));  // else it is still under way
}

void TcpConnector::Report(absl::Status outcome) {
  const OnDone on_done = std::move(on_done_);  // may destroy us
  const int fd = std::exchange(fd_, -1);
  if (fd >= 0) loop_.Unwatch(fd);
  if (outcome.ok()) return on_done(MakeTcpStream(loop_, fd));
  if (fd >= 0) ::close(fd);
  on_done(std::move(outcome));
}

}  // namespace weir::transport
