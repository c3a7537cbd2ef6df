// The policy outlier_detection_experimental: servers whose calls fail get none for a while (gRFC A50).
#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/rpc/client/service_config/parse_service_config.h"
#include "weir/tests/support/fleet.h"

namespace weir {
namespace {

using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::Fleet;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

constexpr char kOne[] = "10.0.0.1:1";
constexpr char kTwo[] = "10.0.0.2:1";
constexpr char kThree[] = "10.0.0.3:1";

ServiceConfigResult Detecting(const std::string& fields, const std::string& more = "") {
  return ParseServiceConfig(
      absl::StrCat(R"({"loadBalancingConfig":[{"outlier_detection_experimental":{)", fields, "}}]", more, "}"));
}

// Of three servers, each with ten calls in ten seconds.
constexpr char kFailures[] = R"("childPolicy":[{"nearest":{}},{"round_robin":{}}],)"
                             R"("failurePercentageEjection":{"minimumHosts":3,"requestVolume":10,"threshold":50})";

ChannelOptions With(const ServiceConfigResult& config) {
  ChannelOptions options;
  options.service_config = config;
  return options;
}

TEST(OutlierDetection, ServerThatFailsGetsNoCallsUntilItsTimeIsOver) {
  Fleet fleet(With(Detecting(kFailures)));
  fleet.server(kTwo) = Fleet::kFails;
  fleet.Resolve({kOne, kTwo, kThree});
  fleet.Connect();
  fleet.Calls(30);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 10), Pair(kTwo, 10), Pair(kThree, 10)));
  fleet.Advance(seconds(10));
  fleet.Calls(30);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 15), Pair(kThree, 15)));
  fleet.Advance(seconds(29));
  fleet.Calls(30);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 15), Pair(kThree, 15)));
  fleet.Advance(seconds(1));
  fleet.Calls(30);
  const std::vector<std::string> log = fleet.TakeLog();
  EXPECT_THAT(log, Not(Contains(HasSubstr("connect")))) << "its connection stayed";
  EXPECT_THAT(log, Contains(HasSubstr("call at 10.0.0.2:1")).Times(10));
}

TEST(OutlierDetection, CallFailsWithTheReasonWhenNobodyIsLeft) {
  Fleet fleet(With(Detecting(R"("childPolicy":[{"round_robin":{}}],)"
                             R"("failurePercentageEjection":{"minimumHosts":1,"requestVolume":10})")));
  fleet.server(kOne) = Fleet::kFails;
  fleet.Resolve({kOne});
  fleet.Calls(10);
  fleet.Advance(seconds(10));
  fleet.TakeLog();
  fleet.Call();
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kTransientFailure);
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("10000ms UNAVAILABLE: cannot connect: outlier detection has ejected "
                                           "10.0.0.1:1: 10 of 10 calls failed; next attempt in 30s"));
}

TEST(OutlierDetection, CallThatTheServerLetsExpireHasFailed) {
  Fleet fleet(With(Detecting(kFailures)));
  fleet.server(kTwo) = Fleet::kHolds;
  fleet.server(kThree) = Fleet::kHolds;
  fleet.Resolve({kOne, kTwo, kThree});
  fleet.Connect();
  for (int i = 0; i < 30; ++i) fleet.Call(CallOptions().Timeout(absl::Seconds(1)));
  fleet.server(kThree) = Fleet::kAnswers;
  fleet.AnswerHeld(kThree);
  fleet.Advance(seconds(10));
  fleet.TakeLog();
  fleet.Calls(30);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 15), Pair(kThree, 15)));
}

TEST(OutlierDetection, EachAttemptOfARetriedCallCounts) {
  Fleet fleet(With(Detecting(kFailures, R"(,"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":5,
      "initialBackoff":"0.001s","maxBackoff":"0.001s","backoffMultiplier":1,"retryableStatusCodes":["INTERNAL"]}}])")));
  fleet.server(kTwo) = Fleet::kFails;
  fleet.Resolve({kOne, kTwo, kThree});
  fleet.Connect();
  for (int i = 0; i < 40; ++i) {
    fleet.Call();
    fleet.Advance(std::chrono::milliseconds(3));
  }
  EXPECT_THAT(fleet.TakeLog(), Not(Contains(HasSubstr("INTERNAL")))) << "every call has succeeded";
  fleet.Advance(seconds(10));
  fleet.Calls(10);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 5), Pair(kThree, 5)));
}

TEST(OutlierDetection, AddressThatIsResolvedAgainStaysEjected) {
  Fleet fleet(With(Detecting(kFailures)));
  fleet.server(kTwo) = Fleet::kFails;
  fleet.Resolve({kOne, kTwo, kThree});
  fleet.Connect();
  fleet.Calls(30);
  fleet.Advance(seconds(10));
  fleet.Resolve({kThree, kTwo, kOne});
  fleet.TakeLog();
  fleet.Calls(10);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 5), Pair(kThree, 5)));
}

TEST(OutlierDetection, NothingIsEjectedWithoutAWayToDetect) {
  Fleet fleet(With(Detecting(R"("childPolicy":[{"round_robin":{}}])")));
  fleet.server(kTwo) = Fleet::kFails;
  fleet.Resolve({kOne, kTwo});
  fleet.Connect();
  fleet.Calls(100);
  fleet.Advance(seconds(20));
  fleet.TakeLog();
  fleet.Calls(10);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 5), Pair(kTwo, 5)));
}

TEST(OutlierDetection, PickFirstIsLeftAlone) {
  Fleet fleet(With(Detecting(R"("childPolicy":[{"pick_first":{}}],)"
                             R"("failurePercentageEjection":{"minimumHosts":1,"requestVolume":1})")));
  fleet.server(kOne) = Fleet::kFails;
  fleet.Resolve({kOne, kTwo});
  fleet.Calls(10);
  fleet.Advance(seconds(20));
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kReady);
}

TEST(OutlierDetection, MistakesInItsConfigAreNamed) {
  for (const auto& [fields, mistake] : std::vector<std::pair<std::string, std::string>>{
           {"", "childPolicy: expected a list with at least one of pick_first, "},
           {R"("childPolicy":[{"nearest":{}}])", "childPolicy: expected a list with at least one of pick_first, "},
           {R"("childPolicy":1)", "childPolicy: expected a list, got 1"},
           {R"("childPolicy":[{"nearest":{}},{"round_robin":1}])",
            "childPolicy[1]: expected an object with one field, {\"policy\": {...}}"},
           {R"("childPolicy":[{"ring_hash_experimental":{"minRingSize":0}}])", "ring_hash_experimental: minRingSize"},
           {R"("childPolicy":[{"round_robin":{}}],"interval":"0s")", "interval: expected more than \"0s\""},
           {R"("childPolicy":[{"round_robin":{}}],"maxEjectionPercent":101)",
            "maxEjectionPercent: expected a whole number from 0 to 100, got 101"},
           {R"("childPolicy":[{"round_robin":{}}],"failurePercentageEjection":{"threshold":101})",
            "failurePercentageEjection.threshold: expected a whole number from 0 to 100, got 101"},
           {R"("childPolicy":[{"round_robin":{}}],"successRateEjection":{"enforcementPercentage":-1})",
            "successRateEjection.enforcementPercentage: expected a whole number"}}) {
    Fleet fleet(With(Detecting(fields)));
    fleet.Resolve({kOne});
    fleet.Call();
    EXPECT_THAT(fleet.TakeLog().back(), HasSubstr(mistake));
  }
}

}  // namespace
}  // namespace weir
