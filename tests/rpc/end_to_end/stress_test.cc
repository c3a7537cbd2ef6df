// Many threads that start, cancel, time out and shut down at once. Bounded; what it looks for, sanitizers tell.
#include <atomic>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir {
namespace {

using bench::EchoClient;
using bench::Payload;
using bench::StreamRequest;
using testing::Body;
using testing::EchoServer;
using testing::Over;
using testing::OverTest;

class StressTest : public OverTest {};
WEIR_OVER_EACH(StressTest);

constexpr int kThreads = 8;
constexpr int kRounds = 40;

// Each call has to end with something; which code is a matter of timing.
void OneCall(EchoClient client, std::minstd_rand& random, std::atomic<int>& ended) {
  const CallOptions options =
      random() % 3 == 0 ? CallOptions().Timeout(absl::Microseconds(random() % 3000)) : CallOptions();
  switch (random() % 5) {
    case 0: {
      absl::StatusOr<Payload> reply = client.Unary(Body("x"), options).Wait();
      break;
    }
    case 1: {
      auto call = client.BidiEcho(options);
      for (int i = 0; i < 3; ++i) {
        if (!call.Write(Body(std::string(random() % 5000, 'x'))).Wait()) break;
        if (!call.Read().Wait()) break;
      }
      call.Finish().Wait().IgnoreError();
      break;
    }
    case 2: {
      auto call = client.BidiEcho(options);
      std::thread other([&call] { call.Cancel(); });
      call.Read().Wait();
      call.Finish().Wait().IgnoreError();
      other.join();
      break;
    }
    case 3: {
      StreamRequest request;
      request.set_count(50);
      request.set_size(2000);
      auto call = client.ServerStream(request, options);
      for (uint32_t i = random() % 50; i > 0 && call.Read().Wait(); --i) {
      }
      break;  // dropped
    }
    case 4: {
      auto call = client.ClientStream(options);
      for (int i = 0; i < 3; ++i) {
        if (!call.Write(Body("x")).Wait()) break;
      }
      if (random() % 2 == 0) call.Finish().Wait().IgnoreError();
      break;
    }
  }
  ++ended;
}

void Stress(Over over, ServerOptions options) {
  EchoServer server(over, options);
  std::atomic<int> ended = 0;
  {
    Channel channel = server.Connect();
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < kThreads; ++t) {
      threads.emplace_back([&channel, &ended, t] {
        std::minstd_rand random(t + 1);
        for (int i = 0; i < kRounds; ++i) OneCall(EchoClient(channel), random, ended);
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(EchoClient(channel).Unary(Body("still there")).Wait().ok());
  }
  EXPECT_EQ(ended, kThreads * kRounds);
  EXPECT_TRUE(server.server().Drain(absl::Seconds(60)).ok());
}

TEST_P(StressTest, ThreadsStartCancelAndTimeOutAgainstHandlersOnLoops) { Stress(GetParam(), EchoServer::Threads(2)); }

TEST_P(StressTest, ThreadsStartCancelAndTimeOutAgainstHandlersOnWorkers) {
  Stress(GetParam(), EchoServer::Threads(2, 3));
}

TEST_P(StressTest, ServerGoesAwayUnderCalls) {
  for (int round = 0; round < 5; ++round) {
    EchoServer server(GetParam(), EchoServer::Threads(2, round % 2));
    ChannelOptions options;
    options.backoff_initial = absl::Milliseconds(1);
    Channel channel = server.Connect(options);
    std::atomic<int> ended = 0;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < kThreads; ++t) {
      threads.emplace_back([&channel, &ended, t] {
        std::minstd_rand random(t + 1);
        for (int i = 0; i < 10; ++i) OneCall(EchoClient(channel), random, ended);
      });
    }
    server.service.started.WaitFor(5);
    if (round % 2 == 0) server.server().Drain(absl::Milliseconds(round)).IgnoreError();
    server.Destroy();
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(ended, kThreads * 10);
  }
}

TEST_P(StressTest, ChannelsComeAndGo) {
  EchoServer server(GetParam());
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t) {
    threads.emplace_back([&server, t] {
      std::minstd_rand random(t + 1);
      std::atomic<int> ended = 0;
      for (int i = 0; i < 5; ++i) {
        Channel channel = server.Connect();
        auto running = EchoClient(channel).BidiEcho();  // destroyed before the channel, still running
        OneCall(EchoClient(channel), random, ended);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace weir
