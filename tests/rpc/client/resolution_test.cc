// A channel and its resolver: the public interface NameResolver, and what the channel makes of results and errors.
#include <chrono>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/tests/support/fleet.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::Fleet;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kOne[] = "10.0.0.1:1";

TEST(Resolution, ErrorFailsCallsAndIsTriedAgainAfterAPause) {
  Fleet fleet;
  fleet.FailToResolve(absl::UnavailableError("no such fleet"));
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms resolve", StartsWith("0ms UNAVAILABLE: cannot connect: no such fleet; "
                                                                     "next attempt in ")));
  fleet.Advance(milliseconds(790));
  EXPECT_THAT(fleet.TakeLog(), IsEmpty());
  fleet.Advance(milliseconds(420));
  EXPECT_THAT(fleet.TakeLog(), ElementsAre(HasSubstr("resolve again")));
}

TEST(Resolution, CallThatWaitsForReadySurvivesAnError) {
  Fleet fleet;
  fleet.FailToResolve(absl::UnavailableError("no such fleet"));
  fleet.Call(CallOptions().WaitForReady());
  fleet.Resolve({kOne});
  EXPECT_THAT(fleet.TakeLog(),
              ElementsAre("0ms resolve", "0ms connect 10.0.0.1:1", "0ms call at 10.0.0.1:1", "0ms OK"));
}

TEST(Resolution, AddressesThatAreKnownStayInUseAfterAnError) {
  Fleet fleet;
  fleet.Resolve({kOne});
  fleet.Call();
  fleet.FailToResolve(absl::UnavailableError("no such fleet"));
  fleet.TakeLog();
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms call at 10.0.0.1:1", "0ms OK"));
}

TEST(Resolution, NoAddressIsAnError) {
  Fleet fleet;
  fleet.Resolve({});
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog().back(), HasSubstr("resolve \"fleet:///\": there is no address"));
}

TEST(Resolution, PolicyThatIsNotKnownIsNamed) {
  ChannelOptions options;
  options.load_balancing.policy = "nearest";
  Fleet fleet(options);
  fleet.Resolve({kOne});
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog().back(), HasSubstr("load balancing: expected one of "));
}

}  // namespace
}  // namespace weir
