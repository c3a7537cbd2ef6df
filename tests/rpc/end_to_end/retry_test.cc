// Retries against real servers: a flaky service, streams that are sent again, and the promise that no handler runs
// twice for a call that its server has not looked at.
#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/service_config/parse_service_config.h"
#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir {
namespace {

using bench::EchoClient;
using bench::Payload;
using testing::Body;
using testing::Counter;
using testing::EchoServer;
using testing::IsOk;
using testing::Over;
using testing::StatusIs;

ChannelOptions Quickly() {
  ChannelOptions options;
  options.service_config = ParseServiceConfig(R"({"methodConfig":[{"name":[{"service":"bench.Echo"}],
      "retryPolicy":{"maxAttempts":4,"initialBackoff":"0.001s","maxBackoff":"0.01s","backoffMultiplier":2,
                     "retryableStatusCodes":["UNAVAILABLE"]}}]})");
  return options;
}

// Fails the first `failures` attempts of each call, and echoes the number of attempts before the one that is answered.
class Flaky final : public bench::EchoService {
 public:
  explicit Flaky(int failures) : failures_(failures) {}

  Task<absl::StatusOr<Payload>> Unary(ServerContext& context, const Payload& request) override {
    runs.Add();
    if (request.body() == "give up") {
      context.PushBack(absl::InfiniteDuration());
      co_return absl::UnavailableError("do not come again");
    }
    if (context.previous_attempts() < failures_) co_return absl::UnavailableError("not yet");
    co_return Body(absl::StrCat(request.body(), " ", context.previous_attempts()));
  }
  Task<absl::StatusOr<bench::Summary>> ClientStream(ServerContext& context, Reader<Payload>& reader) override {
    runs.Add();
    bench::Summary summary;
    while (std::optional<Payload> payload = co_await reader.Read()) {
      summary.set_count(summary.count() + 1);
      summary.set_bytes(summary.bytes() + payload->body().size());
    }
    if (context.previous_attempts() < failures_) co_return absl::UnavailableError("not yet");
    co_return summary;
  }

  Counter runs;

 private:
  const int failures_;
};

class FlakyServer {
 public:
  explicit FlakyServer(int failures) : service(failures) {
    server_.AddService(service);
    EXPECT_THAT(server_.Listen("127.0.0.1:0", InsecureServerCredentials()), IsOk());
  }
  std::string target() const { return "127.0.0.1:" + std::to_string(server_.port()); }

  Flaky service;

 private:
  Server server_;
};

TEST(RetryEndToEndTest, FlakyServiceIsAskedUntilItAnswers) {
  FlakyServer server(3);
  Channel channel(server.target(), InsecureChannelCredentials(), Quickly());
  absl::StatusOr<Payload> reply = EchoClient(channel).Unary(Body("hi")).Wait();
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->body(), "hi 3");
  EXPECT_EQ(server.service.runs.value(), 4);
}

TEST(RetryEndToEndTest, ServiceThatStaysFlakyIsGivenUp) {
  FlakyServer server(4);
  Channel channel(server.target(), InsecureChannelCredentials(), Quickly());
  absl::StatusOr<Payload> reply = EchoClient(channel).Unary(Body("hi")).Wait();
  EXPECT_THAT(reply, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(WhyOf(reply.status())->attempt, 4);
  EXPECT_EQ(server.service.runs.value(), 4);
}

TEST(RetryEndToEndTest, HandlerMayPushBackForGood) {
  FlakyServer server(0);
  Channel channel(server.target(), InsecureChannelCredentials(), Quickly());
  absl::StatusOr<Payload> reply = EchoClient(channel).Unary(Body("give up")).Wait();
  EXPECT_THAT(reply, StatusIs(absl::StatusCode::kUnavailable, "do not come again"));
  EXPECT_EQ(server.service.runs.value(), 1);
}

TEST(RetryEndToEndTest, StreamedRequestIsSentAgain) {
  FlakyServer server(2);
  Channel channel(server.target(), InsecureChannelCredentials(), Quickly());
  auto call = EchoClient(channel).ClientStream();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(call.Write(Body(std::string(1000, 'x'))).Wait());
  absl::StatusOr<bench::Summary> summary = call.Finish().Wait();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->count(), 10u);
  EXPECT_EQ(summary->bytes(), 10'000u);
  EXPECT_EQ(server.service.runs.value(), 3);
}

TEST(RetryEndToEndTest, HedgedCallIsAnsweredOnceHoweverManyAttemptsAreMade) {
  EchoServer server(Over::kTcp, EchoServer::Threads(1));
  ChannelOptions options;
  options.service_config = ParseServiceConfig(R"({"methodConfig":[{"name":[{}],
      "hedgingPolicy":{"maxAttempts":3,"hedgingDelay":"0.001s"}}]})");
  Channel channel = server.Connect(options);
  // Echoes at once, as often as it is asked: what is shown is that one answer comes, and the losers leave nothing.
  for (int i = 0; i < 50; ++i) ASSERT_THAT(EchoClient(channel).Unary(Body("x")).Wait(), IsOk());
  EXPECT_GE(server.service.started.value(), 50);
}

// ---- unprocessed is unprocessed -------------------------------------------------------------------------------------

// Counts how often each request is handled, whichever server does it.
class Ledger {
 public:
  void Note(const std::string& request) {
    std::lock_guard lock(mutex_);
    ++runs_[request];
  }
  int MostRuns() {
    std::lock_guard lock(mutex_);
    int most = 0;
    for (const auto& [request, runs] : runs_) most = std::max(most, runs);
    return most;
  }
  size_t requests() {
    std::lock_guard lock(mutex_);
    return runs_.size();
  }

 private:
  std::mutex mutex_;
  std::map<std::string, int> runs_;
};

class Noting final : public bench::EchoService {
 public:
  explicit Noting(Ledger& ledger) : ledger_(ledger) {}
  Task<absl::StatusOr<Payload>> Unary(ServerContext&, const Payload& request) override {
    ledger_.Note(request.body());
    co_return request;
  }

 private:
  Ledger& ledger_;
};

// Servers replace each other at one Unix socket while calls go on; each drains, and says GOAWAY to calls that it has
// not looked at. Every call is handled once, and none fails: the transparent retry, and wait-for-ready for the moment
// between two servers.
TEST(RetryEndToEndTest, NoHandlerRunsTwiceAndNoCallFailsWhileServersAreReplaced) {
  constexpr int kThreads = 4;
  constexpr int kReplacements = 20;
  Ledger ledger;
  Noting service(ledger);
  char folder[] = "/tmp/weir-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string target = absl::StrCat("unix:", folder, "/socket");
  const auto start = [&service, &target] {
    auto server = std::make_unique<Server>(EchoServer::Threads(1));
    server->AddService(service);
    EXPECT_THAT(server->Listen(target, InsecureServerCredentials()), IsOk());
    return server;
  };
  std::unique_ptr<Server> server = start();
  ChannelOptions options;
  options.backoff_initial = absl::Milliseconds(1);
  options.backoff_max = absl::Milliseconds(5);
  Channel channel(target, InsecureChannelCredentials(), options);

  std::atomic<bool> stop = false;
  std::atomic<int> calls = 0;
  Counter answered;
  std::vector<std::thread> callers;
  for (int thread = 0; thread < kThreads; ++thread) {
    callers.emplace_back([&, thread] {
      EchoClient client(channel);
      for (int i = 0; !stop; ++i) {
        const CallOptions patient = CallOptions().WaitForReady().Timeout(absl::Seconds(60));
        absl::StatusOr<Payload> reply = client.Unary(Body(absl::StrCat(thread, "/", i)), patient).Wait();
        EXPECT_THAT(reply, IsOk());
        ++calls;
        answered.Add();
      }
    });
  }
  for (int i = 0; i < kReplacements; ++i) {
    answered.WaitFor(answered.value() + 20);
    EXPECT_THAT(server->Drain(absl::Seconds(60)), IsOk());
    server.reset();
    server = start();
  }
  stop = true;
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(ledger.MostRuns(), 1);
  EXPECT_EQ(ledger.requests(), static_cast<size_t>(calls));
  server.reset();
  rmdir(folder);
}

}  // namespace
}  // namespace weir
