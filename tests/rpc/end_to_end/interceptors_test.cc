// Interceptors on both ends of loopback TCP, with handlers on loops and on workers: nothing of them needs a lock, and
// whatever ends first ends well.
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weir/tests/rpc/end_to_end/harness.h"
#include "weir/transport/io/executor.h"

namespace weir {
namespace {

using bench::EchoClient;
using bench::Payload;
using bench::StreamRequest;
using bench::Summary;
using testing::Body;
using testing::Counter;
using testing::EchoServer;
using testing::Over;
using testing::StatusIs;

// Counts in plain variables of the coroutine: ThreadSanitizer says whether they are used on one thread.
class Counting final : public Interceptor {
 public:
  Task<absl::Status> Intercept(const MethodSpec&, InterceptedCall& call, const Next& next) override {
    int requests_seen = 0;
    int responses_seen = 0;
    call.OnRequestMessage([&requests_seen](InterceptedMessage&) {
      ++requests_seen;
      return absl::OkStatus();
    });
    call.OnResponseMessage([&responses_seen](InterceptedMessage& message) {
      ++responses_seen;
      if (Payload* payload = message.Mutable<Payload>()) payload->set_body(payload->body() + "!");
      return absl::OkStatus();
    });
    absl::Status status = co_await next(call);
    requests += requests_seen;
    responses += responses_seen;
    if (!status.ok()) ++errors;
    ended.Add();
    co_return status;
  }

  std::atomic<int> requests = 0;
  std::atomic<int> responses = 0;
  std::atomic<int> errors = 0;
  Counter ended;
};

ServerOptions With(std::shared_ptr<Interceptor> interceptor, ServerOptions options) {
  options.interceptors.push_back(std::move(interceptor));
  return options;
}
ChannelOptions With(std::shared_ptr<Interceptor> interceptor) {
  ChannelOptions options;
  options.interceptors.push_back(std::move(interceptor));
  return options;
}

StreamRequest Ask(uint32_t count) {
  StreamRequest request;
  request.set_count(count);
  request.set_size(3);
  return request;
}

void CallAllFourKinds(Over over, int workers) {
  const auto on_server = std::make_shared<Counting>();
  const auto on_client = std::make_shared<Counting>();
  {
    EchoServer server(over, With(on_server, EchoServer::Threads(2, workers)));
    Channel channel = server.Connect(With(on_client));
    EchoClient client(channel);

    absl::StatusOr<Payload> reply = client.Unary(Body("hello")).Wait();
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->body(), "hello!!");
    EXPECT_THAT(client.Unary(Body("fail")).Wait(), StatusIs(absl::StatusCode::kNotFound, "no such thing"));

    auto down = client.ServerStream(Ask(50));
    while (std::optional<Payload> payload = down.Read().Wait()) EXPECT_EQ(payload->body(), "xxx!!");
    EXPECT_TRUE(down.Finish().Wait().ok());

    auto up = client.ClientStream();
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(up.Write(Body("x")).Wait());
    absl::StatusOr<Summary> summary = up.Finish().Wait();
    EXPECT_EQ(summary.ok() ? summary->count() : 0, 20u);

    auto bidi = client.BidiEcho();
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(bidi.Write(Body("y")).Wait());
      std::optional<Payload> payload = bidi.Read().Wait();
      EXPECT_EQ(payload ? payload->body() : "nothing", "y!!");
    }
    bidi.WritesDone();
    EXPECT_TRUE(bidi.Finish().Wait().ok());
    on_server->ended.WaitFor(5);
  }
  for (const auto& counting : {on_server, on_client}) {
    EXPECT_EQ(counting->requests, 1 + 1 + 1 + 20 + 20);
    EXPECT_EQ(counting->responses, 1 + 50 + 1 + 20);
    EXPECT_EQ(counting->errors, 1);
    EXPECT_EQ(counting->ended.value(), 5);
  }
}

TEST(InterceptorsTest, SeeAllFourKindsWithHandlersOnLoops) { CallAllFourKinds(Over::kTcp, 0); }
TEST(InterceptorsTest, SeeAllFourKindsWithHandlersOnWorkers) { CallAllFourKinds(Over::kTcp, 2); }
TEST(InterceptorsTest, SeeAllFourKindsInProcess) { CallAllFourKinds(Over::kInProcess, 2); }

TEST(InterceptorsTest, SeeCancelledCallsToTheirEnd) {
  for (int workers : {0, 2}) {
    const auto on_server = std::make_shared<Counting>();
    const auto on_client = std::make_shared<Counting>();
    EchoServer server(Over::kTcp, With(on_server, EchoServer::Threads(2, workers)));
    Channel channel = server.Connect(With(on_client));
    for (int i = 0; i < 20; ++i) {
      auto call = EchoClient(channel).BidiEcho();
      ASSERT_TRUE(call.Write(Body("x")).Wait());
      ASSERT_TRUE(call.Read().Wait().has_value());
      if (i % 2 == 0) call.Cancel();
    }
    on_server->ended.WaitFor(20);
    on_client->ended.WaitFor(20);
    EXPECT_EQ(on_server->errors, 20);
    EXPECT_EQ(on_client->errors, 20);
  }
}

// Asks another server before each call, as for a token.
class AskingFirst final : public Interceptor {
 public:
  explicit AskingFirst(EchoClient tokens) : tokens_(tokens) {}

  Task<absl::Status> Intercept(const MethodSpec&, InterceptedCall& call, const Next& next) override {
    absl::StatusOr<Payload> token = co_await tokens_.Unary(Body("token"));
    if (!token.ok()) co_return token.status();
    call.request_metadata().Set("token", token->body());
    absl::Status status = co_await next(call);
    co_return status;
  }

 private:
  EchoClient tokens_;
};

TEST(InterceptorsTest, MayMakeCallsOnAnotherLoopFirst) {
  EchoServer tokens;
  EchoServer server;
  Channel token_channel(tokens.target(), InsecureChannelCredentials());
  Channel channel(server.target(), InsecureChannelCredentials(),
                  With(std::make_shared<AskingFirst>(EchoClient(token_channel))));
  for (int i = 0; i < 20; ++i) {
    absl::StatusOr<Payload> reply = EchoClient(channel).Unary(Body("x")).Wait();
    EXPECT_TRUE(reply.ok()) << reply.status();
  }
  EXPECT_EQ(tokens.service.started.value(), 20);
}

// Knows the reply, and makes no call.
class Answering final : public Interceptor {
 public:
  Task<absl::Status> Intercept(const MethodSpec&, InterceptedCall& call, const Next&) override {
    const Payload reply = Body("known");
    co_return call.Reply(wire::Outgoing(reply));
  }
};

TEST(InterceptorsTest, AnAnsweredCallHasInitialMetadataAndMayOutliveItsChannel) {
  EchoServer server(Over::kTcp, ServerOptions());
  std::optional<UnaryCall<Payload>> unread;
  {
    Channel channel = server.Connect(With(std::make_shared<Answering>()));
    EchoClient client(channel);
    unread.emplace(client.Unary(Body("hello")));
    EXPECT_TRUE(unread->InitialMetadata().Wait().empty());
    auto call = client.Unary(Body("hello"));
    EXPECT_TRUE(call.InitialMetadata().Wait().empty());
    absl::StatusOr<Payload> reply = call.Wait();
    EXPECT_EQ(reply.ok() ? reply->body() : reply.status().ToString(), "known");
  }
  unread.reset();
}

TEST(InterceptorsTest, AChannelThatGoesAwayWaitsForThem) {
  EchoServer tokens(Over::kTcp, EchoServer::Threads(1, 1));
  EchoServer server;
  Channel token_channel(tokens.target(), InsecureChannelCredentials());
  auto channel = std::make_unique<Channel>(server.target(), InsecureChannelCredentials(),
                                           With(std::make_shared<AskingFirst>(EchoClient(token_channel))));
  tokens.service.release.Add();
  {
    { auto dropped = EchoClient(*channel).Unary(Body("x")); }
    auto kept = EchoClient(*channel).Unary(Body("x"));
    channel.reset();
  }
  EXPECT_EQ(server.service.started.value(), 0);
}

}  // namespace
}  // namespace weir
