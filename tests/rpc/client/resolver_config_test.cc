// Service configs that a resolver finds: which one counts, for which calls, and what becomes of one that is wrong
// (gRFC A21).
#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/rpc/client/service_config/parse_service_config.h"
#include "weir/tests/support/fleet.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::Fleet;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

constexpr char kOne[] = "10.0.0.1:1";
constexpr char kTwo[] = "10.0.0.2:1";

ServiceConfigResult Timeout(const std::string& timeout) {
  return ParseServiceConfig(absl::StrCat(R"({"methodConfig":[{"name":[{}],"timeout":")", timeout, R"("}]})"));
}
ServiceConfigResult Balanced(const std::string& policies) {
  return ParseServiceConfig(absl::StrCat(R"({"loadBalancingConfig":[)", policies, "]}"));
}
ServiceConfigResult Wrong() { return ParseServiceConfig(R"({"methodConfig":1})"); }
constexpr char kWrong[] = "service config: methodConfig: expected a list, got 1";

// What a call comes to whose server does not answer.
std::vector<std::string> EndWithin(Fleet& fleet, milliseconds time) {
  fleet.server(kOne) = Fleet::kHolds;
  fleet.TakeLog();
  fleet.Call();
  fleet.TakeLog();
  fleet.Advance(time);
  return fleet.TakeLog();
}

TEST(ResolverConfig, CountsForTheCallThatWaitedForIt) {
  Fleet fleet;
  fleet.Resolve({kOne}, Timeout("2s"));
  EXPECT_THAT(EndWithin(fleet, milliseconds(1999)), IsEmpty());
  fleet.Advance(milliseconds(1));
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("2000ms DEADLINE_EXCEEDED: deadline of 2s exceeded while waiting for the "
                                           "response"));
}

TEST(ResolverConfig, TimeThatACallWaitedForItCounts) {
  Fleet fleet;
  fleet.server(kOne) = Fleet::kHolds;
  fleet.Call(CallOptions().WaitForReady());
  fleet.Advance(milliseconds(700));
  fleet.Resolve({kOne}, Timeout("2s"));
  fleet.TakeLog();
  fleet.Advance(milliseconds(1300));
  EXPECT_THAT(fleet.TakeLog(), ElementsAre(HasSubstr("2000ms DEADLINE_EXCEEDED: deadline of 2s exceeded")));
}

TEST(ResolverConfig, CallsOwnDeadlineEndsItsWaiting) {
  Fleet fleet;
  fleet.Call(CallOptions().WaitForReady().Timeout(absl::Milliseconds(500)));
  fleet.TakeLog();
  fleet.Advance(milliseconds(500));
  EXPECT_THAT(fleet.TakeLog(), ElementsAre(HasSubstr("500ms DEADLINE_EXCEEDED: deadline of 500ms exceeded while "
                                                     "the target's name was resolved")));
  EXPECT_EQ(fleet.core().waiting_count(), 0u);
}

TEST(ResolverConfig, CallThatWaitsForItEndsWithTheChannel) {
  Fleet fleet;
  fleet.Call(CallOptions().WaitForReady());
  fleet.TakeLog();
  fleet.loop().Post([&fleet] { fleet.core().Shutdown(); });
  fleet.Advance(milliseconds(1));
  EXPECT_THAT(fleet.TakeLog(), ElementsAre(HasSubstr("CANCELLED: the channel was closed")));
}

TEST(ResolverConfig, CountsInPlaceOfTheChannels) {
  ChannelOptions options;
  options.service_config = Timeout("1s");
  Fleet fleet(options);
  fleet.Resolve({kOne}, Timeout("2s"));
  EXPECT_THAT(EndWithin(fleet, seconds(3)), ElementsAre(HasSubstr("2000ms DEADLINE_EXCEEDED")));
}

TEST(ResolverConfig, ChannelsCountsWhenThereIsNone) {
  ChannelOptions options;
  options.service_config = Timeout("1s");
  Fleet fleet(options);
  fleet.Resolve({kOne});
  EXPECT_THAT(EndWithin(fleet, seconds(3)), ElementsAre(HasSubstr("1000ms DEADLINE_EXCEEDED")));
}

TEST(ResolverConfig, IsLeftAloneIfTheProgramSaysSo) {
  ChannelOptions options;
  options.use_resolver_service_config = false;
  options.service_config = Timeout("2s");
  for (const ServiceConfigResult& found : {Timeout("1s"), Wrong()}) {
    Fleet fleet(options);
    fleet.Resolve({kOne}, found);
    EXPECT_THAT(EndWithin(fleet, seconds(3)), ElementsAre(HasSubstr("2000ms DEADLINE_EXCEEDED")));
  }
}

TEST(ResolverConfig, ChangeCountsForCallsThatBeginAfterIt) {
  Fleet fleet;
  fleet.Resolve({kOne}, Timeout("3s"));
  EXPECT_THAT(EndWithin(fleet, seconds(1)), IsEmpty());
  fleet.Resolve({kOne}, Timeout("1s"));
  EXPECT_THAT(EndWithin(fleet, seconds(3)), ElementsAre(HasSubstr("2000ms DEADLINE_EXCEEDED: deadline of 1s"),
                                                        HasSubstr("3000ms DEADLINE_EXCEEDED: deadline of 3s")));
}

TEST(ResolverConfig, IsWaitedForAgainAfterTheChannelWasIdle) {
  ChannelOptions options;
  options.idle_timeout = absl::Seconds(5);
  Fleet fleet(options);
  fleet.Resolve({kOne}, Timeout("3s"));
  fleet.Call();
  fleet.Advance(seconds(10));
  ASSERT_EQ(fleet.core().state(), ConnectivityState::kIdle);
  fleet.Resolve({kOne}, Timeout("1s"));
  EXPECT_THAT(EndWithin(fleet, seconds(2)), ElementsAre(HasSubstr("11000ms DEADLINE_EXCEEDED")));
}

// ---- one that is wrong

TEST(ResolverConfig, WrongOneLeavesTheOneBeforeInUse) {
  Fleet fleet;
  fleet.Resolve({kOne}, Timeout("2s"));
  fleet.Call();
  fleet.Resolve({kTwo, kOne}, Wrong());
  fleet.server(kTwo) = Fleet::kHolds;
  EXPECT_THAT(EndWithin(fleet, seconds(3)), ElementsAre(HasSubstr("2000ms DEADLINE_EXCEEDED")));
}

TEST(ResolverConfig, WrongOneFailsCallsWhenThereWasNoneBeforeAndIsAskedForAgain) {
  Fleet fleet;
  fleet.Resolve({kOne}, Wrong());
  fleet.Call();
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kTransientFailure);
  EXPECT_THAT(fleet.TakeLog(),
              ElementsAre("0ms resolve",
                          HasSubstr(absl::StrCat("UNAVAILABLE: cannot connect: ", kWrong, "; next attempt in "))));
  fleet.Call(CallOptions().WaitForReady());
  fleet.Advance(milliseconds(1210));
  EXPECT_THAT(fleet.TakeLog(), ElementsAre(HasSubstr("resolve again")));
  fleet.Resolve({kOne}, Timeout("3s"));
  EXPECT_THAT(fleet.TakeLog(),
              ElementsAre(HasSubstr("connect 10.0.0.1:1"), HasSubstr("call at 10.0.0.1:1"), HasSubstr(" OK")));
}

TEST(ResolverConfig, ChannelsCountsInPlaceOfAWrongOne) {
  ChannelOptions options;
  options.service_config = Timeout("1s");
  Fleet fleet(options);
  fleet.Resolve({kOne}, Wrong());
  EXPECT_THAT(EndWithin(fleet, seconds(3)), ElementsAre(HasSubstr("1000ms DEADLINE_EXCEEDED")));
}

TEST(ResolverConfig, WrongOneOfTheProgramFailsCallsWhateverTheResolverFinds) {
  ChannelOptions options;
  options.service_config = Wrong();
  Fleet fleet(options);
  fleet.Resolve({kOne}, Timeout("1s"));
  fleet.Calls(2);
  EXPECT_THAT(fleet.TakeLog(), Each(HasSubstr(kWrong)));
}

// ---- load balancing

TEST(ResolverConfig, FirstPolicyThatIsKnownBalances) {
  Fleet fleet;
  fleet.Resolve({kOne, kTwo}, Balanced(R"({"nearest":{}},{"round_robin":{}},{"pick_first":{}})"));
  fleet.Connect();
  fleet.Calls(4);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 2), Pair(kTwo, 2)));
}

TEST(ResolverConfig, WithoutAnyPolicyThatIsKnownIsWrong) {
  Fleet fleet;
  fleet.Resolve({kOne}, Balanced(R"({"nearest":{}},{"farthest":{}})"));
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog().back(), HasSubstr("loadBalancingConfig: expected at least one of pick_first, "));
  fleet.Resolve({kOne}, Balanced(R"({"pick_first":{"shuffleAddressList":1}})"));
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog().back(), HasSubstr("pick_first: shuffleAddressList: expected true or false, got 1"));
}

TEST(ResolverConfig, PolicyChangesWhileCallsGoOn) {
  Fleet fleet;
  fleet.Resolve({kOne, kTwo}, Balanced(R"({"pick_first":{}})"));
  fleet.Calls(4);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 4)));
  fleet.server(kOne) = Fleet::kHolds;
  fleet.Call();
  fleet.Resolve({kOne, kTwo}, Balanced(R"({"round_robin":{}})"));
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kReady);
  EXPECT_THAT(fleet.TakeLog(), Not(Contains(HasSubstr("connect 10.0.0.1:1")))) << "what is connected stays";
  fleet.AnswerHeld(kOne);
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms OK"));
  fleet.server(kOne) = Fleet::kAnswers;
  fleet.Calls(4);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 2), Pair(kTwo, 2)));
  fleet.Resolve({kTwo, kOne}, Balanced(R"({"pick_first":{}})"));
  fleet.Calls(4);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kTwo, 4)));
}

TEST(ResolverConfig, PolicyServesUntilTheNextOneCan) {
  Fleet fleet;
  fleet.Resolve({kOne}, Balanced(R"({"pick_first":{}})"));
  fleet.Call();
  fleet.server(kTwo) = Fleet::kMute;
  fleet.Resolve({kTwo}, Balanced(R"({"round_robin":{}})"));
  fleet.TakeLog();
  fleet.Calls(2);
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kReady);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 2)));
  fleet.Send(kTwo, "SETTINGS");
  fleet.Calls(2);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kTwo, 2)));
}

TEST(ResolverConfig, NextPolicyTakesOverWhenTheOneBeforeItCanNoMore) {
  Fleet fleet;
  fleet.Resolve({kOne}, Balanced(R"({"pick_first":{}})"));
  fleet.Call();
  fleet.server(kTwo) = Fleet::kMute;
  fleet.Resolve({kTwo}, Balanced(R"({"round_robin":{}})"));
  fleet.Close(kOne);
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kConnecting);
  fleet.TakeLog();
  fleet.Call();
  fleet.server(kTwo) = Fleet::kAnswers;
  fleet.Send(kTwo, "SETTINGS");
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms call at 10.0.0.2:1", "0ms OK"));
}

TEST(ResolverConfig, NewPolicyKnowsTheFailuresOfTheOldOne) {
  Fleet fleet;
  fleet.server(kOne) = Fleet::kRefuses;
  fleet.server(kTwo) = Fleet::kRefuses;
  fleet.Resolve({kOne, kTwo});
  fleet.Call();
  fleet.TakeLog();
  fleet.Resolve({kOne, kTwo}, Balanced(R"({"round_robin":{}})"));
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog(), ElementsAre(HasSubstr("UNAVAILABLE: cannot connect: connect to 10.0.0.")));
}

}  // namespace
}  // namespace weir
