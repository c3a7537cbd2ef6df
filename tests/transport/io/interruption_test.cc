// System calls of the stream over a socket that a signal interrupts (EINTR), or for which the system has no buffers.
// The library finds these recv and sendmsg in place of the C library's.
#include <errno.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string_view>

#include "weir/transport/io/epoll_loop.h"
#include "weir/transport/io/tcp.h"

namespace {

// The next calls fail so: how often, and how.
int failures = 0;
int failure = 0;

bool Fails() {
  if (failures == 0) return false;
  --failures;
  errno = failure;
  return true;
}

}  // namespace

extern "C" ssize_t recv(int fd, void* buffer, size_t size, int flags) {
  return Fails() ? -1 : ::syscall(SYS_recvfrom, fd, buffer, size, flags, nullptr, nullptr);
}
extern "C" ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  return Fails() ? -1 : ::syscall(SYS_sendmsg, fd, message, flags);
}

namespace weir::transport {
namespace {

class InterruptionTest : public ::testing::Test {
 protected:
  InterruptionTest() {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends_.data()), 0);
    stream_ = MakeTcpStream(*loop_, ends_[0]);
  }
  ~InterruptionTest() override {
    failures = 0;
    ::close(ends_[1]);
  }

  void Fail(int error, int times) {
    failure = error;
    failures = times;
  }
  IoResult Write(std::string_view bytes) {
    const std::array<std::string_view, 1> pieces = {bytes};
    return stream_->Write(pieces);
  }

  std::unique_ptr<EpollLoop> loop_ = *EpollLoop::Create();
  std::array<int, 2> ends_{};
  std::unique_ptr<ByteStream> stream_;
};

TEST_F(InterruptionTest, AReadThatIsInterruptedIsMadeAgain) {
  ASSERT_EQ(::write(ends_[1], "abc", 3), 3);
  Fail(EINTR, 5);
  std::array<char, 8> buffer;
  const IoResult result = stream_->Read(buffer);
  EXPECT_EQ(result.kind, IoResult::Kind::kDone) << result.error;
  EXPECT_EQ(std::string_view(buffer.data(), result.bytes), "abc");
  EXPECT_EQ(failures, 0);
}

TEST_F(InterruptionTest, AWriteThatIsInterruptedIsMadeAgain) {
  Fail(EINTR, 5);
  const IoResult result = Write("abc");
  EXPECT_EQ(result.kind, IoResult::Kind::kDone) << result.error;
  EXPECT_EQ(result.bytes, 3u);
  EXPECT_EQ(failures, 0);
}

TEST_F(InterruptionTest, AWriteWithoutBuffersFailsAndSaysSo) {
  Fail(ENOBUFS, 1);
  const IoResult result = Write("abc");
  EXPECT_EQ(result.kind, IoResult::Kind::kError);
  EXPECT_NE(result.error.message().find("No buffer space available"), std::string_view::npos) << result.error;
}

}  // namespace
}  // namespace weir::transport
