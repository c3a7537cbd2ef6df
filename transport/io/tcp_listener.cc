#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "weir/transport/io/adopt_descriptor.h"
#include "weir/transport/io/system_error.h"
#include "weir/transport/io/tcp.h"

namespace weir::transport {
namespace {

const sockaddr* Raw(const SocketAddress& address) { return static_cast<const sockaddr*>(address.raw()); }

int OpenReserve() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

absl::Status ListenError(const SocketAddress& address, int error) {
  std::string text = "listen on " + address.ToString() + ": " + SystemErrorText(error);
  if (error == EADDRINUSE) text += "; stop the process that has it, or choose another";
  if (error == EADDRNOTAVAIL) text += "; no interface of this machine has the address";
  if (error == EACCES && !address.is_unix()) text += "; ports below 1024 need CAP_NET_BIND_SERVICE";
  return absl::FailedPreconditionError(text);
}

// A Unix socket's file outlives its process: it is stale if nobody accepts on it.
bool IsStale(const SocketAddress& address) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const bool refused = ::connect(fd, Raw(address), address.raw_length()) != 0 && errno == ECONNREFUSED;
  ::close(fd);
  return refused;
}

bool Bind(int fd, const SocketAddress& address) {
  if (::bind(fd, Raw(address), address.raw_length()) == 0) return true;
  if (errno != EADDRINUSE) return false;
  const std::string path = address.UnixPath();
  const bool replaced = !path.empty() && IsStale(address) && ::unlink(path.c_str()) == 0 &&
                        ::bind(fd, Raw(address), address.raw_length()) == 0;
  if (!replaced) errno = EADDRINUSE;
  return replaced;
}

bool PeerGaveUp(int error) {
  // accept(2): "Linux accept() passes already-pending network errors on the new socket as an error code from accept()."
  switch (error) {
    case ECONNABORTED:
    case EINTR:
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

}  // namespace

TcpListener::TcpListener(EventLoop& loop, OnAccept on_accept)
    : loop_(loop), on_accept_(std::move(on_accept)), resume_(loop, [this] { AcceptSome(); }) {}

TcpListener::~TcpListener() {
  if (destroyed_ != nullptr) *destroyed_ = true;
  Close();
}

absl::Status TcpListener::Listen(const SocketAddress& address) {
  if (fd_ >= 0) return absl::FailedPreconditionError("listen on " + address.ToString() + ": already listening");
  const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return ListenError(address, errno);
  const int one = 1;
  const int zero = 0;
  if (!address.is_unix()) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  // [::] serves IPv4 too, whatever the system's default.
  if (address.family() == AF_INET6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
  if (!Bind(fd, address) || ::listen(fd, SOMAXCONN) != 0) {
    const absl::Status error = ListenError(address, errno);
    ::close(fd);
    return error;
  }
  if (absl::Status begun = Begin(fd); !begun.ok()) {
    ::close(fd);
    return begun;
  }
  owns_file_ = true;
  return absl::OkStatus();
}

absl::Status TcpListener::ListenOn(int fd) {
  if (fd_ >= 0) return absl::FailedPreconditionError("listen on fd:" + std::to_string(fd) + ": already listening");
  if (absl::Status adopted = AdoptListening(fd); !adopted.ok()) return adopted;
  return Begin(fd);
}

absl::Status TcpListener::Begin(int fd) {
  if (absl::Status watched = loop_.Watch(fd, this); !watched.ok()) return watched;
  sockaddr_storage bound{};
  socklen_t length = sizeof(bound);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length);
  address_ = SocketAddress::FromRaw(&bound, length);
  fd_ = fd;
  reserve_fd_ = OpenReserve();
  return absl::OkStatus();
}

void TcpListener::Close() {
  resume_.Cancel();
  if (fd_ < 0) return;
  loop_.Unwatch(fd_);
  ::close(std::exchange(fd_, -1));
  if (reserve_fd_ >= 0) ::close(std::exchange(reserve_fd_, -1));
  if (const std::string path = address_.UnixPath(); owns_file_ && !path.empty()) ::unlink(path.c_str());
}

void TcpListener::OnReadable() {
  if (!resume_.IsSet()) AcceptSome();
}

void TcpListener::AcceptSome() {
  bool destroyed = false;
  for (int tries = 0; tries < kAcceptsPerTurnMax; ++tries) {
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      if (PeerGaveUp(errno)) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) PauseAfter(errno);
      return;
    }
    destroyed_ = &destroyed;
    on_accept_(fd);
    if (destroyed) return;
    destroyed_ = nullptr;
    if (fd_ < 0) return;
  }
  resume_.Set(loop_.Now());  // there may be more, and their readiness has been told already
}

void TcpListener::PauseAfter(int error) {
  if ((error == EMFILE || error == ENFILE) && reserve_fd_ >= 0) {
    ::close(reserve_fd_);
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) ::close(fd);
  }
  if (error == EMFILE || error == ENFILE) reserve_fd_ = OpenReserve();
  resume_.Set(loop_.Now() + kPause);
}

}  // namespace weir::transport
