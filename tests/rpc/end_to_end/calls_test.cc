// Calls between a real Channel and a real Server, over TCP, a Unix socket and in process: every kind, from coroutines
// and from plain threads.
#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "weir/tests/rpc/end_to_end/harness.h"
#include "weir/transport/io/blocking_executor.h"
#include "weir/transport/io/loop_pool.h"

namespace weir {
namespace {

using bench::EchoClient;
using bench::Payload;
using bench::StreamRequest;
using bench::Summary;
using ::testing::AllOf;
using testing::Body;
using testing::Counter;
using testing::EchoServer;
using ::testing::HasSubstr;
using testing::Over;
using testing::OverTest;
using testing::StatusIs;

class WaitTest : public OverTest {};
class CoroutineTest : public OverTest {};
class ManyTest : public OverTest {};
class BlockingTest : public OverTest {};
WEIR_OVER_EACH(WaitTest);
WEIR_OVER_EACH(CoroutineTest);
WEIR_OVER_EACH(ManyTest);
WEIR_OVER_EACH(BlockingTest);

StreamRequest Ask(uint32_t count, uint32_t size) {
  StreamRequest request;
  request.set_count(count);
  request.set_size(size);
  return request;
}

// ---- from plain threads ---------------------------------------------------------------------------------------------

TEST_P(WaitTest, UnaryCall) {
  EchoServer server(GetParam());
  Channel channel = server.Connect();
  EchoClient client(channel);
  absl::StatusOr<Payload> reply = client.Unary(Body("hello")).Wait();
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->body(), "hello");
  EXPECT_THAT(client.Unary(Body("fail")).Wait(), StatusIs(absl::StatusCode::kNotFound, "no such thing"));
}

TEST_P(WaitTest, ServerStream) {
  EchoServer server(GetParam());
  Channel channel = server.Connect();
  EchoClient client(channel);
  auto call = client.ServerStream(Ask(1000, 1000));
  int messages = 0;
  while (std::optional<Payload> payload = call.Read().Wait()) ++messages;
  EXPECT_EQ(messages, 1000);
  EXPECT_TRUE(call.Finish().Wait().ok());
}

TEST_P(WaitTest, ClientStream) {
  EchoServer server(GetParam());
  Channel channel = server.Connect();
  EchoClient client(channel);
  auto call = client.ClientStream();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(call.Write(Body(std::string(10'000, 'x'))).Wait());
  absl::StatusOr<Summary> summary = call.Finish().Wait();
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->count(), 100u);
  EXPECT_EQ(summary->bytes(), 1'000'000u);
}

TEST_P(WaitTest, BidiStream) {
  EchoServer server(GetParam());
  Channel channel = server.Connect();
  EchoClient client(channel);
  auto call = client.BidiEcho();
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(call.Write(Body(std::to_string(i))).Wait());
    std::optional<Payload> payload = call.Read().Wait();
    ASSERT_TRUE(payload.has_value());
    EXPECT_EQ(payload->body(), std::to_string(i));
  }
  call.WritesDone();
  EXPECT_FALSE(call.Read().Wait().has_value());
  EXPECT_TRUE(call.Finish().Wait().ok());
}

TEST_P(WaitTest, OneThreadReadsWhileAnotherWrites) {
  EchoServer server(GetParam());
  Channel channel = server.Connect();
  EchoClient client(channel);
  auto call = client.BidiEcho();
  constexpr int kMessages = 500;
  std::thread writer([&call] {
    for (int i = 0; i < kMessages; ++i) EXPECT_TRUE(call.Write(Body(std::string(2000, 'x'))).Wait());
    call.WritesDone();
  });
  int messages = 0;
  while (std::optional<Payload> payload = call.Read().Wait()) ++messages;
  writer.join();
  EXPECT_EQ(messages, kMessages);
  EXPECT_TRUE(call.Finish().Wait().ok());
}

// ---- from coroutines ------------------------------------------------------------------------------------------------

Task<absl::Status> AllFourKinds(EchoClient client) {
  auto unary = client.Unary(Body("hello"));
  absl::StatusOr<Payload> reply = co_await unary;
  EXPECT_EQ(reply.ok() ? reply->body() : reply.status().ToString(), "hello");

  auto down = client.ServerStream(Ask(100, 5000));
  int messages = 0;
  while (std::optional<Payload> payload = co_await down.Read()) ++messages;
  EXPECT_EQ(messages, 100);
  absl::Status down_status = co_await down.Finish();
  EXPECT_TRUE(down_status.ok()) << down_status;

  auto up = client.ClientStream();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(co_await up.Write(Body("x")));
  absl::StatusOr<Summary> summary = co_await up.Finish();
  EXPECT_EQ(summary.ok() ? summary->count() : 0, 100u);

  auto bidi = client.BidiEcho();
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(co_await bidi.Write(Body(std::to_string(i))));
    std::optional<Payload> payload = co_await bidi.Read();
    EXPECT_EQ(payload ? payload->body() : "nothing", std::to_string(i));
  }
  absl::Status status = co_await bidi.Finish();
  co_return status;
}

Task<void> Then(Task<absl::Status> task, absl::Status& result, transport::BlockingExecutor& done) {
  result = co_await std::move(task);
  done.Finish();
}

TEST_P(CoroutineTest, AllFourKindsOnTheChannelsLoop) {
  EchoServer server(GetParam());
  Channel channel = server.Connect();
  absl::Status status = absl::UnknownError("never set");
  transport::BlockingExecutor done;
  channel.Run(Then(AllFourKinds(EchoClient(channel)), status, done));
  done.RunUntilDone();
  EXPECT_TRUE(status.ok()) << status;
}

TEST_P(CoroutineTest, AllFourKindsOnAPlainThread) {
  EchoServer server(GetParam());
  Channel channel = server.Connect();
  absl::Status status = AllFourKinds(EchoClient(channel)).Wait();
  EXPECT_TRUE(status.ok()) << status;
}

TEST_P(CoroutineTest, AllFourKindsAgainstHandlersOnWorkers) {
  EchoServer server(GetParam(), EchoServer::Threads(2, 2));
  Channel channel = server.Connect();
  absl::Status status = AllFourKinds(EchoClient(channel)).Wait();
  EXPECT_TRUE(status.ok()) << status;
}

// ---- many -----------------------------------------------------------------------------------------------------------

TEST_P(ManyTest, SeveralChannelsOnSeveralLoops) {
  EchoServer server(GetParam(), EchoServer::Threads(4));
  std::vector<std::unique_ptr<Channel>> channels;
  for (int i = 0; i < 6; ++i) channels.push_back(server.MakeChannel());
  for (int round = 0; round < 20; ++round) {
    for (auto& channel : channels) {
      absl::StatusOr<Payload> reply = EchoClient(*channel).Unary(Body("x")).Wait();
      ASSERT_TRUE(reply.ok()) << reply.status();
    }
  }
  EXPECT_EQ(server.server().connection_count(), channels.size());
}

TEST(LoopsTest, ChannelsOnLoopsOfTheUsersOwn) {
  EchoServer server;
  auto loops = transport::LoopPool::Start(2, "test");
  ASSERT_TRUE(loops.ok()) << loops.status();
  {
    std::vector<std::unique_ptr<Channel>> channels;
    for (size_t i = 0; i < 4; ++i) {
      ChannelOptions options;
      options.loop = &(*loops)->loop(i % 2);
      channels.push_back(std::make_unique<Channel>(server.target(), InsecureChannelCredentials(), options));
    }
    for (auto& channel : channels) {
      absl::StatusOr<Payload> reply = EchoClient(*channel).Unary(Body("x")).Wait();
      EXPECT_TRUE(reply.ok()) << reply.status();
    }
  }
  (*loops)->Stop();
  (*loops)->Join();
}

TEST_P(ManyTest, SeveralThreadsCallOneChannel) {
  EchoServer server(GetParam());
  Channel channel = server.Connect();
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&channel, &good, t] {
      EchoClient client(channel);
      for (int i = 0; i < 50; ++i) {
        const std::string body = std::to_string(t * 1000 + i);
        absl::StatusOr<Payload> reply = client.Unary(Body(body)).Wait();
        if (reply.ok() && reply->body() == body) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 8 * 50);
}

Task<void> OneBidi(EchoClient client, Counter& arrived, Counter& done, std::atomic<int>& good) {
  auto call = client.BidiEcho();
  int echoed = 0;
  for (int i = 0; i < 3; ++i) {
    if (!co_await call.Write(Body(std::string(100, 'a')))) break;
    std::optional<Payload> payload = co_await call.Read();
    if (payload && payload->body().size() == 100) ++echoed;
    if (i == 0) arrived.Add();
  }
  absl::Status status = co_await call.Finish();
  if (status.ok() && echoed == 3) ++good;
  done.Add();
}

Task<void> StartAll(EchoClient client, int calls, Counter& arrived, Counter& done, std::atomic<int>& good) {
  for (int i = 0; i < calls; ++i) Spawn(OneBidi(client, arrived, done, good));
  co_return;
}

TEST_P(ManyTest, AThousandBidiCallsAtATime) {
  constexpr int kCalls = 1000;
  EchoServer server(GetParam());
  Channel channel = server.Connect();
  Counter arrived, done;
  std::atomic<int> good = 0;
  channel.Run(StartAll(EchoClient(channel), kCalls, arrived, done, good));
  done.WaitFor(kCalls);
  EXPECT_EQ(good, kCalls);
}

TEST_P(ManyTest, CallsAboveTheServersLimitWaitTheirTurn) {
  ServerOptions options = EchoServer::Threads(1);
  options.max_concurrent_streams = 3;
  EchoServer server(GetParam(), options);
  Channel channel = server.Connect();
  Counter arrived, done;
  std::atomic<int> good = 0;
  channel.Run(StartAll(EchoClient(channel), 50, arrived, done, good));
  done.WaitFor(50);
  EXPECT_EQ(good, 50);
}

TEST_P(ManyTest, CallsThatNobodyReadsDoNotHoldUpTheOthers) {
  EchoServer server(GetParam());
  Channel channel = server.Connect();
  EchoClient client(channel);
  // Each fills its stream's window in both directions: together several times the connection's.
  std::vector<BidiCall<Payload, Payload>> unread;
  for (int i = 0; i < 20; ++i) {
    unread.push_back(client.BidiEcho());
    EXPECT_TRUE(unread.back().Write(Body(std::string(200'000, 'x'))).Wait());
    EXPECT_TRUE(unread.back().Write(Body(std::string(200'000, 'y'))).Wait());
  }
  absl::StatusOr<Payload> reply = client.Unary(Body("hello"), CallOptions().Timeout(absl::Seconds(30))).Wait();
  EXPECT_TRUE(reply.ok()) << reply.status();
  for (auto& call : unread) {
    call.WritesDone();
    int messages = 0;
    while (std::optional<Payload> payload = call.Read().Wait()) ++messages;
    EXPECT_EQ(messages, 2);
    EXPECT_TRUE(call.Finish().Wait().ok());
  }
}

TEST_P(ManyTest, RepliesMayBeAwaitedInAnotherOrderThanTheyComeIn) {
  EchoServer server(GetParam());
  Channel channel = server.Connect();
  EchoClient client(channel);
  // Twice what may wait unread on a connection.
  constexpr size_t kBytes = 1'000'000;
  std::vector<UnaryCall<Payload>> calls;
  for (int i = 0; i < 32; ++i) {
    calls.push_back(client.Unary(Body(std::string(kBytes, 'x')), CallOptions().Timeout(absl::Seconds(60))));
  }
  for (auto call = calls.rbegin(); call != calls.rend(); ++call) {
    absl::StatusOr<Payload> reply = call->Wait();
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->body().size(), kBytes);
  }
}

TEST_P(ManyTest, MessageOfFourMegabytesGoesBothWays) {
  ServerOptions options = EchoServer::Threads(1);
  options.max_receive_message_bytes = 5 << 20;
  EchoServer server(GetParam(), options);
  ChannelOptions channel_options;
  channel_options.max_receive_message_bytes = 5 << 20;
  Channel channel = server.Connect(channel_options);
  std::string body(4 << 20, 'x');
  for (size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('a' + i % 26);
  absl::StatusOr<Payload> reply = EchoClient(channel).Unary(Body(body)).Wait();
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_TRUE(reply->body() == body);
}

TEST_P(ManyTest, MessageOverTheServersLimitIsRefusedWithTheOptionsName) {
  EchoServer server(GetParam());
  Channel channel = server.Connect();
  EXPECT_THAT(EchoClient(channel).Unary(Body(std::string(5 << 20, 'x'))).Wait(),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("max_receive_message_bytes")));
}

// ---- blocking -------------------------------------------------------------------------------------------------------

TEST_P(BlockingTest, HandlersOnWorkersMayBlockWhileOthersAreServed) {
  EchoServer server(GetParam(), EchoServer::Threads(1, 2));
  Channel channel = server.Connect();
  EchoClient client(channel);
  auto blocked = client.Unary(Body("block"));
  server.service.started.WaitFor(1);
  absl::StatusOr<Payload> reply = client.Unary(Body("quick")).Wait();
  EXPECT_TRUE(reply.ok()) << reply.status();
  server.service.release.Add();
  EXPECT_TRUE(blocked.Wait().ok());
}

// Calls .Wait() where it must not. Texts, not statuses: those are shared with calls that end on the loop later, by a
// count that ThreadSanitizer does not see in the installed libabsl.
Task<void> WaitOnTheLoop(EchoClient client, std::vector<std::string>& errors, transport::BlockingExecutor& done) {
  errors.push_back(client.Unary(Body("x")).Wait().status().ToString());
  {
    auto call = client.BidiEcho();
    EXPECT_FALSE(call.Write(Body("x")).Wait());
    errors.push_back(call.Finish().Wait().ToString());
    auto reading = client.BidiEcho();
    EXPECT_FALSE(reading.Read().Wait().has_value());
    absl::Status why = co_await reading.Finish();
    errors.push_back(why.ToString());
  }
  {
    auto asking = client.BidiEcho();
    EXPECT_TRUE(asking.InitialMetadata().Wait().empty());
    absl::Status why = co_await asking.Finish();
    errors.push_back(why.ToString());
    auto up = client.ClientStream();
    errors.push_back(up.Finish().Wait().status().ToString());
  }
  done.Finish();
}

TEST_P(BlockingTest, WaitOnALoopsThreadFailsAndSaysWhatToDo) {
  EchoServer server(GetParam());
  Channel channel = server.Connect();
  std::vector<std::string> errors;
  transport::BlockingExecutor done;
  channel.Run(WaitOnTheLoop(EchoClient(channel), errors, done));
  done.RunUntilDone();
  ASSERT_EQ(errors.size(), 5u);
  for (const std::string& error : errors) {
    EXPECT_THAT(error, AllOf(HasSubstr("FAILED_PRECONDITION"), HasSubstr("co_await it instead")));
  }
}

}  // namespace
}  // namespace weir
