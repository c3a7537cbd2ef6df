// Where the second attempt at a call goes: to another server than the first, if the policy knows one.
#include <chrono>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/tests/rpc/client/retry/retry_rig.h"
#include "weir/tests/support/fleet.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using testing::Fleet;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr char kOne[] = "10.0.0.1:1";
constexpr char kTwo[] = "10.0.0.2:1";
constexpr char kThree[] = "10.0.0.3:1";

ChannelOptions RoundRobin(ChannelOptions options) {
  options.load_balancing.policy = "round_robin";
  return options;
}

// Where the attempts of one call are, each begun when `others` calls have moved round_robin on.
std::vector<std::string> AttemptsOfACall(Fleet& fleet, int others) {
  std::vector<std::string> servers;
  fleet.TakeLog();
  fleet.Call();
  for (int attempt = 1; attempt <= 3; ++attempt) {
    for (const auto& [server, calls] : fleet.TakeShares()) servers.insert(servers.end(), calls, server);
    for (int i = 0; i < others; ++i) fleet.Call(CallOptions().NoRetry());
    fleet.TakeLog();
    fleet.Advance(milliseconds(10));
  }
  return servers;
}

TEST(OtherServerTest, HedgedAttemptsGoToServersThatHaveNone) {
  Fleet fleet(RoundRobin(testing::Hedging("0.01s")));
  for (const char* server : {kOne, kTwo, kThree}) fleet.server(server) = Fleet::kHolds;
  fleet.Resolve({kOne, kTwo, kThree});
  fleet.Connect();
  for (const int others : {0, 1, 2, 3, 4, 5}) {
    EXPECT_THAT(AttemptsOfACall(fleet, others), UnorderedElementsAre(kOne, kTwo, kThree)) << others;
  }
}

TEST(OtherServerTest, RetryGoesToAnotherServerThanTheOneThatFailed) {
  Fleet fleet(RoundRobin(testing::Retrying()));
  fleet.server(kOne) = fleet.server(kTwo) = Fleet::kHolds;
  fleet.Resolve({kOne, kTwo});
  fleet.Connect();
  fleet.TakeLog();
  fleet.Call();
  const std::string first = fleet.TakeShares().begin()->first;
  fleet.Call(CallOptions().NoRetry());  // now it would be the turn of the first server
  fleet.TakeLog();
  fleet.Send(first, "RST_STREAM 1 REFUSED_STREAM");  // goes elsewhere at once
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(first == kOne ? kTwo : kOne, 1)));
}

TEST(OtherServerTest, WhereThereIsOnlyOneItGetsAllAttempts) {
  Fleet fleet(RoundRobin(testing::Hedging("0.01s")));
  fleet.server(kOne) = Fleet::kHolds;
  fleet.Resolve({kOne});
  fleet.Connect();
  EXPECT_THAT(AttemptsOfACall(fleet, 1), ElementsAre(kOne, kOne, kOne));
}

}  // namespace
}  // namespace weir
