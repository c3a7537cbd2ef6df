// The ways to reach a server that are not a port: abstract sockets, and descriptors that others have opened.
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "weir/rpc/client/connected_fd.h"
#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir {
namespace {

using bench::EchoClient;
using bench::Payload;
using testing::Body;
using testing::EchoServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::Over;
using ::testing::StartsWith;
using testing::StatusIs;

// A server without an address, until it gets one.
class Echo {
 public:
  Echo() { server.AddService(service); }
  testing::EchoService service;
  Server server{EchoServer::Threads(2)};
};

class AuthorityService final : public bench::EchoService {
  Task<absl::StatusOr<Payload>> Unary(ServerContext& context, const Payload&) override {
    co_return Body(context.authority());
  }
};

int ListeningSocket(bool listens = true) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);  // blocking and inherited, as somebody may leave it
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_TRUE(!listens || listen(fd, 10) == 0);
  return fd;
}

std::pair<int, int> SocketPair() {
  int fds[2] = {-1, -1};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  return {fds[0], fds[1]};
}

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

// ---- abstract sockets -----------------------------------------------------------------------------------------------

TEST(AbstractSocketTest, CarriesCallsAndLeavesNoFile) {
  const std::string address = "unix-abstract:weir-test-" + std::to_string(getpid());
  AuthorityService service;
  Server server(EchoServer::Threads(1));
  server.AddService(service);
  ASSERT_THAT(server.Listen(address, InsecureServerCredentials()), IsOk());
  EXPECT_THAT(server.addresses(), ElementsAre(address));
  Channel channel(address, InsecureChannelCredentials());
  absl::StatusOr<Payload> reply = EchoClient(channel).Unary(Body("")).Wait();
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->body(), "localhost");

  Server other(EchoServer::Threads(1));
  EXPECT_THAT(other.Listen(address, InsecureServerCredentials()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("in use")));
}

TEST(AbstractSocketTest, ItsNameIsAsLongAsTheSystemAllows) {
  Server server(EchoServer::Threads(1));
  EXPECT_THAT(server.Listen("unix-abstract:" + std::string(107, 'x'), InsecureServerCredentials()), IsOk());
  EXPECT_THAT(server.Listen("unix-abstract:" + std::string(108, 'x'), InsecureServerCredentials()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1 to 107 bytes, got 108")));
  EXPECT_THAT(server.Listen("unix-abstract:", InsecureServerCredentials()),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

// ---- a socket that listens ------------------------------------------------------------------------------------------

TEST(ListenOnTest, AcceptsOnASocketThatListensAlready) {
  Echo echo;
  const int fd = ListeningSocket();
  ASSERT_THAT(echo.server.ListenOn(fd, InsecureServerCredentials()), IsOk());
  EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_GT(echo.server.port(), 0);
  const std::string target = "127.0.0.1:" + std::to_string(echo.server.port());
  EXPECT_THAT(echo.server.addresses(), ElementsAre(target));
  Channel channel(target, InsecureChannelCredentials());
  EXPECT_THAT(EchoClient(channel).Unary(Body("x")).Wait(), IsOk());
}

TEST(ListenOnTest, ConnectionsThatWaitedAreServed) {
  const int fd = ListeningSocket();
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length), 0);
  Channel channel("127.0.0.1:" + std::to_string(ntohs(address.sin_port)), InsecureChannelCredentials());
  auto early = EchoClient(channel).Unary(Body("x"));
  Echo echo;
  ASSERT_THAT(echo.server.ListenOn(fd, InsecureServerCredentials()), IsOk());
  EXPECT_THAT(early.Wait(), IsOk());
}

TEST(ListenOnTest, LeavesTheFileOfAUnixSocketToWhoMadeIt) {
  char folder[] = "/tmp/weir-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/socket";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(fd, 10), 0);
  {
    Echo echo;
    ASSERT_THAT(echo.server.ListenOn(fd, InsecureServerCredentials()), IsOk());
    Channel channel("unix:" + path, InsecureChannelCredentials());
    EXPECT_THAT(EchoClient(channel).Unary(Body("x")).Wait(), IsOk());
  }
  EXPECT_FALSE(IsOpen(fd));
  EXPECT_EQ(unlink(path.c_str()), 0);
  EXPECT_EQ(rmdir(folder), 0);
}

TEST(ListenOnTest, WhatDoesNotListenIsRefusedAndStaysTheCallers) {
  Echo echo;
  const int unbound = ListeningSocket(/*listens=*/false);
  const int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
  const int file = open("/dev/null", O_RDONLY);
  const auto [one, other] = SocketPair();
  const struct {
    int fd;
    const char* got;
  } cases[] = {
      {-1, "Bad file descriptor"},           {unbound, "one that does not listen"}, {datagrams, "a socket of type 2"},
      {file, "something that is no socket"}, {one, "one that does not listen"},
  };
  for (const auto& bad : cases) {
    EXPECT_THAT(echo.server.ListenOn(bad.fd, InsecureServerCredentials()),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         ::testing::AllOf(HasSubstr("expected a listening TCP or Unix stream socket, got"),
                                          HasSubstr(bad.got))));
  }
  for (const int fd : {unbound, datagrams, file, one, other}) {
    EXPECT_TRUE(IsOpen(fd));
    close(fd);
  }
}

TEST(ListenOnTest, WithoutASupervisorThereAreNoSocketsOfSystemd) {
  Server server(EchoServer::Threads(1));
  EXPECT_THAT(server.Listen("systemd:web", InsecureServerCredentials()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("expected a socket in LISTEN_FDS, got none")));
}

// ---- sockets that are connected -------------------------------------------------------------------------------------

TEST(ConnectedSocketTest, ClientAndServerMayShareAPairAndNothingElse) {
  Echo echo;
  const auto [near, far] = SocketPair();
  ASSERT_THAT(echo.server.AddConnection(far, InsecureServerCredentials()), IsOk());
  EXPECT_TRUE(echo.server.addresses().empty());
  {
    Channel channel(ConnectedFd(near, InsecureChannelCredentials()));
    EXPECT_EQ(channel.target(), "fd:" + std::to_string(near));
    for (int i = 0; i < 3; ++i) EXPECT_THAT(EchoClient(channel).Unary(Body("x")).Wait(), IsOk());
    EXPECT_EQ(echo.server.connection_count(), 1u);
  }
  EXPECT_FALSE(IsOpen(near));
  EXPECT_THAT(echo.server.Drain(absl::Seconds(60)), IsOk());
  EXPECT_FALSE(IsOpen(far));
}

TEST(ConnectedSocketTest, WhenItsServerHasGoneAChannelHasNoOther) {
  auto echo = std::make_unique<Echo>();
  const auto [near, far] = SocketPair();
  ASSERT_THAT(echo->server.AddConnection(far, InsecureServerCredentials()), IsOk());
  Channel channel(ConnectedFd(near, InsecureChannelCredentials()));
  ASSERT_THAT(EchoClient(channel).Unary(Body("x")).Wait(), IsOk());
  echo.reset();
  EXPECT_THAT(EchoClient(channel).Unary(Body("x")).Wait(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("the descriptor's connection has ended")));
}

TEST(ConnectedSocketTest, ADescriptorThatWasNeverUsedIsClosed) {
  const auto [near, far] = SocketPair();
  { Channel channel(ConnectedFd(near, InsecureChannelCredentials())); }
  EXPECT_FALSE(IsOpen(near));
  close(far);
}

TEST(ConnectedSocketTest, WhatIsNotConnectedIsRefused) {
  Echo echo;
  const int listening = ListeningSocket();
  const int unconnected = ListeningSocket(/*listens=*/false);
  EXPECT_THAT(echo.server.AddConnection(listening, InsecureServerCredentials()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("one that listens")));
  EXPECT_THAT(echo.server.AddConnection(unconnected, InsecureServerCredentials()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("one that is not connected")));
  Channel channel(ConnectedFd(unconnected, InsecureChannelCredentials()));
  EXPECT_THAT(EchoClient(channel).Unary(Body("x")).Wait(),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("expected a connected TCP or Unix stream socket, got one that is not connected")));
  close(listening);
}

// ---- several --------------------------------------------------------------------------------------------------------

TEST(AddressesTest, AreAllThatTheServerListensOnInOrder) {
  EchoServer server(Over::kUnix);
  ASSERT_THAT(server.server().Listen("127.0.0.1:0", InsecureServerCredentials()), IsOk());
  ASSERT_THAT(server.server().Listen("[::1]:0", InsecureServerCredentials()), IsOk());
  EXPECT_THAT(server.server().addresses(),
              ElementsAre(server.target(), "127.0.0.1:" + std::to_string(server.port()), StartsWith("[::1]:")));
}

}  // namespace
}  // namespace weir
