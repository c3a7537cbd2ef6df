#include "weir/rpc/server/handover.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/transport/io/pass_descriptors.h"
#include "weir/transport/io/socket_address.h"
#include "weir/transport/io/system_error.h"

namespace weir {
namespace {

constexpr timeval kPatience{.tv_sec = 10, .tv_usec = 0};
constexpr char kTaken = 'T';

absl::StatusOr<transport::SocketAddress> ControlAddress(std::string_view path) {
  return transport::SocketAddress::Parse(absl::StrCat("unix:", std::string(path)));
}

// May this peer have our sockets?
bool IsTrusted(int fd) {
  ucred peer{};
  socklen_t length = sizeof(peer);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

}  // namespace

// ---- the predecessor ------------------------------------------------------------------------------------------------

HandoverOffer::HandoverOffer(transport::EventLoop& loop, std::function<std::vector<int>()> sockets,
                             std::function<void()> on_taken)
    : loop_(loop),
      sockets_(std::move(sockets)),
      on_taken_(std::move(on_taken)),
      listener_(loop, [this](int fd) { OnSuccessor(fd); }) {}

HandoverOffer::~HandoverOffer() {
  listener_.Close();  // the path is free before the successor sees the end
  Forget();
}

absl::Status HandoverOffer::Listen(std::string_view path) {
  absl::StatusOr<transport::SocketAddress> address = ControlAddress(path);
  return address.ok() ? listener_.Listen(*address) : address.status();
}

void HandoverOffer::OnSuccessor(int fd) {
  const bool accepted =
      successor_ < 0 && IsTrusted(fd) && transport::SendDescriptors(fd, sockets_()).ok() && loop_.Watch(fd, this).ok();
  if (!accepted) {
    ::close(fd);
    return;
  }
  successor_ = fd;
}

void HandoverOffer::OnReadable() {
  char byte = 0;
  const ssize_t received = ::recv(successor_, &byte, 1, 0);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (received == 1 && byte == kTaken) return on_taken_();
  Forget();  // it has died, and we go on as before
}

void HandoverOffer::Forget() {
  if (successor_ < 0) return;
  loop_.Unwatch(successor_);
  ::close(std::exchange(successor_, -1));
}

// ---- the successor --------------------------------------------------------------------------------------------------

absl::StatusOr<Takeover> Takeover::From(std::string_view path) {
  absl::StatusOr<transport::SocketAddress> address = ControlAddress(path);
  if (!address.ok()) return address.status();
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return absl::ResourceExhaustedError("take over: socket: " + transport::SystemErrorText(errno));
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  if (::connect(fd, static_cast<const sockaddr*>(address->raw()), address->raw_length()) != 0) {
    const int error = errno;
    ::close(fd);
    return absl::UnavailableError(absl::StrCat("take over: expected a server that offers its sockets at ",
                                               std::string(path), ", got: ", transport::SystemErrorText(error)));
  }
  absl::StatusOr<std::vector<int>> sockets = transport::ReceiveDescriptors(fd);
  if (sockets.ok()) return Takeover(fd, *std::move(sockets));
  ::close(fd);
  return absl::UnavailableError(absl::StrCat("take over from ", std::string(path), ": ",
                                             std::string(sockets.status().message()),
                                             "; it serves its own user and root, and one at a time"));
}

Takeover::Takeover(Takeover&& other) noexcept
    : connection_(std::exchange(other.connection_, -1)), sockets_(std::exchange(other.sockets_, {})) {}

Takeover::~Takeover() {
  for (const int fd : sockets_) {
    if (fd >= 0) ::close(fd);
  }
  if (connection_ >= 0) ::close(connection_);
}

absl::Status Takeover::Complete() {
  char byte = kTaken;
  if (::send(connection_, &byte, 1, MSG_NOSIGNAL) != 1) {
    return absl::UnavailableError("take over: the predecessor has ended: " + transport::SystemErrorText(errno));
  }
  ssize_t received = 0;
  do {
    received = ::recv(connection_, &byte, 1, 0);
  } while (received < 0 && errno == EINTR);
  if (received == 0 || errno == ECONNRESET) return absl::OkStatus();
  return absl::DeadlineExceededError("take over: expected the predecessor to let go of its sockets within 10s");
}

}  // namespace weir
