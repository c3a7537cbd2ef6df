// What goes on around a call, on real loops and threads: nested calls, sleeping and cancelled handlers, several calls
// at once.
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "weir/rpc/core/when.h"
#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir {
namespace {

using bench::EchoClient;
using bench::Payload;
using testing::Body;
using testing::Counter;
using testing::EchoServer;
using testing::Over;
using testing::StatusIs;

// Handlers that wait until their call ends, each in its way.
class WaitingService final : public bench::EchoService {
 public:
  Task<absl::StatusOr<Payload>> Unary(ServerContext& context, const Payload& request) override {
    started.Add();
    if (request.body() == "quick") co_return request;
    const std::stop_callback stopped(context.stop_token(), [this] { tokens.Add(); });
    context.OnCancel([this] { callbacks.Add(); });
    if (request.body() == "block") {
      if (!context.Sleep(absl::Hours(1)).Wait()) context.Cancelled().Wait();
      woken.Add();
    } else if (request.body() == "sleep") {
      const bool slept = co_await context.Sleep(absl::Hours(1));
      if (!slept) woken.Add();
    } else {
      co_await context.Cancelled();
      woken.Add();
    }
    co_return request;
  }

  Counter started;
  Counter tokens;
  Counter callbacks;
  Counter woken;
};

// Asks the server behind, for whoever asks it.
class FrontService final : public bench::EchoService {
 public:
  explicit FrontService(EchoClient behind) : behind_(behind) {}
  Task<absl::StatusOr<Payload>> Unary(ServerContext& context, const Payload& request) override {
    auto call = behind_.Unary(request, CallOptions().Parent(context));
    absl::StatusOr<Payload> reply = co_await call;
    if (!reply.ok()) last_error = std::string(reply.status().message());
    ended.Add();
    co_return reply;
  }

  EchoClient behind_;
  std::string last_error;  // read when `ended` says so
  Counter ended;
};

class Served {
 public:
  Served(bench::EchoService& service, int workers) : server_(EchoServer::Threads(2, workers)) {
    server_.AddService(service);
    EXPECT_TRUE(server_.Listen("127.0.0.1:0", InsecureServerCredentials()).ok());
  }
  std::string target() const { return "127.0.0.1:" + std::to_string(server_.port()); }

 private:
  Server server_;
};

void CancelWaitingHandlers(int workers) {
  WaitingService service;
  Served server(service, workers);
  Channel channel(server.target(), InsecureChannelCredentials());
  EchoClient client(channel);
  for (int i = 0; i < 20; ++i) {
    auto sleeping = client.Unary(Body("sleep"));
    auto waiting = client.Unary(Body("wait"));
    service.started.WaitFor(2 * i + 2);
  }
  service.woken.WaitFor(40);
  service.tokens.WaitFor(40);
  service.callbacks.WaitFor(40);
}

TEST(AroundTest, CancellationWakesHandlersOnLoops) { CancelWaitingHandlers(0); }
TEST(AroundTest, CancellationWakesHandlersOnWorkers) { CancelWaitingHandlers(3); }

TEST(AroundTest, CancellationWakesHandlersThatBlockTheirWorker) {
  WaitingService service;
  Served server(service, 2);
  Channel channel(server.target(), InsecureChannelCredentials());
  EchoClient client(channel);
  for (int i = 0; i < 20; ++i) {
    auto blocked = client.Unary(Body("block"));
    service.started.WaitFor(i + 1);
    blocked.Cancel();
    service.woken.WaitFor(i + 1);
  }
}

void CancelNestedCalls(int workers) {
  WaitingService behind;
  Served behind_server(behind, workers);
  Channel behind_channel(behind_server.target(), InsecureChannelCredentials());
  FrontService front((EchoClient(behind_channel)));
  Served front_server(front, workers);
  Channel channel(front_server.target(), InsecureChannelCredentials());
  EchoClient client(channel);
  for (int i = 0; i < 20; ++i) {
    auto call = client.Unary(Body("wait"));
    behind.started.WaitFor(i + 1);
    call.Cancel();
    front.ended.WaitFor(i + 1);
    EXPECT_THAT(front.last_error, ::testing::EndsWith(": cancelled with its parent /bench.Echo/Unary"));
  }
  behind.woken.WaitFor(20);
  absl::StatusOr<Payload> late = client.Unary(Body("wait"), CallOptions().Timeout(absl::Milliseconds(50))).Wait();
  EXPECT_THAT(late, StatusIs(absl::StatusCode::kDeadlineExceeded));
  behind.woken.WaitFor(21);
  front.ended.WaitFor(21);
}

TEST(AroundTest, ACancelledCallCancelsThoseBehindItFromLoops) { CancelNestedCalls(0); }
TEST(AroundTest, ACancelledCallCancelsThoseBehindItFromWorkers) { CancelNestedCalls(2); }

// ---- several at once ------------------------------------------------------------------------------------------------

TEST(AroundTest, SeveralCallsAreWaitedForOnAPlainThread) {
  WaitingService service;
  Served server(service, 0);
  Channel channel(server.target(), InsecureChannelCredentials());
  EchoClient client(channel);
  auto [a, b] = WhenAll(client.Unary(Body("quick")), client.Unary(Body("quick"))).Wait();
  EXPECT_TRUE(a.ok() && b.ok());

  std::vector<UnaryCall<Payload>> calls;
  for (int i = 0; i < 10; ++i) calls.push_back(client.Unary(Body("quick")));
  absl::StatusOr<std::vector<Payload>> all = WhenAllOk(std::move(calls)).Wait();
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->size(), 10u);

  std::variant<absl::StatusOr<Payload>, absl::StatusOr<Payload>> first =
      WhenAny(client.Unary(Body("wait")), client.Unary(Body("quick"))).Wait();
  EXPECT_EQ(first.index(), 1u);
  service.woken.WaitFor(1);
}

// Reads with the patience of a handler: gives up one read, not the call.
Task<absl::Status> ReadOrSleep(EchoClient client, int& tries) {
  auto call = client.BidiEcho();
  auto other = client.BidiEcho();
  for (int i = 0; i < 20; ++i) {
    const bool written = co_await call.Write(Body("x"));
    if (!written) co_return absl::InternalError("not written");
    std::variant<std::optional<Payload>, std::optional<Payload>> first = co_await WhenAny(other.Read(), call.Read());
    if (first.index() == 1 && std::get<1>(first).has_value()) ++tries;
  }
  const bool written = co_await other.Write(Body("y"));
  std::optional<Payload> late = co_await other.Read();
  if (!written || !late.has_value()) co_return absl::InternalError("the other call has ended");
  co_return absl::OkStatus();
}

TEST(AroundTest, AReadThatIsGivenUpLeavesItsCallAlone) {
  for (int workers : {0, 2}) {
    EchoServer server(Over::kTcp, EchoServer::Threads(1, workers));
    Channel channel = server.Connect();
    int tries = 0;
    absl::Status status = ReadOrSleep(EchoClient(channel), tries).Wait();
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(tries, 20);
  }
}

}  // namespace
}  // namespace weir
