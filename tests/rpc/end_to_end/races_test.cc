// Eight threads that start, cancel, time out and drop calls, make and destroy channels, drain and destroy servers, all
// at once: what a thread sanitizer has to see. More than the bounded number of calls:
//
//   bazel test --config=tsan //tests/rpc/end_to_end:races_test --test_env=WEIR_RACE_CALLS=1000000 --test_timeout=7200
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
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

constexpr int kCallers = 4;
constexpr int kChannelMakers = 2;  // and one thread cancels, and one replaces servers

// For each way to reach a server.
int64_t CallsToMake() {
  const char* const told = std::getenv("WEIR_RACE_CALLS");
  return told != nullptr ? std::atoll(told) / 4 : 4000;
}

CallOptions SomeOptions(std::minstd_rand& random) {
  CallOptions options;
  if (random() % 4 == 0) options.Timeout(absl::Microseconds(random() % 3000));
  return options;
}

// The calls that can be cancelled by others: one for each caller.
class Cancellable {
 public:
  // `cancel` may be called until the next Set.
  void Set(std::function<void()> cancel) {
    std::lock_guard lock(mutex_);
    cancel_ = std::move(cancel);
  }
  void Cancel() {
    std::lock_guard lock(mutex_);
    if (cancel_) cancel_();
  }

 private:
  std::mutex mutex_;
  std::function<void()> cancel_;
};

class Races {
 public:
  explicit Races(Over over) : over_(over), left_(CallsToMake()) { Replace(0); }

  void Run() {
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < kCallers; ++t) {
      threads.emplace_back([this, t] { MakeCalls(std::minstd_rand(t + 1), cancellables_[t]); });
    }
    for (unsigned t = 0; t < kChannelMakers; ++t) {
      threads.emplace_back([this, t] { MakeChannels(std::minstd_rand(t + 100)); });
    }
    threads.emplace_back([this] { CancelCalls(std::minstd_rand(200)); });
    threads.emplace_back([this] { ReplaceServers(std::minstd_rand(300)); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(started_, ended_) << "each call ends once";
    shared_.reset();
    EXPECT_TRUE(server_->server().Drain(absl::Seconds(60)).ok());
  }

 private:
  bool More() { return left_.fetch_sub(1) > 0; }

  void Count(const absl::Status& status) {
    ++ended_;
    switch (status.code()) {
      case absl::StatusCode::kOk:
      case absl::StatusCode::kCancelled:
      case absl::StatusCode::kDeadlineExceeded:
      case absl::StatusCode::kUnavailable:
        return;
      default:
        ADD_FAILURE() << "nothing here causes " << status;
    }
  }

  // A server and a channel to it in place of those before, whose server is drained, or not, and destroyed.
  void Replace(int round) {
    auto server = std::make_unique<EchoServer>(over_, EchoServer::Threads(2, round % 2));
    auto channel = server->MakeChannel();
    {
      std::lock_guard lock(mutex_);
      std::swap(server, server_);
      shared_ = std::move(channel);
    }
    if (server == nullptr) return;
    if (round % 3 != 0) server->server().Drain(absl::Milliseconds(round % 3)).IgnoreError();
    server->Destroy();
  }
  std::shared_ptr<Channel> Shared() {
    std::lock_guard lock(mutex_);
    return shared_;
  }
  std::unique_ptr<Channel> NewChannel() {
    std::lock_guard lock(mutex_);
    return server_->MakeChannel();
  }

  // ---- the threads

  void MakeCalls(std::minstd_rand random, Cancellable& cancellable) {
    while (More()) {
      const std::shared_ptr<Channel> channel = Shared();
      EchoClient client(*channel);
      ++started_;
      switch (random() % 3) {
        case 0: {
          auto call = client.Unary(Body("x"), SomeOptions(random));
          cancellable.Set([&call] { call.Cancel(); });
          const absl::Status status = call.Wait().status();
          cancellable.Set(nullptr);
          Count(status);
          break;
        }
        case 1: {
          auto call = client.BidiEcho(SomeOptions(random));
          cancellable.Set([&call] { call.Cancel(); });
          for (int i = 0; i < 3; ++i) {
            if (!call.Write(Body(std::string(random() % 5000, 'x'))).Wait()) break;
            if (!call.Read().Wait()) break;
          }
          const absl::Status status = call.Finish().Wait();
          cancellable.Set(nullptr);
          Count(status);
          break;
        }
        default: {
          StreamRequest request;
          request.set_count(20);
          request.set_size(2000);
          auto call = client.ServerStream(request, SomeOptions(random));
          for (uint32_t i = random() % 20; i > 0 && call.Read().Wait(); --i) {
          }
          Count(absl::OkStatus());  // dropped
          break;
        }
      }
    }
  }

  static Task<void> UntilItEnds(EchoClient client, CallOptions options, Races& races) {
    auto call = client.BidiEcho(options);
    const Payload message = Body("x");
    while (co_await call.Write(message)) {
      const std::optional<Payload> echoed = co_await call.Read();
      if (!echoed.has_value()) break;
    }
    const absl::Status status = co_await call.Finish();
    races.Count(status);
  }

  // Channels that are destroyed with calls under way, of coroutines and of this thread.
  void MakeChannels(std::minstd_rand random) {
    while (More()) {
      std::unique_ptr<Channel> channel = NewChannel();
      EchoClient client(*channel);
      for (int i = 0; i < 3; ++i) {
        ++started_;
        channel->Run(UntilItEnds(client, SomeOptions(random), *this));
      }
      auto unread = client.Unary(Body("x"), SomeOptions(random));
      auto open = client.BidiEcho(SomeOptions(random));
      if (random() % 2 == 0) client.Unary(Body("connected")).Wait().IgnoreError();
      for (uint32_t i = random() % 100; i > 0; --i) std::this_thread::yield();
      left_ -= 5;
      channel.reset();
    }
  }

  void CancelCalls(std::minstd_rand random) {
    while (left_ > 0) {
      cancellables_[random() % kCallers].Cancel();
      for (uint32_t i = random() % 50; i > 0; --i) std::this_thread::yield();
    }
  }

  void ReplaceServers(std::minstd_rand random) {
    for (int round = 1; left_ > 0; ++round) {
      const int64_t until = left_ - static_cast<int64_t>(random() % 100);
      while (left_ > std::max<int64_t>(until, 0)) std::this_thread::yield();
      Replace(round);
    }
  }

  const Over over_;
  std::atomic<int64_t> left_;
  std::atomic<int64_t> started_ = 0;
  std::atomic<int64_t> ended_ = 0;
  std::array<Cancellable, kCallers> cancellables_;
  std::mutex mutex_;
  std::unique_ptr<EchoServer> server_;  // by mutex_, as is shared_
  std::shared_ptr<Channel> shared_;     // destroyed by whoever is the last to use it
};

class RacesTest : public OverTest {};
WEIR_OVER_EACH(RacesTest);

TEST_P(RacesTest, StartCancelDeadlineDrainAndDestructionOnEightThreads) { Races(GetParam()).Run(); }

}  // namespace
}  // namespace weir
