// How things end, over TCP, a Unix socket and in process: cancelled and dropped calls, channels and servers that go
// away, drains, failures to listen and to connect.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "weir/rpc/core/status.h"
#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir {
namespace {

using bench::EchoClient;
using bench::Payload;
using bench::StreamRequest;
using ::testing::AllOf;
using testing::Body;
using testing::EchoServer;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::Over;
using testing::OverTest;
using testing::StatusIs;

class LifetimeTest : public OverTest {};
WEIR_OVER_EACH(LifetimeTest);

StreamRequest Ask(uint32_t count, uint32_t size) {
  StreamRequest request;
  request.set_count(count);
  request.set_size(size);
  return request;
}

// ---- the caller -----------------------------------------------------------------------------------------------------

TEST_P(LifetimeTest, DroppedCallCancelsTheHandler) {
  EchoServer server(GetParam());
  Channel channel = server.Connect();
  {
    auto call = EchoClient(channel).BidiEcho();
    ASSERT_TRUE(call.Write(Body("x")).Wait());
    ASSERT_TRUE(call.Read().Wait().has_value());
  }
  server.service.cancelled.WaitFor(1);
}

TEST_P(LifetimeTest, CancelFromAnotherThreadEndsAReadThatWaits) {
  EchoServer server(GetParam());
  Channel channel = server.Connect();
  auto call = EchoClient(channel).BidiEcho();
  std::thread other([&] {
    server.service.started.WaitFor(1);
    call.Cancel();
  });
  EXPECT_FALSE(call.Read().Wait().has_value());
  EXPECT_THAT(call.Finish().Wait(), StatusIs(absl::StatusCode::kCancelled, EndsWith("cancelled by the caller")));
  other.join();
  server.service.cancelled.WaitFor(1);
}

TEST_P(LifetimeTest, CancelEndsAHandlerThatWaitsForTheWindow) {
  EchoServer server(GetParam());
  Channel channel = server.Connect();
  auto call = EchoClient(channel).ServerStream(Ask(1'000'000, 1000));
  ASSERT_TRUE(call.Read().Wait().has_value());
  call.Cancel();
  server.service.cancelled.WaitFor(1);
}

TEST_P(LifetimeTest, DeadlineEndsTheCallAndItsHandler) {
  EchoServer server(GetParam());
  Channel channel = server.Connect();
  ASSERT_THAT(EchoClient(channel).Unary(Body("so that there is a connection")).Wait(), IsOk());
  auto call = EchoClient(channel).BidiEcho(CallOptions().Timeout(absl::Milliseconds(50)));
  EXPECT_FALSE(call.Read().Wait().has_value());
  EXPECT_THAT(call.Finish().Wait(), StatusIs(absl::StatusCode::kDeadlineExceeded));
  server.service.cancelled.WaitFor(1);
}

// ---- the channel ----------------------------------------------------------------------------------------------------

Task<void> ReadUntilTheEnd(EchoClient client, std::optional<absl::Status>& ended) {
  auto call = client.BidiEcho();
  while (std::optional<Payload> payload = co_await call.Read()) {
  }
  absl::Status status = co_await call.Finish();
  ended = status;
}

TEST_P(LifetimeTest, DestroyingAChannelCancelsItsCalls) {
  EchoServer server(GetParam());
  std::optional<absl::Status> ended;  // written on the channel's loop, which has stopped when it is read
  {
    Channel channel = server.Connect();
    channel.Run(ReadUntilTheEnd(EchoClient(channel), ended));
    server.service.started.WaitFor(1);
  }
  ASSERT_TRUE(ended.has_value());
  EXPECT_THAT(*ended, StatusIs(absl::StatusCode::kCancelled, HasSubstr("was closed")));
  server.service.cancelled.WaitFor(1);
}

TEST(ConnectTest, ChannelThatMadeNoCallGoesQuietly) { Channel channel("127.0.0.1:1", InsecureChannelCredentials()); }

TEST_P(LifetimeTest, CallMayBeDestroyedAfterItsChannel) {
  EchoServer server(GetParam());
  auto channel = server.MakeChannel();
  auto running = EchoClient(*channel).BidiEcho();
  auto unread = EchoClient(*channel).ServerStream(Ask(2, 10));
  server.service.started.WaitFor(2);
  channel.reset();
}

// ---- the server -----------------------------------------------------------------------------------------------------

TEST_P(LifetimeTest, DestroyingAServerCancelsHandlersThatWait) {
  EchoServer server(GetParam());
  Channel channel = server.Connect();
  auto call = EchoClient(channel).BidiEcho();
  server.service.started.WaitFor(1);
  server.Destroy();
  EXPECT_EQ(server.service.cancelled.value(), 1);
  EXPECT_FALSE(call.Read().Wait().has_value());
  EXPECT_THAT(call.Finish().Wait(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_P(LifetimeTest, DestroyingAServerWaitsForHandlersOnWorkers) {
  EchoServer server(GetParam(), EchoServer::Threads(1, 1));
  Channel channel = server.Connect();
  auto call = EchoClient(channel).Unary(Body("block"));
  server.service.started.WaitFor(1);
  std::thread releaser([&] {
    EXPECT_THAT(call.Wait(),
                StatusIs(absl::StatusCode::kUnavailable));  // told at once, though the handler still blocks
    server.service.release.Add();
  });
  server.Destroy();
  releaser.join();
}

TEST(ListenTest, ServerThatNeverListenedGoesQuietly) {
  Server server;
  EXPECT_THAT(server.Drain(absl::Seconds(1)), IsOk());
}

TEST_P(LifetimeTest, DrainLetsCallsFinishAndSendsNewOnesElsewhere) {
  EchoServer first(GetParam());
  Channel channel = first.Connect();
  EchoClient client(channel);
  auto survivor = client.BidiEcho();
  ASSERT_TRUE(survivor.Write(Body("a")).Wait());
  ASSERT_TRUE(survivor.Read().Wait().has_value());

  absl::Status drained;
  std::thread drainer([&] { drained = first.server().Drain(absl::Seconds(60)); });
  // New calls fail as soon as the server has stopped to listen; they never reached it.
  for (;;) {
    absl::StatusOr<Payload> reply = client.Unary(Body("x")).Wait();
    if (reply.ok()) continue;
    EXPECT_THAT(reply, StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_TRUE(IsUnprocessed(reply.status())) << reply.status();
    break;
  }
  ASSERT_TRUE(survivor.Write(Body("b")).Wait());
  std::optional<Payload> echoed = survivor.Read().Wait();
  ASSERT_TRUE(echoed.has_value());
  EXPECT_EQ(echoed->body(), "b");
  EXPECT_THAT(survivor.Finish().Wait(), IsOk());
  drainer.join();
  EXPECT_THAT(drained, IsOk());
  EXPECT_EQ(first.server().connection_count(), 0u);
  EXPECT_EQ(first.service.cancelled.value(), 0);
}

TEST_P(LifetimeTest, DrainsGraceIsOverAndWhatIsLeftIsCancelled) {
  EchoServer server(GetParam());
  Channel channel = server.Connect();
  auto call = EchoClient(channel).BidiEcho();
  server.service.started.WaitFor(1);
  EXPECT_THAT(server.server().Drain(absl::Milliseconds(50)),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("1 connection(s) still had calls after 50ms")));
  EXPECT_EQ(server.service.cancelled.value(), 1);
  EXPECT_FALSE(call.Read().Wait().has_value());
  EXPECT_THAT(call.Finish().Wait(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_P(LifetimeTest, DrainOfIdleConnectionsEndsByItself) {
  EchoServer server(GetParam());
  std::vector<std::unique_ptr<Channel>> channels;
  for (int i = 0; i < 4; ++i) {
    channels.push_back(server.MakeChannel());
    ASSERT_TRUE(EchoClient(*channels.back()).Unary(Body("x")).Wait().ok());
  }
  EXPECT_THAT(server.server().Drain(absl::Seconds(60)), IsOk());
  EXPECT_EQ(server.server().connection_count(), 0u);
}

// ---- listening ------------------------------------------------------------------------------------------------------

TEST(ListenTest, SeveralAddressesOfOneServer) {
  EchoServer server;
  char folder[] = "/tmp/weir-XXXXXX";  // short: a socket's name has at most 107 bytes
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string path = std::string("unix:") + folder + "/socket";
  EXPECT_THAT(server.server().Listen("localhost:0", InsecureServerCredentials()), IsOk());
  EXPECT_THAT(server.server().Listen(path, InsecureServerCredentials()), IsOk());
  EXPECT_EQ(server.server().port(), server.port());
  Channel over_tcp(server.target(), InsecureChannelCredentials());
  Channel over_unix(path, InsecureChannelCredentials());
  EXPECT_THAT(EchoClient(over_tcp).Unary(Body("x")).Wait(), IsOk());
  EXPECT_THAT(EchoClient(over_unix).Unary(Body("x")).Wait(), IsOk());
  server.Destroy();
  EXPECT_EQ(rmdir(folder), 0) << "the socket is left behind: " << strerror(errno);
}

TEST(ListenTest, PortInUseSaysSo) {
  EchoServer first;
  Server second(EchoServer::Threads(1));
  EXPECT_THAT(second.Listen(first.target(), InsecureServerCredentials()),
              StatusIs(absl::StatusCode::kFailedPrecondition, AllOf(HasSubstr(first.target()), HasSubstr("in use"))));
}

TEST(ListenTest, AddressThatCannotBeParsedSaysWhatWasExpected) {
  Server server(EchoServer::Threads(1));
  for (const char* address : {"", "nonsense", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "1.2.3:4", "unix:"}) {
    EXPECT_THAT(server.Listen(address, InsecureServerCredentials()),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("expected")))
        << address;
  }
  EXPECT_EQ(server.port(), 0);
}

TEST(ListenTest, ServiceAddedTwiceIsRefusedWithItsMethodsName) {
  testing::EchoService service;
  Server server(EchoServer::Threads(1));
  server.AddService(service);
  server.AddService(service);
  EXPECT_THAT(server.Listen("127.0.0.1:0", InsecureServerCredentials()),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("/bench.Echo/Unary")));
}

// ---- connecting -----------------------------------------------------------------------------------------------------

ChannelOptions ShortBackoff() {
  ChannelOptions options;
  options.backoff_initial = absl::Milliseconds(5);
  options.backoff_max = absl::Milliseconds(20);
  return options;
}

// A port on which nobody listens any more.
std::string DeadTarget() {
  EchoServer server(Over::kTcp, EchoServer::Threads(1));
  return server.target();
}

TEST(ConnectTest, RefusedConnectionNamesTargetAddressAndReason) {
  const std::string target = DeadTarget();
  Channel channel("dns:///" + target, InsecureChannelCredentials());
  absl::StatusOr<Payload> reply = EchoClient(channel).Unary(Body("x")).Wait();
  EXPECT_THAT(
      reply, StatusIs(absl::StatusCode::kUnavailable, AllOf(HasSubstr(" to dns:///" + target + ": cannot connect: "),
                                                            HasSubstr(" " + target), HasSubstr("Connection refused"))));
  EXPECT_TRUE(IsUnprocessed(reply.status()));
}

TEST(ConnectTest, TargetThatCannotBeParsedFailsEveryCall) {
  for (const char* target :
       {"", "nonsense host:1", "127.0.0.1:0", "127.0.0.1:http", "::1:50051", "dns://a.server/a:1", "unix:"}) {
    Channel channel(target, InsecureChannelCredentials());
    for (int i = 0; i < 2; ++i) {
      EXPECT_THAT(EchoClient(channel).Unary(Body("x")).Wait(),
                  StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("target: expected")))
          << target;
    }
  }
}

TEST(ConnectTest, ChannelReconnectsAfterTheServerHasComeBack) {
  auto first = std::make_unique<EchoServer>(Over::kTcp, EchoServer::Threads(1));
  const int port = first->port();
  Channel channel(first->target(), InsecureChannelCredentials(), ShortBackoff());
  EchoClient client(channel);
  ASSERT_THAT(client.Unary(Body("x")).Wait(), IsOk());
  first.reset();
  EXPECT_THAT(client.Unary(Body("x")).Wait(), StatusIs(absl::StatusCode::kUnavailable));

  EchoServer second(Over::kTcp, EchoServer::Threads(1), port);
  for (;;) {
    absl::StatusOr<Payload> reply = client.Unary(Body("x")).Wait();
    if (reply.ok()) break;
    ASSERT_THAT(reply, StatusIs(absl::StatusCode::kUnavailable));
    std::this_thread::yield();
  }
}

}  // namespace
}  // namespace weir
