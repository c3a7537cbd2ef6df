// A call, its channel and its server are destroyed in every order, in every state that the call can be in. What is left
// behind, or used after its end, sanitizers tell.
#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "weir/tests/rpc/end_to_end/harness.h"
#include "weir/transport/io/loop_pool.h"

namespace weir {
namespace {

using bench::EchoClient;
using bench::Payload;
using bench::StreamRequest;
using testing::Body;
using testing::Counter;
using testing::EchoServer;
using testing::Over;
using testing::OverTest;

StreamRequest Ask(uint32_t count, uint32_t size) {
  StreamRequest request;
  request.set_count(count);
  request.set_size(size);
  return request;
}

// ---- objects of the application -------------------------------------------------------------------------------------

// A call in some state, for as long as this lives.
class HeldCall {
 public:
  virtual ~HeldCall() = default;
};

template <class Call>
class Held final : public HeldCall {
 public:
  explicit Held(Call call) : call_(std::move(call)) {}

 private:
  Call call_;
};

template <class Call>
std::unique_ptr<HeldCall> Hold(Call call) {
  return std::make_unique<Held<Call>>(std::move(call));
}

struct State {
  const char* name;
  std::function<std::unique_ptr<HeldCall>(EchoServer&, EchoClient)> make;
};

std::unique_ptr<HeldCall> JustMade(EchoServer&, EchoClient client) { return Hold(client.Unary(Body("x"))); }

std::unique_ptr<HeldCall> JustCancelled(EchoServer&, EchoClient client) {
  auto call = client.BidiEcho();
  call.Cancel();
  return Hold(std::move(call));
}

std::unique_ptr<HeldCall> HandlerReads(EchoServer& server, EchoClient client) {
  auto call = client.BidiEcho();
  server.service.started.WaitFor(1);
  return Hold(std::move(call));
}

std::unique_ptr<HeldCall> HandlerWaitsForTheWindow(EchoServer& server, EchoClient client) {
  auto call = client.ServerStream(Ask(1'000'000, 10'000));
  EXPECT_TRUE(call.Read().Wait().has_value());
  return Hold(std::move(call));
}

std::unique_ptr<HeldCall> ReplyIsNotRead(EchoServer&, EchoClient client) {
  auto call = client.ServerStream(Ask(3, 100));
  EXPECT_TRUE(call.Read().Wait().has_value());
  return Hold(std::move(call));
}

std::unique_ptr<HeldCall> StatusIsNotRead(EchoServer&, EchoClient client) {
  auto call = client.ServerStream(Ask(1, 100));
  while (call.Read().Wait().has_value()) {
  }
  return Hold(std::move(call));
}

std::unique_ptr<HeldCall> AllIsRead(EchoServer&, EchoClient client) {
  auto call = client.ServerStream(Ask(1, 100));
  EXPECT_TRUE(call.Finish().Wait().ok());
  return Hold(std::move(call));
}

const State kStates[] = {
    {"JustMade", JustMade},
    {"JustCancelled", JustCancelled},
    {"HandlerReads", HandlerReads},
    {"HandlerWaitsForTheWindow", HandlerWaitsForTheWindow},
    {"ReplyIsNotRead", ReplyIsNotRead},
    {"StatusIsNotRead", StatusIsNotRead},
    {"AllIsRead", AllIsRead},
};

// c: the call, k: its channel, s: the server.
const char* const kOrders[] = {"cks", "csk", "kcs", "ksc", "sck", "skc"};

enum class Loop { kOwn, kGiven };

// ---- every order ----------------------------------------------------------------------------------------------------

class DestructionTest : public ::testing::TestWithParam<std::tuple<Over, const char*, Loop>> {
 public:
  static std::string Name(const ::testing::TestParamInfo<ParamType>& info) {
    const char* const over[] = {"Tcp", "Tls", "Unix", "InProcess"};
    return std::string(over[static_cast<int>(std::get<0>(info.param))]) + "_" + std::get<1>(info.param) +
           (std::get<2>(info.param) == Loop::kOwn ? "_OwnLoop" : "_GivenLoop");
  }
};

INSTANTIATE_TEST_SUITE_P(InEveryOrder, DestructionTest,
                         ::testing::Combine(::testing::Values(Over::kTcp, Over::kTls, Over::kUnix, Over::kInProcess),
                                            ::testing::ValuesIn(kOrders), ::testing::Values(Loop::kOwn, Loop::kGiven)),
                         DestructionTest::Name);

TEST_P(DestructionTest, OfCallChannelAndServer) {
  const auto [over, order, loop] = GetParam();
  for (const State& state : kStates) {
    SCOPED_TRACE(state.name);
    auto loops = transport::LoopPool::Start(1, "test");  // the last to go
    ASSERT_TRUE(loops.ok());
    EchoServer server(over);
    ChannelOptions options;
    if (loop == Loop::kGiven && over != Over::kInProcess) options.loop = &(*loops)->loop(0);
    auto channel = server.MakeChannel(options);
    std::unique_ptr<HeldCall> call = state.make(server, EchoClient(*channel));
    for (const char* object = order; *object != '\0'; ++object) {
      if (*object == 'c') call.reset();
      if (*object == 'k') channel.reset();
      if (*object == 's') server.Destroy();
    }
  }
}

// ---- operations that wait -------------------------------------------------------------------------------------------

Task<void> Reads(EchoClient client, Counter& waits, Counter& ended) {
  auto call = client.BidiEcho();
  waits.Add();
  while (true) {
    const std::optional<Payload> message = co_await call.Read();
    if (!message.has_value()) break;
  }
  const absl::Status status = co_await call.Finish();
  EXPECT_FALSE(status.ok());
  ended.Add();
}

// Nobody reads what is echoed, so that a Write waits for the window in the end.
Task<void> Writes(EchoClient client, Counter& waits, Counter& ended) {
  auto call = client.BidiEcho();
  const Payload message = Body(std::string(100'000, 'x'));
  waits.Add();
  while (co_await call.Write(message)) {
  }
  const absl::Status status = co_await call.Finish();
  EXPECT_FALSE(status.ok());
  ended.Add();
}

Task<void> WaitsForAReply(EchoClient client, Counter& waits, Counter& ended) {
  auto call = client.ClientStream();
  waits.Add();
  while (true) {  // the handler counts what is written, until nothing can be
    const Payload message = Body("x");
    if (!co_await call.Write(message)) break;
  }
  const absl::StatusOr<bench::Summary> reply = co_await call.Finish();
  EXPECT_FALSE(reply.ok());
  ended.Add();
}

class WaitingTest : public OverTest {};
WEIR_OVER_EACH(WaitingTest);

// The coroutines own their calls, and end by themselves.
TEST_P(WaitingTest, OperationsEndWhenChannelOrServerGoesFirst) {
  for (const auto operation : {Reads, Writes, WaitsForAReply}) {
    for (const std::string order : {"ks", "sk"}) {
      Counter waits;
      Counter ended;
      EchoServer server(GetParam());
      auto channel = server.MakeChannel();
      for (int i = 0; i < 3; ++i) channel->Run(operation(EchoClient(*channel), waits, ended));
      waits.WaitFor(3);
      server.service.started.WaitFor(3);
      for (const char object : order) {
        object == 'k' ? channel.reset() : server.Destroy();
      }
      EXPECT_EQ(ended.value(), 3) << "by the end of the channel";
    }
  }
}

// ---- inside of callbacks --------------------------------------------------------------------------------------------

Task<void> DropsWhatItHasReadFrom(EchoClient client, Counter& ended) {
  {
    auto call = client.ServerStream(Ask(1000, 1000));
    const std::optional<Payload> message = co_await call.Read();
    EXPECT_TRUE(message.has_value());
  }
  ended.Add();
}

Task<void> DropsTheOther(EchoClient client, Counter& ended) {
  std::optional<weir::BidiCall<Payload, Payload>> other(client.BidiEcho());
  auto call = client.ServerStream(Ask(10, 1000));
  while (true) {
    const std::optional<Payload> message = co_await call.Read();
    if (!message.has_value()) break;
    other.reset();
  }
  const absl::Status status = co_await call.Finish();
  EXPECT_TRUE(status.ok()) << status;
  ended.Add();
}

Task<void> CancelsTheOther(EchoClient client, Counter& ended) {
  auto other = client.BidiEcho();
  const absl::StatusOr<Payload> reply = co_await client.Unary(Body("x"));
  EXPECT_TRUE(reply.ok());
  other.Cancel();
  const absl::Status status = co_await other.Finish();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  ended.Add();
}

TEST_P(WaitingTest, CallsAreDroppedAndCancelledWhereAnotherHasJustBeenResumed) {
  for (const auto coroutine : {DropsWhatItHasReadFrom, DropsTheOther, CancelsTheOther}) {
    Counter ended;
    EchoServer server(GetParam());
    auto channel = server.MakeChannel();
    for (int i = 0; i < 3; ++i) channel->Run(coroutine(EchoClient(*channel), ended));
    ended.WaitFor(3);
    channel.reset();
  }
}

// The handler's channel is to another server, and goes in the middle of the handler, with a call of it under way.
class Relay final : public bench::EchoService {
 public:
  explicit Relay(EchoServer& behind) : behind_(behind) {}
  Task<absl::StatusOr<Payload>> Unary(ServerContext& context, const Payload& request) override {
    auto channel = behind_.MakeChannel();
    const CallOptions options = CallOptions().Parent(context);
    auto open = EchoClient(*channel).BidiEcho(options);
    const absl::StatusOr<Payload> reply = co_await EchoClient(*channel).Unary(request, options);
    channel.reset();
    co_return reply;
  }

 private:
  EchoServer& behind_;
};

TEST(DestructionInsideTest, OfAChannelInsideOfAHandler) {
  EchoServer behind;
  Relay relay(behind);
  Server server(EchoServer::Threads(1));
  server.AddService(relay);
  ASSERT_TRUE(server.Listen("127.0.0.1:0", InsecureServerCredentials()).ok());
  Channel channel("127.0.0.1:" + std::to_string(server.port()), InsecureChannelCredentials());
  for (int i = 0; i < 5; ++i) {
    const absl::StatusOr<Payload> reply = EchoClient(channel).Unary(Body("through")).Wait();
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->body(), "through");
  }
}

}  // namespace
}  // namespace weir
