// Addresses that come and go while a server runs, and sockets that go from one server to the next.
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "weir/tests/rpc/end_to_end/harness.h"
#include "weir/transport/io/pass_descriptors.h"

namespace weir {
namespace {

using bench::EchoClient;
using testing::Body;
using testing::EchoServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;

class Echo {
 public:
  Echo() { server.AddService(service); }
  testing::EchoService service;
  Server server{EchoServer::Threads(2)};
};

// A folder of this test's own for the files of Unix sockets.
class Folder {
 public:
  Folder() { EXPECT_NE(mkdtemp(path_), nullptr); }
  ~Folder() { rmdir(path_); }
  std::string File(std::string_view name) const { return std::string(path_) + "/" + std::string(name); }

 private:
  char path_[32] = "/tmp/weir-listening-XXXXXX";
};

bool Exists(const std::string& file) {
  struct stat status {};
  return stat(file.c_str(), &status) == 0;
}

absl::Status Call(const std::string& target) {
  Channel channel(target, InsecureChannelCredentials());
  return EchoClient(channel).Unary(Body("x")).Wait().status();
}

TEST(StopListeningTest, AddressIsRefusedAndTheOthersServe) {
  const Folder folder;
  const std::string file = folder.File("socket");
  Echo echo;
  ASSERT_THAT(echo.server.Listen("127.0.0.1:0", InsecureServerCredentials()), IsOk());
  ASSERT_THAT(echo.server.Listen("unix:" + file, InsecureServerCredentials()), IsOk());
  const std::string tcp = echo.server.addresses()[0];
  Channel open(tcp, InsecureChannelCredentials());
  EchoClient client(open);
  ASSERT_THAT(client.Unary(Body("x")).Wait(), IsOk());

  ASSERT_THAT(echo.server.StopListening(tcp), IsOk());
  EXPECT_THAT(echo.server.addresses(), ElementsAre("unix:" + file));
  EXPECT_EQ(Call(tcp).code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(client.Unary(Body("x")).Wait(), IsOk()) << "its connection is there";
  EXPECT_THAT(Call("unix:" + file), IsOk());

  ASSERT_THAT(echo.server.StopListening("unix:" + file), IsOk());
  EXPECT_FALSE(Exists(file));
  // And again: the port is free.
  ASSERT_THAT(echo.server.Listen(tcp, InsecureServerCredentials()), IsOk());
  EXPECT_THAT(Call(tcp), IsOk());
}

TEST(StopListeningTest, AddressThatIsNotListenedOnIsNotFound) {
  Echo echo;
  EXPECT_THAT(echo.server.StopListening("127.0.0.1:1"),
              StatusIs(absl::StatusCode::kNotFound, "StopListening: expected one of , got 127.0.0.1:1"));
  ASSERT_THAT(echo.server.Listen("127.0.0.1:0", InsecureServerCredentials()), IsOk());
  EXPECT_THAT(echo.server.StopListening("127.0.0.1:1"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(echo.server.addresses()[0])));
}

TEST(MaxCallsTest, OneMoreIsRefusedAndCountedOnWhicheverConnectionAndThoseThatAreOpenGoOn) {
  ServerOptions options = EchoServer::Threads(1);
  options.max_calls = 1;
  testing::EchoService service;
  Server server(options);
  server.AddService(service);
  ASSERT_THAT(server.Listen("127.0.0.1:0", InsecureServerCredentials()), IsOk());
  const std::string address = server.addresses()[0];
  Channel channel(address, InsecureChannelCredentials());
  auto open = EchoClient(channel).BidiEcho();
  EXPECT_TRUE(open.Write(Body("x")).Wait());
  EXPECT_TRUE(open.Read().Wait().has_value());
  EXPECT_EQ(server.refused_call_count(), 0u);
  EXPECT_EQ(EchoClient(channel).Unary(Body("x")).Wait().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Call(address).code(), absl::StatusCode::kUnavailable);
  EXPECT_GE(server.refused_call_count(), 2u);
  open.WritesDone();
  EXPECT_FALSE(open.Read().Wait().has_value());
  EXPECT_TRUE(open.Finish().Wait().ok());
  EXPECT_THAT(Call(address), IsOk());
}

TEST(MaxConnectionsTest, OneMoreIsClosedAndCountedAndThoseThatAreOpenServe) {
  ServerOptions options = EchoServer::Threads(1);
  options.max_connections = 2;
  testing::EchoService service;
  Server server(options);
  server.AddService(service);
  ASSERT_THAT(server.Listen("127.0.0.1:0", InsecureServerCredentials()), IsOk());
  const std::string address = server.addresses()[0];
  Channel first(address, InsecureChannelCredentials());
  Channel second(address, InsecureChannelCredentials());
  EXPECT_THAT(EchoClient(first).Unary(Body("x")).Wait(), IsOk());
  EXPECT_EQ(server.refused_connection_count(), 0u);
  EXPECT_THAT(EchoClient(second).Unary(Body("x")).Wait(), IsOk());
  EXPECT_EQ(server.refused_connection_count(), 0u);
  EXPECT_EQ(Call(address).code(), absl::StatusCode::kUnavailable);
  EXPECT_GE(server.refused_connection_count(), 1u);
  EXPECT_THAT(EchoClient(first).Unary(Body("x")).Wait(), IsOk());
  EXPECT_EQ(server.connection_count(), 2u);
}

TEST(HandoverTest, SuccessorServesTheSameAddressesAndThePathIsFreeAgain) {
  const Folder folder;
  const std::string file = folder.File("socket");
  const std::string path = folder.File("handover");
  Echo first;
  ASSERT_THAT(first.server.Listen("127.0.0.1:0", InsecureServerCredentials()), IsOk());
  ASSERT_THAT(first.server.Listen("unix:" + file, InsecureServerCredentials()), IsOk());
  const auto addresses = first.server.addresses();
  ASSERT_THAT(first.server.OfferHandover(path), IsOk());
  {
    Echo second;
    ASSERT_THAT(second.server.TakeOver(path, InsecureServerCredentials()), IsOk());
    EXPECT_EQ(second.server.addresses(), addresses);
    EXPECT_THAT(first.server.addresses(), IsEmpty());
    EXPECT_FALSE(Exists(path));
    ASSERT_THAT(second.server.OfferHandover(path), IsOk());
    EXPECT_THAT(first.server.Drain(absl::Seconds(10)), IsOk());
    for (const std::string& address : addresses) EXPECT_THAT(Call(address), IsOk());
    EXPECT_EQ(second.service.started.value(), 2);
  }
  EXPECT_FALSE(Exists(path));
  unlink(file.c_str());
}

// A successor that gets the sockets, and never says that it serves them.
absl::Status TakeAndDie(const std::string& path) {
  const int control = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(name.sun_path, sizeof(name.sun_path) - 1);
  EXPECT_EQ(::connect(control, reinterpret_cast<const sockaddr*>(&name), sizeof(name)), 0);
  const absl::StatusOr<std::vector<int>> sockets = transport::ReceiveDescriptors(control);
  if (sockets.ok()) {
    for (const int fd : *sockets) ::close(fd);
  }
  ::close(control);
  return sockets.status();
}

TEST(HandoverTest, SuccessorThatDiesBeforeItIsReadyChangesNothing) {
  const Folder folder;
  const std::string path = folder.File("handover");
  Echo first;
  ASSERT_THAT(first.server.Listen("127.0.0.1:0", InsecureServerCredentials()), IsOk());
  const std::string address = first.server.addresses()[0];
  ASSERT_THAT(first.server.OfferHandover(path), IsOk());
  // One successor is served at a time, and the predecessor learns of its death a little later.
  const auto until_served = [](const std::function<absl::Status()>& attempt) {
    absl::Status status = attempt();
    while (absl::IsUnavailable(status)) status = attempt();
    return status;
  };
  for (int i = 0; i < 3; ++i) EXPECT_THAT(until_served([&] { return TakeAndDie(path); }), IsOk());
  EXPECT_THAT(Call(address), IsOk());
  EXPECT_THAT(first.server.addresses(), ElementsAre(address));
  Echo second;
  EXPECT_THAT(until_served([&] { return second.server.TakeOver(path, InsecureServerCredentials()); }), IsOk());
  EXPECT_THAT(Call(address), IsOk());
  EXPECT_EQ(second.service.started.value(), 1);
}

TEST(HandoverTest, WithoutAPredecessorItSaysSo) {
  const Folder folder;
  Echo echo;
  EXPECT_THAT(
      echo.server.TakeOver(folder.File("none"), InsecureServerCredentials()),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr("take over: expected a server that offers its sockets at ")));
}

TEST(HandoverTest, PredecessorWithoutSocketsSaysSoAndGoesOn) {
  const Folder folder;
  const std::string path = folder.File("handover");
  Echo first;
  ASSERT_THAT(first.server.OfferHandover(path), IsOk());
  Echo second;
  EXPECT_THAT(second.server.TakeOver(path, InsecureServerCredentials()),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("has closed without sending any")));
  ASSERT_THAT(first.server.Listen("127.0.0.1:0", InsecureServerCredentials()), IsOk());
  EXPECT_THAT(second.server.TakeOver(path, InsecureServerCredentials()), IsOk());
}

TEST(HandoverTest, RunUntilSignalDrainsWhenASuccessorHasTheSockets) {
  const Folder folder;
  const std::string path = folder.File("handover");
  Echo first;
  ASSERT_THAT(first.server.Listen("127.0.0.1:0", InsecureServerCredentials()), IsOk());
  ASSERT_THAT(first.server.OfferHandover(path), IsOk());
  absl::Status ended = absl::UnknownError("still runs");
  std::thread runs([&] { ended = first.server.RunUntilSignal(); });
  Echo second;
  EXPECT_THAT(second.server.TakeOver(path, InsecureServerCredentials()), IsOk());
  runs.join();
  EXPECT_THAT(ended, IsOk());
}

}  // namespace
}  // namespace weir
