// round_robin and what it shares with the other policies that use all addresses at once (spread.h).
#include <chrono>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/tests/support/fleet.h"

namespace weir {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::Fleet;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

constexpr char kOne[] = "10.0.0.1:1";
constexpr char kTwo[] = "10.0.0.2:1";
constexpr char kThree[] = "10.0.0.3:1";

ChannelOptions RoundRobin() {
  ChannelOptions options;
  options.load_balancing.policy = "round_robin";
  return options;
}

TEST(RoundRobin, CallsGoToAllAddressesInTurn) {
  Fleet fleet(RoundRobin());
  fleet.Resolve({kOne, kTwo, kThree});
  fleet.Connect();
  fleet.Calls(30);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 10), Pair(kTwo, 10), Pair(kThree, 10)));
}

TEST(RoundRobin, AllAddressesAreConnectedToAtOnce) {
  Fleet fleet(RoundRobin());
  fleet.Resolve({kOne, kTwo});
  fleet.Connect();
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms resolve", "0ms connect 10.0.0.1:1", "0ms connect 10.0.0.2:1"));
}

TEST(RoundRobin, ServersThatCannotBeConnectedToGetNoCalls) {
  Fleet fleet(RoundRobin());
  fleet.server(kTwo) = Fleet::kRefuses;
  fleet.Resolve({kOne, kTwo, kThree});
  fleet.Connect();
  fleet.Calls(10);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 5), Pair(kThree, 5)));
  fleet.server(kTwo) = Fleet::kAnswers;
  fleet.Advance(seconds(2));
  fleet.TakeLog();
  fleet.Calls(9);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 3), Pair(kTwo, 3), Pair(kThree, 3)));
}

TEST(RoundRobin, LostConnectionIsMadeAgainWithoutACall) {
  Fleet fleet(RoundRobin());
  fleet.Resolve({kOne, kTwo});
  fleet.Connect();
  fleet.TakeLog();
  fleet.Close(kOne);
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms resolve again", "0ms connect 10.0.0.1:1"));
  fleet.Calls(10);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 5), Pair(kTwo, 5)));
}

// Nobody would notice but the machine: connecting is all that the two would do.
TEST(RoundRobin, ConnectionThatIsLostAgainBeforeItHadACallIsMadeAfterAPause) {
  Fleet fleet(RoundRobin());
  fleet.Resolve({kOne, kTwo});
  fleet.Connect();
  fleet.Close(kOne);
  fleet.TakeLog();
  fleet.Close(kOne);
  EXPECT_THAT(fleet.TakeLog(), Not(Contains(HasSubstr("connect"))));
  fleet.Advance(seconds(2));
  EXPECT_THAT(fleet.TakeLog(), Contains(HasSubstr("connect 10.0.0.1:1")));
  fleet.Calls(10);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 5), Pair(kTwo, 5)));
}

TEST(RoundRobin, NewAddressesGetCallsAndOldOnesKeepTheirConnections) {
  Fleet fleet(RoundRobin());
  fleet.Resolve({kOne, kTwo});
  fleet.Connect();
  fleet.TakeLog();
  fleet.Resolve({kTwo, kThree});
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms connect 10.0.0.3:1"));
  fleet.Calls(10);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kTwo, 5), Pair(kThree, 5)));
}

TEST(RoundRobin, CallsFailOnlyWhenAllAddressesHaveFailed) {
  Fleet fleet(RoundRobin());
  fleet.server(kOne) = Fleet::kRefuses;
  fleet.server(kTwo) = Fleet::kSilent;
  fleet.Resolve({kOne, kTwo});
  fleet.Call();
  fleet.Advance(seconds(19));
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kConnecting);
  EXPECT_THAT(fleet.TakeLog(), ::testing::Not(Contains(HasSubstr("UNAVAILABLE"))));
  fleet.Advance(seconds(2));
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kTransientFailure);
  EXPECT_THAT(fleet.TakeLog(), Contains(AllOf(HasSubstr("UNAVAILABLE: cannot connect: connect to "),
                                              HasSubstr("1 other address(es) failed"))));
}

TEST(RoundRobin, GoAwayOfOneServerMovesItsCallsToTheOthersUntilItIsBack) {
  Fleet fleet(RoundRobin());
  fleet.Resolve({kOne, kTwo});
  fleet.Connect();
  fleet.server(kOne) = Fleet::kSilent;
  fleet.Send(kOne, "GOAWAY last=0 NO_ERROR");
  fleet.TakeLog();
  fleet.Calls(4);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kTwo, 4)));
}

// Calls that wait for a place on a full connection are served there, first come, first served; the others go on.
TEST(RoundRobin, FullServerKeepsItsQueueAndTheOthersGoOn) {
  Fleet fleet(RoundRobin());
  fleet.set_settings("MAX_CONCURRENT_STREAMS=1");
  fleet.server(kOne) = Fleet::kHolds;
  fleet.Resolve({kOne, kTwo});
  fleet.Connect();
  fleet.Calls(6);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 1), Pair(kTwo, 3)));
  EXPECT_EQ(fleet.core().waiting_count(), 2u);
  fleet.server(kOne) = Fleet::kAnswers;
  fleet.AnswerHeld(kOne);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 2)));
  EXPECT_EQ(fleet.core().waiting_count(), 0u);
}

TEST(RoundRobin, CallsInTheQueueOfAServerThatGoesAreServedByAnother) {
  Fleet fleet(RoundRobin());
  fleet.set_settings("MAX_CONCURRENT_STREAMS=1");
  fleet.server(kOne) = Fleet::kHolds;
  fleet.Resolve({kOne, kTwo});
  fleet.Connect();
  fleet.Calls(6);
  fleet.TakeLog();
  fleet.server(kOne) = Fleet::kSilent;
  fleet.Close(kOne);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kTwo, 2)));
  EXPECT_EQ(fleet.core().waiting_count(), 0u);
}

TEST(StaticWeightedRoundRobin, SharesAreThoseOfTheWeights) {
  ChannelOptions options;
  options.load_balancing.policy = "static_weighted_round_robin";
  Fleet fleet(options);
  fleet.Resolve({"10.0.0.1:1 5", "10.0.0.2:1 1", "10.0.0.3:1 2"});
  fleet.Connect();
  fleet.Calls(80);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 50), Pair(kTwo, 10), Pair(kThree, 20)));
}

TEST(StaticWeightedRoundRobin, WeightsCountAmongThoseThatAreReady) {
  ChannelOptions options;
  options.load_balancing.policy = "static_weighted_round_robin";
  Fleet fleet(options);
  fleet.server(kOne) = Fleet::kRefuses;
  fleet.Resolve({"10.0.0.1:1 5", "10.0.0.2:1 1", "10.0.0.3:1 2"});
  fleet.Connect();
  fleet.Calls(30);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kTwo, 10), Pair(kThree, 20)));
}

TEST(LeastRequest, SlowServerGetsFewCalls) {
  ChannelOptions options;
  options.load_balancing.policy = "least_request_experimental";
  Fleet fleet(options);
  fleet.server(kOne) = Fleet::kHolds;
  fleet.Resolve({kOne, kTwo});
  fleet.Connect();
  fleet.Calls(100);
  std::map<std::string, int> shares = fleet.TakeShares();
  // It gets one when both draws are of it: a quarter, not half.
  EXPECT_LT(shares[kOne], 40);
  EXPECT_EQ(shares[kOne] + shares[kTwo], 100);
}

TEST(LeastRequest, NumberOfChoicesIsAtLeastTwo) {
  ChannelOptions options;
  options.load_balancing.policy = "least_request_experimental";
  options.load_balancing.config = JsonValue(JsonValue::Object{{"choiceCount", JsonValue(1.0)}});
  Fleet fleet(options);
  fleet.Resolve({kOne});
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog().back(), HasSubstr("least_request_experimental: choiceCount"));
}

}  // namespace
}  // namespace weir
