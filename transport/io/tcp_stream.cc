// The ByteStream over a socket: TCP and Unix alike.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "weir/transport/io/system_error.h"
#include "weir/transport/io/tcp.h"

namespace weir::transport {
namespace {

constexpr size_t kPiecesMax = 64;

template <int (*kGetName)(int, sockaddr*, socklen_t*)>
SocketAddress NameOf(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  if (kGetName(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return SocketAddress();
  return SocketAddress::FromRaw(&storage, length);
}

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

class SocketStream final : public ByteStream, private DescriptorHandler {
 public:
  SocketStream(EventLoop& loop, int fd) : loop_(loop), fd_(fd) {
    const SocketAddress peer = NameOf<::getpeername>(fd);
    // A connecting Unix socket has no name of its own: the peer goes by the name of the place where both met.
    const bool nameless = peer.is_unix() && peer.ToString() == "unix:";
    peer_name_ = nameless ? LocalName() : peer.ToString();
    is_local_ = peer.is_unix();
    if (is_local_) return;
    const int one = 1;
    // May fail if the peer has already reset the connection; the first read says so.
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  }

  ~SocketStream() override {
    if (observer_ != nullptr) loop_.Unwatch(fd_);
    ::close(fd_);
  }

  absl::Status Start(ByteStreamObserver* observer) override {
    absl::Status watched = loop_.Watch(fd_, this);
    if (watched.ok()) observer_ = observer;
    return watched;
  }

  IoResult Read(std::span<char> buffer) override {
    if (emptied_) return {.kind = IoResult::Kind::kWouldBlock};
    ssize_t count = 0;
    do {
      count = ::recv(fd_, buffer.data(), buffer.size(), 0);
    } while (count < 0 && errno == EINTR);
    if (count == 0) return {.kind = IoResult::Kind::kEnd};
    if (count < 0) return Failure("read from", errno);
    // Saves the system call that would only say so; when the end has come already, it would not be announced again.
    emptied_ = static_cast<size_t>(count) < buffer.size() && !hung_up_;
    return {.kind = IoResult::Kind::kDone, .bytes = static_cast<size_t>(count)};
  }

  IoResult Write(std::span<const std::string_view> pieces) override {
    std::array<iovec, kPiecesMax> vectors;
    msghdr message{};
    message.msg_iov = vectors.data();
    for (const std::string_view piece : pieces.first(std::min(pieces.size(), kPiecesMax))) {
      if (piece.empty()) continue;
      vectors[message.msg_iovlen++] = {.iov_base = const_cast<char*>(piece.data()), .iov_len = piece.size()};
    }
    ssize_t count = 0;
    do {
      count = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return Failure("write to", errno);
    return {.kind = IoResult::Kind::kDone, .bytes = static_cast<size_t>(count)};
  }

  void SetAcknowledgeTimeout(std::chrono::nanoseconds limit) override {
    // gRFC A18. Not of a Unix socket, which refuses it: nothing is ever on the way there.
    constexpr std::chrono::hours kLongest(24);
    if (limit > kLongest) return;
    const auto milliseconds =
        static_cast<unsigned>(std::chrono::duration_cast<std::chrono::milliseconds>(limit).count());
    ::setsockopt(fd_, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof(milliseconds));
  }

  void ShutdownWrite() override { ::shutdown(fd_, SHUT_WR); }

  std::string PeerName() const override { return peer_name_; }
  std::string LocalName() const override { return NameOf<::getsockname>(fd_).ToString(); }
  bool IsLocal() const override { return is_local_; }

 private:
  void OnHangUp() override { hung_up_ = true; }
  void OnReadable() override {
    emptied_ = false;
    observer_->OnReadable();
  }
  void OnWritable() override { observer_->OnWritable(); }

  IoResult Failure(std::string_view action, int error) {
    if (WouldBlock(error)) return {.kind = IoResult::Kind::kWouldBlock};
    return {.kind = IoResult::Kind::kError,
            .error = absl::UnavailableError(std::string(action) + " " + peer_name_ + ": " + SystemErrorText(error))};
  }

  EventLoop& loop_;
  const int fd_;
  bool is_local_ = false;
  ByteStreamObserver* observer_ = nullptr;
  bool emptied_ = false;
  bool hung_up_ = false;
  std::string peer_name_;
};

}  // namespace

std::unique_ptr<ByteStream> MakeTcpStream(EventLoop& loop, int fd) { return std::make_unique<SocketStream>(loop, fd); }

}  // namespace weir::transport
