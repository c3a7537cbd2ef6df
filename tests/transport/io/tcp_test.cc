#include "weir/transport/io/tcp.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/testing/status_matchers.h"
#include "weir/transport/io/epoll_loop.h"

namespace weir::transport {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;
using weir::testing::IsOk;
using weir::testing::StatusIs;

SocketAddress Address(std::string_view text) {
  auto address = SocketAddress::Parse(text);
  EXPECT_TRUE(address.ok()) << address.status();
  return address.ok() ? *address : SocketAddress();
}

// Reads all there is into `received`; sends it back if it is an echo.
class Peer final : public ByteStreamObserver {
 public:
  Peer(std::unique_ptr<ByteStream> s, bool echo) : stream(std::move(s)), echo_(echo) {
    EXPECT_THAT(stream->Start(this), IsOk());
  }
  void Send(std::string_view text) {
    unsent_.append(text);
    OnWritable();
  }
  void OnReadable() override {
    std::array<char, 1000> buffer;
    while (true) {
      const IoResult result = stream->Read(buffer);
      if (result.kind == IoResult::Kind::kWouldBlock) return;
      if (result.kind != IoResult::Kind::kDone) {
        ended = true;
        error = result.error;
        if (echo_) stream->ShutdownWrite();
        return;
      }
      received.append(buffer.data(), result.bytes);
      if (echo_) Send({buffer.data(), result.bytes});
    }
  }
  void OnWritable() override {
    while (!unsent_.empty()) {
      const std::string_view half = std::string_view(unsent_).substr(0, (unsent_.size() + 1) / 2);
      const std::string_view pieces[] = {half, std::string_view(unsent_).substr(half.size())};
      const IoResult result = stream->Write(pieces);
      if (result.kind != IoResult::Kind::kDone) return;
      unsent_.erase(0, result.bytes);
    }
  }

  std::unique_ptr<ByteStream> stream;
  std::string received;
  bool ended = false;
  absl::Status error;

 private:
  const bool echo_;
  std::string unsent_;
};

class TcpTest : public ::testing::Test {
 protected:
  bool RunUntil(const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) {
      if (std::chrono::steady_clock::now() > limit) return false;
      loop_.RunOnce(std::chrono::milliseconds(100));
    }
    return true;
  }

  absl::StatusOr<std::unique_ptr<ByteStream>> Connect(const SocketAddress& address) {
    absl::StatusOr<std::unique_ptr<ByteStream>> outcome = absl::UnknownError("not done");
    bool done = false;
    TcpConnector connector(loop_, address, [&](auto result) {
      outcome = std::move(result);
      done = true;
    });
    connector.Start();
    EXPECT_FALSE(done) << "never inside Start";
    EXPECT_TRUE(RunUntil([&] { return done; }));
    return outcome;
  }

  void EchoOver(std::string_view listen_on) {
    std::unique_ptr<Peer> server;
    TcpListener listener(loop_, [&](int fd) {
      EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC);
      EXPECT_TRUE(::fcntl(fd, F_GETFL) & O_NONBLOCK);
      server = std::make_unique<Peer>(MakeTcpStream(loop_, fd), true);
    });
    ASSERT_THAT(listener.Listen(Address(listen_on)), IsOk());
    auto stream = Connect(listener.address());
    ASSERT_THAT(stream, IsOk());
    EXPECT_EQ((*stream)->PeerName(), listener.address().ToString());
    Peer client(*std::move(stream), false);
    std::string text;
    for (int i = 0; text.size() < 3'000'000; ++i) text += std::to_string(i) + " ";
    client.Send(text);
    ASSERT_TRUE(RunUntil([&] { return client.received.size() >= text.size(); }));
    EXPECT_TRUE(client.received == text);
    if (!listener.address().is_unix()) {
      EXPECT_EQ(server->stream->PeerName(), client.stream->LocalName());
    }
    client.stream->ShutdownWrite();
    EXPECT_TRUE(RunUntil([&] { return server->ended && client.ended; }));
    EXPECT_THAT(client.error, IsOk());
  }

  EpollLoop loop_;
};

TEST_F(TcpTest, EchoOverIpv4WithAPortChosenByTheSystem) { EchoOver("127.0.0.1:0"); }

TEST_F(TcpTest, EchoOverIpv6WithAPortChosenByTheSystem) {
  const int probe = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const SocketAddress loopback = Address("[::1]:0");
  const bool has_ipv6 =
      probe >= 0 && ::bind(probe, static_cast<const sockaddr*>(loopback.raw()), loopback.raw_length()) == 0;
  if (probe >= 0) ::close(probe);
  if (!has_ipv6) GTEST_SKIP() << "this machine has no ::1";
  EchoOver("[::1]:0");
}

TEST_F(TcpTest, EchoOverAUnixSocketWhoseFileGoesWithTheListener) {
  char folder[] = "/tmp/weir-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/socket";
  EchoOver("unix:" + path);
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
  EXPECT_EQ(::rmdir(folder), 0);
}

TEST_F(TcpTest, EchoOverAnAbstractUnixSocket) { EchoOver("unix-abstract:weir-test-" + std::to_string(::getpid())); }

TEST_F(TcpTest, AUnixSocketFileThatNobodyListensOnIsReplacedButNotOneInUse) {
  char folder[] = "/tmp/weir-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const SocketAddress address = Address("unix:" + std::string(folder) + "/socket");
  const int stale = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::bind(stale, static_cast<const sockaddr*>(address.raw()), address.raw_length()), 0);
  ::close(stale);  // the file stays
  {
    TcpListener listener(loop_, [](int fd) { ::close(fd); });
    EXPECT_THAT(listener.Listen(address), IsOk());
    TcpListener second(loop_, [](int fd) { ::close(fd); });
    EXPECT_THAT(second.Listen(address), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("in use")));
  }
  EXPECT_EQ(::rmdir(folder), 0);
}

TEST_F(TcpTest, StreamsAndListenersSetTheirSocketOptions) {
  int accepted = -1;
  TcpListener listener(loop_, [&](int fd) { accepted = fd; });
  ASSERT_THAT(listener.Listen(Address("127.0.0.1:0")), IsOk());
  auto client = Connect(listener.address());
  ASSERT_THAT(client, IsOk());
  ASSERT_TRUE(RunUntil([&] { return accepted >= 0; }));
  auto stream = MakeTcpStream(loop_, accepted);
  int value = 0;
  socklen_t length = sizeof(value);
  ASSERT_EQ(::getsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &value, &length), 0);
  EXPECT_EQ(value, 1);
}

TEST_F(TcpTest, AConnectionThatIsRefusedNamesTheAddressAndTheReason) {
  SocketAddress free;
  {
    TcpListener listener(loop_, [](int fd) { ::close(fd); });
    ASSERT_THAT(listener.Listen(Address("127.0.0.1:0")), IsOk());
    free = listener.address();
  }
  EXPECT_THAT(Connect(free),
              StatusIs(absl::StatusCode::kUnavailable, "connect to " + free.ToString() + ": Connection refused"));
}

TEST_F(TcpTest, AUnixSocketThatIsNotThereNamesThePath) {
  EXPECT_THAT(
      Connect(Address("unix:/nonexistent/socket")),
      StatusIs(absl::StatusCode::kUnavailable, "connect to unix:/nonexistent/socket: No such file or directory"));
}

TEST_F(TcpTest, ADestroyedConnectorDoesNotReport) {
  TcpListener listener(loop_, [](int fd) { ::close(fd); });
  ASSERT_THAT(listener.Listen(Address("127.0.0.1:0")), IsOk());
  {
    TcpConnector connector(loop_, listener.address(), [](auto) { FAIL(); });
    connector.Start();
  }
  for (int i = 0; i < 5; ++i) loop_.RunOnce(std::chrono::milliseconds(0));
}

TEST_F(TcpTest, AConnectorMayBeDestroyedInsideItsCallback) {
  TcpListener listener(loop_, [](int fd) { ::close(fd); });
  ASSERT_THAT(listener.Listen(Address("127.0.0.1:0")), IsOk());
  std::unique_ptr<TcpConnector> connector;
  bool done = false;
  connector = std::make_unique<TcpConnector>(loop_, listener.address(), [&](auto result) {
    EXPECT_THAT(result, IsOk());
    connector.reset();
    done = true;
  });
  connector->Start();
  EXPECT_TRUE(RunUntil([&] { return done; }));
}

TEST_F(TcpTest, APortInUseIsAnErrorThatNamesItAndSaysWhatToDo) {
  TcpListener first(loop_, [](int fd) { ::close(fd); });
  ASSERT_THAT(first.Listen(Address("127.0.0.1:0")), IsOk());
  TcpListener second(loop_, [](int fd) { ::close(fd); });
  EXPECT_THAT(second.Listen(first.address()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "listen on " + first.address().ToString() +
                           ": Address already in use; stop the process that has it, or choose another"));
}

TEST_F(TcpTest, AnAddressOfNoInterfaceIsAnErrorThatSaysSo) {
  TcpListener listener(loop_, [](int fd) { ::close(fd); });
  EXPECT_THAT(listener.Listen(Address("192.0.2.1:0")),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(StartsWith("listen on 192.0.2.1:0: "), HasSubstr("no interface of this machine"))));
}

TEST_F(TcpTest, AListenerAcceptsABoundedNumberPerTurnAndLosesNone) {
  constexpr size_t kClients = 150;
  std::vector<int> accepted;
  TcpListener listener(loop_, [&](int fd) { accepted.push_back(fd); });
  ASSERT_THAT(listener.Listen(Address("127.0.0.1:0")), IsOk());
  std::vector<int> clients;
  for (size_t i = 0; i < kClients; ++i) {
    clients.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(clients.back(), static_cast<const sockaddr*>(listener.address().raw()),
                        listener.address().raw_length()),
              0);
  }
  loop_.RunOnce(std::chrono::milliseconds(0));
  EXPECT_LE(accepted.size(), 2u * TcpListener::kAcceptsPerTurnMax);
  EXPECT_TRUE(RunUntil([&] { return accepted.size() == kClients; }));
  for (int fd : clients) ::close(fd);
  for (int fd : accepted) ::close(fd);
}

TEST_F(TcpTest, AListenerMayBeDestroyedInsideItsCallback) {
  std::unique_ptr<TcpListener> listener;
  bool accepted = false;
  listener = std::make_unique<TcpListener>(loop_, [&](int fd) {
    ::close(fd);
    accepted = true;
    listener.reset();
  });
  ASSERT_THAT(listener->Listen(Address("127.0.0.1:0")), IsOk());
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(
      ::connect(client, static_cast<const sockaddr*>(listener->address().raw()), listener->address().raw_length()), 0);
  EXPECT_TRUE(RunUntil([&] { return accepted; }));
  ::close(client);
}

TEST_F(TcpTest, WithoutDescriptorsOnePeerIsTurnedAwayTheOthersWaitAndTheLoopDoesNotSpin) {
  std::vector<int> accepted;
  TcpListener listener(loop_, [&](int fd) { accepted.push_back(fd); });
  ASSERT_THAT(listener.Listen(Address("127.0.0.1:0")), IsOk());
  std::vector<int> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ::connect(clients.back(), static_cast<const sockaddr*>(listener.address().raw()), listener.address().raw_length());
  }
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  // The lowest free number is the limit: nothing can be opened any more.
  const int lowest_free = ::dup(clients[0]);
  ::close(lowest_free);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(lowest_free);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto began = std::chrono::steady_clock::now();
  loop_.RunOnce(std::chrono::milliseconds(0));
  int turns = 0;
  while (std::chrono::steady_clock::now() < began + TcpListener::kPause) {
    loop_.RunOnce(TcpListener::kPause);
    ++turns;
  }
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_THAT(accepted, SizeIs(0));
  EXPECT_LE(turns, 5);
  EXPECT_TRUE(RunUntil([&] { return !accepted.empty(); }));
  char byte = 0;
  const bool turned_away = ::recv(clients[0], &byte, 1, MSG_DONTWAIT) == 0;
  EXPECT_TRUE(turned_away) << "the first in the queue is told at once";
  EXPECT_GE(accepted.size(), 1u);
  for (int fd : clients) ::close(fd);
  for (int fd : accepted) ::close(fd);
}

struct Case {
  std::string_view text;
  std::string_view canonical;
};

TEST(SocketAddressTest, AddressesArePrintedAsTheyAreParsed) {
  for (const Case& c : std::vector<Case>{{"127.0.0.1:50051", "127.0.0.1:50051"},
                                         {"0.0.0.0:0", "0.0.0.0:0"},
                                         {"[::1]:65535", "[::1]:65535"},
                                         {"[0:0::1]:1", "[::1]:1"},
                                         {"[fe80::1%1]:80", "[fe80::1%1]:80"},
                                         {"unix:/run/x.sock", "unix:/run/x.sock"},
                                         {"unix:x.sock", "unix:x.sock"},
                                         {"unix-abstract:x", "unix-abstract:x"}}) {
    auto address = SocketAddress::Parse(c.text);
    ASSERT_THAT(address, IsOk());
    EXPECT_EQ(address->ToString(), c.canonical);
    EXPECT_EQ(*SocketAddress::Parse(c.canonical), *address);
  }
  EXPECT_EQ(Address("[::1]:8080").port(), 8080);
  EXPECT_EQ(Address("unix:/x").UnixPath(), "/x");
  EXPECT_EQ(SocketAddress().ToString(), "unknown");
}

TEST(SocketAddressTest, ABadAddressSaysWhatWasExpectedAndWhatCame) {
  for (std::string_view text : {"", "127.0.0.1", "localhost:80", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                                "127.0.0.1:80x", "::1:80", "[::1]", "[127.0.0.1]:80", "127.1:80", "[::1%]:80", ":80"}) {
    EXPECT_THAT(
        SocketAddress::Parse(text),
        StatusIs(absl::StatusCode::kInvalidArgument,
                 "address: expected a numeric host and a port such as \"127.0.0.1:50051\" or \"[::1]:50051\", or "
                 "\"unix:/path\" or \"unix-abstract:name\", got \"" +
                     std::string(text) + "\""))
        << text;
  }
  EXPECT_THAT(SocketAddress::Parse("unix:" + std::string(108, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1 to 107 bytes, got 108")));
  EXPECT_THAT(SocketAddress::Parse("unix:" + std::string(107, 'x')), IsOk());
}

}  // namespace
}  // namespace weir::transport
