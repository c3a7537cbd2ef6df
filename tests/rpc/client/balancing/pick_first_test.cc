// pick_first: gRFC A61 (Happy Eyeballs), A62 (sticky failure, shuffling), and gRPC's connection-backoff.
#include "weir/rpc/client/balancing/pick_first.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/tests/support/fleet.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::Fleet;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::StartsWith;

constexpr char kOne[] = "10.0.0.1:1";
constexpr char kTwo[] = "10.0.0.2:1";
constexpr char kThree[] = "10.0.0.3:1";

TEST(PickFirst, AllCallsGoToTheFirstAddressThatAnswers) {
  Fleet fleet;
  fleet.Resolve({kOne, kTwo});
  fleet.Calls(2);
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms resolve", "0ms connect 10.0.0.1:1", "0ms call at 10.0.0.1:1", "0ms OK",
                                           "0ms call at 10.0.0.1:1", "0ms OK"));
}

TEST(PickFirst, NextAddressIsTriedAtOnceWhenOneFails) {
  Fleet fleet;
  fleet.server(kOne) = Fleet::kRefuses;
  fleet.Resolve({kOne, kTwo});
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms resolve", "0ms connect 10.0.0.1:1", "0ms connect 10.0.0.2:1",
                                           "0ms call at 10.0.0.2:1", "0ms OK"));
}

TEST(PickFirst, NextAddressIsTriedAfter250MillisecondsWhenOneIsSilent) {
  Fleet fleet;
  fleet.server(kOne) = Fleet::kSilent;
  fleet.server(kTwo) = Fleet::kMute;
  fleet.Resolve({kOne, kTwo, kThree});
  fleet.Call();
  fleet.Advance(seconds(1));
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms resolve", "0ms connect 10.0.0.1:1", "250ms connect 10.0.0.2:1",
                                           "500ms connect 10.0.0.3:1", "500ms call at 10.0.0.3:1", "500ms OK"));
}

TEST(PickFirst, FirstAddressMayStillWinAfterTheSecondWasTried) {
  Fleet fleet;
  fleet.server(kOne) = Fleet::kMute;
  fleet.server(kTwo) = Fleet::kSilent;
  fleet.Resolve({kOne, kTwo});
  fleet.Call();
  fleet.Advance(milliseconds(300));
  fleet.Send(kOne, "SETTINGS\nSETTINGS ACK");
  fleet.server(kOne) = Fleet::kAnswers;
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms resolve", "0ms connect 10.0.0.1:1", "250ms connect 10.0.0.2:1",
                                           "300ms call at 10.0.0.1:1", "300ms call at 10.0.0.1:1", "300ms OK"));
}

TEST(PickFirst, CallFailsWithTheLastReasonWhenEveryAddressHasFailed) {
  Fleet fleet;
  fleet.server(kOne) = Fleet::kRefuses;
  fleet.server(kTwo) = Fleet::kRefuses;
  fleet.Resolve({kOne, kTwo});
  fleet.Call();
  EXPECT_THAT(
      fleet.TakeLog(),
      ElementsAre("0ms resolve", "0ms connect 10.0.0.1:1", "0ms connect 10.0.0.2:1", "0ms resolve again",
                  StartsWith("0ms UNAVAILABLE: cannot connect: connect to 10.0.0.2:1: Connection refused; before "
                             "it, 1 other address(es) failed; next attempt in ")));
}

TEST(PickFirst, FailureIsStickyUntilAConnectionWorks) {
  Fleet fleet;
  fleet.server(kOne) = Fleet::kRefuses;
  fleet.Resolve({kOne});
  fleet.Call();
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kTransientFailure);
  fleet.server(kOne) = Fleet::kSilent;
  fleet.Advance(seconds(2));  // the second attempt is under way
  fleet.TakeLog();
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kTransientFailure);
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("2000ms UNAVAILABLE: cannot connect: connect to 10.0.0.1:1: Connection "
                                           "refused; trying again"));
}

TEST(PickFirst, CallThatWaitsForReadyGoesOutWhenAServerIsBack) {
  Fleet fleet;
  fleet.server(kOne) = Fleet::kRefuses;
  fleet.Resolve({kOne});
  fleet.Call(CallOptions().WaitForReady());
  fleet.Advance(seconds(1) + milliseconds(300));
  fleet.server(kOne) = Fleet::kAnswers;
  fleet.TakeLog();
  fleet.Advance(seconds(3));
  const std::vector<std::string> log = fleet.TakeLog();
  ASSERT_EQ(log.size(), 3u);
  EXPECT_THAT(log[0], ::testing::HasSubstr("connect 10.0.0.1:1"));
  EXPECT_THAT(log[2], ::testing::HasSubstr("OK"));
}

// connection-backoff: 1 s, times 1.6, at most 120 s, +-20 %, from the beginning of one attempt to that of the next.
TEST(PickFirst, PausesBetweenAttemptsGrowAsSpecified) {
  Fleet fleet;
  fleet.server(kOne) = Fleet::kRefuses;
  fleet.Resolve({kOne});
  fleet.Connect();
  fleet.Advance(seconds(60));
  std::vector<double> attempts;
  for (const std::string& line : fleet.TakeLog()) {
    if (line.find("connect") != std::string::npos) attempts.push_back(std::stod(line) / 1000);
  }
  ASSERT_GE(attempts.size(), 5u);
  double expected = 1;
  for (size_t i = 1; i < attempts.size(); ++i, expected *= 1.6) {
    EXPECT_GE(attempts[i] - attempts[i - 1], expected * 0.8 - 0.002) << i;
    EXPECT_LE(attempts[i] - attempts[i - 1], expected * 1.2 + 0.002) << i;
  }
}

TEST(PickFirst, ResetEndsThePauseAtOnce) {
  Fleet fleet;
  fleet.server(kOne) = Fleet::kRefuses;
  fleet.Resolve({kOne});
  fleet.Connect();
  fleet.TakeLog();
  fleet.server(kOne) = Fleet::kAnswers;
  fleet.loop().Post([&] { fleet.core().ResetConnectBackoff(); });
  fleet.Call(CallOptions().WaitForReady());
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms connect 10.0.0.1:1", "0ms call at 10.0.0.1:1", "0ms OK"));
}

TEST(PickFirst, LostConnectionMakesItIdleAndTheNextCallConnectsAgain) {
  Fleet fleet;
  fleet.Resolve({kOne, kTwo});
  fleet.Call();
  fleet.TakeLog();
  fleet.Close(kOne);
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kIdle);
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms resolve again"));
  fleet.server(kOne) = Fleet::kRefuses;
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog(),
              ElementsAre("0ms connect 10.0.0.1:1", "0ms connect 10.0.0.2:1", "0ms call at 10.0.0.2:1", "0ms OK"));
}

// Nobody would notice but the machine: connecting is all that the two would do. What breaks once need not break again,
// so the second attempt comes at once.
TEST(PickFirst, ServerThatExpelsEveryConnectionIsConnectedToAtThePaceOfFailedAttempts) {
  Fleet fleet;
  fleet.server(kOne) = Fleet::kExpels;
  fleet.Resolve({kOne});
  fleet.Call();
  const std::vector<std::string> log = fleet.TakeLog();
  EXPECT_EQ(std::count(log.begin(), log.end(), "0ms connect 10.0.0.1:1"), 2);
  EXPECT_THAT(log.back(), StartsWith("0ms UNAVAILABLE: cannot connect: 10.0.0.1:1 sent GOAWAY ENHANCE_YOUR_CALM(11); "
                                     "next attempt in "));
  fleet.Call(CallOptions().WaitForReady());
  fleet.Advance(seconds(5));
  const std::vector<std::string> later = fleet.TakeLog();
  EXPECT_THAT(std::count_if(later.begin(), later.end(),
                            [](const std::string& line) { return absl::StrContains(line, "connect"); }),
              AllOf(Ge(4), Le(6)));
  fleet.server(kOne) = Fleet::kAnswers;
  fleet.Advance(seconds(2));
  EXPECT_THAT(fleet.TakeLog().back(), HasSubstr(" OK"));
}

// Its successor has the address already.
TEST(PickFirst, ServerThatDepartsBeforeACallGotToItIsConnectedToThreeTimesWithoutAPause) {
  Fleet fleet;
  fleet.server(kOne) = Fleet::kDeparts;
  fleet.Resolve({kOne});
  fleet.Call();
  const std::vector<std::string> log = fleet.TakeLog();
  EXPECT_EQ(std::count(log.begin(), log.end(), "0ms connect 10.0.0.1:1"), 4);
  EXPECT_THAT(log.back(), StartsWith("0ms UNAVAILABLE: cannot connect: 10.0.0.1:1 sent GOAWAY NO_ERROR(0); "));
}

TEST(PickFirst, ConnectionStaysWhenItsAddressIsAmongTheNewOnes) {
  Fleet fleet;
  fleet.Resolve({kOne, kTwo});
  fleet.Call();
  fleet.TakeLog();
  fleet.Resolve({kThree, kOne});
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms call at 10.0.0.1:1", "0ms OK"));
}

TEST(PickFirst, CallsUnderWayEndWellWhenTheirAddressIsGone) {
  Fleet fleet;
  fleet.server(kOne) = Fleet::kHolds;
  fleet.Resolve({kOne});
  fleet.Call();
  fleet.TakeLog();
  fleet.Resolve({kTwo});
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms connect 10.0.0.2:1", "0ms call at 10.0.0.2:1", "0ms OK"));
  fleet.AnswerHeld(kOne);
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms OK"));
  EXPECT_EQ(fleet.core().stream_count(), 0u);
}

TEST(PickFirst, FamiliesTakeTurns) {
  std::vector<ServerAddress> addresses;
  for (const char* text : {"[::1]:1", "[::2]:1", "[::3]:1", "10.0.0.1:1", "10.0.0.2:1"}) {
    addresses.push_back(ServerAddress{.address = *transport::SocketAddress::Parse(text), .attributes = {}});
  }
  std::vector<std::string> order;
  for (const ServerAddress& address : InterleaveFamilies(addresses)) order.push_back(address.address.ToString());
  EXPECT_THAT(order, ElementsAre("[::1]:1", "10.0.0.1:1", "[::2]:1", "10.0.0.2:1", "[::3]:1"));
  EXPECT_THAT(InterleaveFamilies({}), IsEmpty());
}

TEST(PickFirst, ShuffledListsSpreadChannelsOverAllAddresses) {
  ChannelOptions options;
  options.load_balancing.config = JsonValue(JsonValue::Object{{"shuffleAddressList", JsonValue(true)}});
  Fleet fleet(options);
  fleet.Resolve({kOne, kTwo, kThree});
  std::set<std::string> used;
  for (int i = 0; i < 100; ++i) {
    fleet.Call();
    for (const auto& [address, calls] : fleet.TakeShares()) {
      used.insert(address);
      fleet.Resolve({kOne, kTwo, kThree});
      fleet.Close(address);
    }
    fleet.Resolve({kOne, kTwo, kThree});
  }
  EXPECT_EQ(used.size(), 3u);
}

TEST(PickFirst, MistakesInTheConfigurationAreNamed) {
  ChannelOptions options;
  options.load_balancing.config = JsonValue(JsonValue::Object{{"shuffleAddressList", JsonValue(1.0)}});
  Fleet fleet(options);
  fleet.Resolve({kOne});
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog().back(), ::testing::HasSubstr("load balancing policy pick_first: shuffleAddressList"));
}

}  // namespace
}  // namespace weir
