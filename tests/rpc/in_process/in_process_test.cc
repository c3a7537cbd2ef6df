// What is particular to channels without sockets. That all calls work through them, tests/rpc/end_to_end shows.
#include "weir/rpc/in_process/in_process.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir {
namespace {

using bench::EchoClient;
using bench::Payload;
using ::testing::AllOf;
using testing::Body;
using testing::EchoServer;
using testing::EchoService;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::Over;
using testing::StatusIs;

TEST(InProcessTest, TheServerNeedsNoAddress) {
  EchoService service;
  Server server;
  server.AddService(service);
  Channel channel(InProcess(server));
  EXPECT_THAT(EchoClient(channel).Unary(Body("x")).Wait(), IsOk());
  EXPECT_EQ(server.port(), 0);
  EXPECT_EQ(server.connection_count(), 1u);
  EXPECT_EQ(channel.target(), "in-process");
}

TEST(InProcessTest, AServerMayHaveChannelsInItsProcessAndOthers) {
  EchoServer server(Over::kTcp);
  Channel near(InProcess(server.server()));
  Channel far = server.Connect();
  EXPECT_THAT(EchoClient(near).Unary(Body("x")).Wait(), IsOk());
  EXPECT_THAT(EchoClient(far).Unary(Body("x")).Wait(), IsOk());
}

TEST(InProcessTest, NothingIsConnectedBeforeTheFirstCall) {
  EchoServer server(Over::kInProcess);
  Channel channel = server.Connect();
  EXPECT_EQ(server.server().connection_count(), 0u);
}

TEST(InProcessTest, CallsThatAreMadeWhenTheServerHasGoneSaySo) {
  auto server = std::make_unique<EchoServer>(Over::kInProcess);
  Channel used = server->Connect();
  Channel unused = server->Connect();
  ASSERT_THAT(EchoClient(used).Unary(Body("x")).Wait(), IsOk());
  server.reset();
  for (Channel* channel : {&used, &unused}) {
    EXPECT_THAT(EchoClient(*channel).Unary(Body("x")).Wait(),
                StatusIs(absl::StatusCode::kUnavailable,
                         AllOf(HasSubstr("cannot connect: "), HasSubstr("has been destroyed"))));
  }
}

TEST(InProcessTest, ADrainedServerTakesNoNewConnections) {
  EchoServer server(Over::kInProcess);
  Channel channel = server.Connect();
  EXPECT_THAT(server.server().Drain(absl::Seconds(60)), IsOk());
  EXPECT_THAT(EchoClient(channel).Unary(Body("x")).Wait(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("takes no new connections")));
}

TEST(InProcessTest, AServiceAddedTwiceIsWhatCallsEndWith) {
  EchoService service;
  Server server;
  server.AddService(service);
  server.AddService(service);
  Channel channel(InProcess(server));
  EXPECT_THAT(EchoClient(channel).Unary(Body("x")).Wait(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("/bench.Echo/Unary")));
}

TEST(InProcessTest, TheLastChannelMayGoLongAfterTheServer) {
  std::vector<std::unique_ptr<Channel>> channels;
  {
    EchoServer server(Over::kInProcess, EchoServer::Threads(3));
    for (int i = 0; i < 5; ++i) channels.push_back(server.MakeChannel());
    for (auto& channel : channels) ASSERT_THAT(EchoClient(*channel).Unary(Body("x")).Wait(), IsOk());
    EXPECT_EQ(server.server().connection_count(), channels.size());
  }
  channels.erase(channels.begin());
  EXPECT_THAT(EchoClient(*channels.back()).Unary(Body("x")).Wait(), StatusIs(absl::StatusCode::kUnavailable));
}

// A handler that asks its own server.
class Relay final : public bench::EchoService {
 public:
  Task<absl::StatusOr<Payload>> Unary(ServerContext& context, const Payload& request) override {
    peer = context.peer();
    if (request.body().size() >= 10) co_return request;
    Payload longer = Body(request.body() + "x");
    auto call = EchoClient(*channel).Unary(longer);
    co_return co_await call;
  }

  std::optional<Channel> channel;
  std::string peer;
};

TEST(InProcessTest, AHandlerMayCallItsOwnServerOnItsOwnLoop) {
  Relay relay;
  Server server(EchoServer::Threads(1));
  server.AddService(relay);
  relay.channel.emplace(InProcess(server));
  absl::StatusOr<Payload> reply = EchoClient(*relay.channel).Unary(Body("")).Wait();
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->body(), "xxxxxxxxxx");
  EXPECT_EQ(relay.peer, "in-process");
}

}  // namespace
}  // namespace weir
