#include "weir/transport/io/dns.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/testing/status_matchers.h"
#include "weir/tests/support/fake_loop.h"
#include "weir/transport/io/epoll_loop.h"
#include "weir/transport/io/mutex.h"

namespace weir::transport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::StartsWith;
using weir::testing::FakeLoop;
using weir::testing::IsOk;
using weir::testing::StatusIs;
using Answer = absl::StatusOr<Resolver::Addresses>;

SocketAddress Address(std::string_view text) { return *SocketAddress::Parse(text); }

// A lookup that answers when the test says so.
class Gate {
 public:
  void Open() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.NotifyAll();
  }
  void Pass() {
    MutexLock lock(mutex_);
    entered_ = true;
    changed_.NotifyAll();
    while (!open_) changed_.Wait(mutex_);
  }
  void AwaitEntry() {
    MutexLock lock(mutex_);
    while (!entered_) changed_.Wait(mutex_);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool open_ WEIR_GUARDED_BY(mutex_) = false;
  bool entered_ WEIR_GUARDED_BY(mutex_) = false;
};

TEST(ResolverTest, NumericHostsAreAnsweredWithoutALookupButNotInsideTheCall) {
  FakeLoop loop;
  Resolver resolver({.lookup = [](const std::string& host, uint16_t) -> Answer {
    ADD_FAILURE() << "looked up " << host;
    return absl::InternalError("");
  }});
  for (std::string host : {"127.0.0.1", "::1", "[::1]"}) {
    std::optional<Answer> answer;
    auto query = resolver.Resolve(loop, host, 80, [&](Answer a) { answer = std::move(a); });
    EXPECT_FALSE(answer);
    loop.RunUntilIdle();
    ASSERT_TRUE(answer) << host;
    ASSERT_THAT(*answer, IsOk());
    EXPECT_THAT(**answer, ElementsAre(host == "127.0.0.1" ? Address("127.0.0.1:80") : Address("[::1]:80")));
  }
}

TEST(ResolverTest, NamesAreLookedUpOnAnotherThreadAndAnsweredOnTheLoop) {
  EpollLoop loop;
  Gate gate;
  Resolver resolver({.lookup = [&](const std::string& host, uint16_t port) -> Answer {
    EXPECT_FALSE(loop.IsCurrent());
    EXPECT_EQ(host, "greeter.internal");
    EXPECT_EQ(port, 50051);
    gate.Pass();
    return Resolver::Addresses{Address("10.0.0.1:50051"), Address("10.0.0.2:50051")};
  }});
  std::optional<Answer> answer;
  std::unique_ptr<Resolver::Query> query;
  query = resolver.Resolve(loop, "greeter.internal", 50051, [&](Answer a) {
    EXPECT_TRUE(loop.IsCurrent());
    answer = std::move(a);
    query.reset();  // allowed
    loop.Stop();
  });
  gate.AwaitEntry();
  loop.RunOnce(std::chrono::milliseconds(0));  // the loop goes on meanwhile
  EXPECT_FALSE(answer);
  gate.Open();
  loop.Run();
  ASSERT_TRUE(answer);
  ASSERT_THAT(*answer, IsOk());
  EXPECT_THAT(**answer, ElementsAre(Address("10.0.0.1:50051"), Address("10.0.0.2:50051")));
}

TEST(ResolverTest, ADroppedQueryDoesNotAnswerAndItsLoopMayGo) {
  const auto gate = std::make_shared<Gate>();
  bool answered = false;
  auto token = std::make_shared<int>(0);
  Resolver resolver({.threads = 1, .lookup = [gate](const std::string&, uint16_t) -> Answer {
                       gate->Pass();
                       return Resolver::Addresses{Address("10.0.0.1:1")};
                     }});
  auto loop = std::make_unique<FakeLoop>();
  auto first = resolver.Resolve(*loop, "a", 1, [&, token](Answer) { answered = true; });
  auto waiting = resolver.Resolve(*loop, "b", 1, [&, token](Answer) { answered = true; });
  gate->AwaitEntry();
  first.reset();
  waiting.reset();
  EXPECT_EQ(token.use_count(), 1) << "what the callback holds is let go at once";
  loop.reset();
  gate->Open();
  EXPECT_FALSE(answered);
}

TEST(ResolverTest, AResolverThatGoesDoesNotWaitForALookup) {
  const auto gate = std::make_shared<Gate>();
  FakeLoop loop;
  auto resolver = std::make_unique<Resolver>(
      ResolverOptions{.threads = 1, .lookup = [gate](const std::string&, uint16_t) -> Answer {
                        gate->Pass();
                        return Resolver::Addresses{Address("10.0.0.1:1")};
                      }});
  auto query = resolver->Resolve(loop, "a", 1, [](Answer) { ADD_FAILURE(); });
  gate->AwaitEntry();
  query.reset();
  resolver.reset();
  gate->Open();
}

TEST(ResolverTest, AQueryDroppedAfterItsAnswerIsOnTheWayDoesNotAnswer) {
  FakeLoop loop;
  Resolver resolver;
  bool answered = false;
  auto query = resolver.Resolve(loop, "127.0.0.1", 1, [&](Answer) { answered = true; });
  EXPECT_EQ(loop.posted(), 1u);
  query.reset();
  loop.RunUntilIdle();
  EXPECT_FALSE(answered);
}

TEST(ResolverTest, TheSystemsResolverKnowsLocalhostAndNamesWhatItDoesNotKnow) {
  EpollLoop loop;
  Resolver resolver;
  std::optional<Answer> known;
  std::optional<Answer> unknown;
  auto stop_after_both = [&] {
    if (known && unknown) loop.Stop();
  };
  auto first = resolver.Resolve(loop, "localhost", 7, [&](Answer a) {
    known = std::move(a);
    stop_after_both();
  });
  // RFC 6761 section 6.4: "invalid" never exists. A name with a space is refused without asking the network.
  auto second = resolver.Resolve(loop, "no such host.invalid", 7, [&](Answer a) {
    unknown = std::move(a);
    stop_after_both();
  });
  loop.Run();
  ASSERT_THAT(*known, IsOk());
  for (const SocketAddress& address : **known) EXPECT_EQ(address.port(), 7);
  EXPECT_THAT(*unknown, StatusIs(absl::StatusCode::kUnavailable, StartsWith("resolve \"no such host.invalid\": ")));
}

}  // namespace
}  // namespace weir::transport
