// The state of a channel: gRPC's connectivity-semantics-and-api, wait-for-ready, idleness, and places on connections.
#include <chrono>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/rpc/client/state_change.h"
#include "weir/tests/support/fleet.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::Fleet;
using ::testing::IsEmpty;

constexpr char kOne[] = "10.0.0.1:1";
using States = std::vector<std::string_view>;

Task<void> Follow(std::shared_ptr<ChannelCore> core, States* states) {
  ConnectivityState state = core->state();
  while (state != ConnectivityState::kShutdown) {
    states->push_back(ToString(state));
    state = co_await StateChangeOperation(core, state);
  }
  states->push_back(ToString(state));
}

Task<void> WatchFor(std::shared_ptr<ChannelCore> core, absl::Duration limit, States* states) {
  const ConnectivityState state = co_await StateChangeOperation(core, core->state(), limit);
  states->push_back(ToString(state));
}

TEST(Connectivity, WatchersSeeEveryStateFromIdleToShutdown) {
  States states;
  {
    Fleet fleet;
    fleet.server(kOne) = Fleet::kRefuses;
    fleet.Resolve({kOne});
    fleet.loop().Post([&] { Spawn(Follow(fleet.core().shared_from_this(), &states)); });
    fleet.Call();
    fleet.server(kOne) = Fleet::kAnswers;
    fleet.Advance(seconds(2));
    fleet.Close(kOne);
  }
  EXPECT_THAT(states, ElementsAre("IDLE", "CONNECTING", "TRANSIENT_FAILURE", "READY", "IDLE", "SHUTDOWN"));
}

TEST(Connectivity, WatchEndsWithTheSameStateWhenItsTimeIsOver) {
  States states;
  Fleet fleet;
  fleet.Resolve({kOne});
  fleet.loop().Post([&] { Spawn(WatchFor(fleet.core().shared_from_this(), absl::Seconds(2), &states)); });
  fleet.Advance(seconds(1));
  EXPECT_THAT(states, IsEmpty());
  fleet.Advance(seconds(1));
  EXPECT_THAT(states, ElementsAre("IDLE"));
  EXPECT_EQ(fleet.loop().timers(), 0u);
}

TEST(Connectivity, ChannelStaysIdleUntilACallIsMadeOrAConnectionIsWanted) {
  Fleet fleet;
  fleet.Resolve({kOne});
  fleet.Advance(seconds(1));
  EXPECT_THAT(fleet.TakeLog(), IsEmpty());
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kIdle);
  fleet.Connect();
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kReady);
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("1000ms resolve", "1000ms connect 10.0.0.1:1"));
}

TEST(Connectivity, FailFastCallWaitsWhileConnecting) {
  Fleet fleet;
  fleet.server(kOne) = Fleet::kMute;
  fleet.Resolve({kOne});
  fleet.Call();
  fleet.Advance(seconds(10));
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms resolve", "0ms connect 10.0.0.1:1"));
}

// ---- idleness -------------------------------------------------------------------------------------------------------

TEST(IdleTimeout, ChannelWithoutCallsClosesItsConnections) {
  ChannelOptions options;
  options.idle_timeout = absl::Seconds(30);
  Fleet fleet(options);
  fleet.Resolve({kOne});
  fleet.Call();
  fleet.Advance(seconds(20));
  fleet.Call();
  fleet.Advance(seconds(29));
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kReady);
  fleet.Advance(seconds(2));
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kIdle);
  fleet.TakeLog();
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog(),
              ElementsAre("51000ms resolve", "51000ms connect 10.0.0.1:1", "51000ms call at 10.0.0.1:1", "51000ms OK"));
}

TEST(IdleTimeout, CallUnderWayKeepsTheChannelFromBecomingIdle) {
  ChannelOptions options;
  options.idle_timeout = absl::Seconds(3);
  Fleet fleet(options);
  fleet.server(kOne) = Fleet::kHolds;
  fleet.Resolve({kOne});
  fleet.Call();
  fleet.Advance(seconds(20));
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kReady);
  fleet.AnswerHeld(kOne);
  fleet.Advance(seconds(7));
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kIdle);
}

// ---- places ---------------------------------------------------------------------------------------------------------

TEST(ConnectionScaling, SecondConnectionIsMadeWhenTheFirstIsFull) {
  ChannelOptions options;
  options.max_connections_per_address = 2;
  Fleet fleet(options);
  fleet.server(kOne) = Fleet::kHolds;
  fleet.set_settings("MAX_CONCURRENT_STREAMS=1");
  fleet.Resolve({kOne});
  fleet.Calls(3);
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms resolve", "0ms connect 10.0.0.1:1", "0ms call at 10.0.0.1:1",
                                           "0ms connect 10.0.0.1:1", "0ms call at 10.0.0.1:1"));
  EXPECT_EQ(fleet.core().waiting_count(), 1u);
  fleet.AnswerHeld(kOne);
  EXPECT_EQ(fleet.core().waiting_count(), 0u);
}

TEST(ConnectionScaling, CallsWaitForTheOnlyConnectionByDefault) {
  Fleet fleet;
  fleet.server(kOne) = Fleet::kHolds;
  fleet.set_settings("MAX_CONCURRENT_STREAMS=1");
  fleet.Resolve({kOne});
  fleet.Calls(3);
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms resolve", "0ms connect 10.0.0.1:1", "0ms call at 10.0.0.1:1"));
  EXPECT_EQ(fleet.core().waiting_count(), 2u);
}

TEST(ConnectionScaling, CallsThatAreQueuedAreCounted) {
  Fleet fleet;
  fleet.server(kOne) = Fleet::kHolds;
  fleet.set_settings("MAX_CONCURRENT_STREAMS=1");
  fleet.Resolve({kOne});
  fleet.Call();
  EXPECT_EQ(fleet.core().queued_call_count(), 0u);
  fleet.Calls(2);
  fleet.Call(CallOptions().Timeout(absl::Seconds(1)));
  EXPECT_EQ(fleet.core().queued_call_count(), 3u);
  fleet.Advance(seconds(1));
  EXPECT_EQ(fleet.core().queued_call_count(), 2u) << "one has run out of time";
  fleet.AnswerHeld(kOne);
  EXPECT_EQ(fleet.core().queued_call_count(), 1u);
  fleet.Close(kOne);
  fleet.Advance(seconds(3));
  EXPECT_EQ(fleet.core().queued_call_count(), 0u) << "it has its place on the next connection";
}

TEST(ConnectionScaling, OneMoreConnectionThatFailsIsTriedAgainAfterAPause) {
  ChannelOptions options;
  options.max_connections_per_address = 2;
  Fleet fleet(options);
  fleet.server(kOne) = Fleet::kHolds;
  fleet.set_settings("MAX_CONCURRENT_STREAMS=1");
  fleet.Resolve({kOne});
  fleet.Call();
  fleet.TakeLog();
  fleet.server(kOne) = Fleet::kRefuses;
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms connect 10.0.0.1:1"));
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kReady) << "the first one serves";
  fleet.server(kOne) = Fleet::kHolds;
  fleet.Advance(seconds(2));
  EXPECT_THAT(fleet.TakeLog(),
              ElementsAre(::testing::HasSubstr("connect 10.0.0.1:1"), ::testing::HasSubstr("call at 10.0.0.1:1")));
  EXPECT_EQ(fleet.core().queued_call_count(), 0u);
}

TEST(ConnectionScaling, TenConnectionsAreTheMost) {
  for (const auto& [asked, made] : {std::pair(0u, 1), std::pair(10u, 10), std::pair(11u, 10)}) {
    ChannelOptions options;
    options.max_connections_per_address = asked;
    Fleet fleet(options);
    fleet.server(kOne) = Fleet::kHolds;
    fleet.set_settings("MAX_CONCURRENT_STREAMS=1");
    fleet.Resolve({kOne});
    fleet.Calls(12);
    EXPECT_THAT(fleet.TakeShares(), ElementsAre(std::pair<const std::string, int>(kOne, made)));
  }
}

// ---- waiting

TEST(WaitForReady, DeadlineNamesTheLastErrorOfTheConnection) {
  Fleet fleet;
  fleet.server(kOne) = Fleet::kRefuses;
  fleet.Resolve({kOne});
  fleet.Call(CallOptions().WaitForReady().Timeout(absl::Milliseconds(500)));
  fleet.TakeLog();
  fleet.Advance(milliseconds(500));
  EXPECT_THAT(fleet.TakeLog(),
              ElementsAre(::testing::StartsWith("500ms DEADLINE_EXCEEDED: deadline of 500ms exceeded while connecting; "
                                                "cannot connect: connect to 10.0.0.1:1: Connection refused; next "
                                                "attempt in ")));
}

TEST(WaitForReady, DeadlineNamesTheLastErrorOfTheResolver) {
  Fleet fleet;
  fleet.FailToResolve(absl::UnavailableError("no such fleet"));
  fleet.Call(CallOptions().WaitForReady().Timeout(absl::Milliseconds(500)));
  fleet.TakeLog();
  fleet.Advance(milliseconds(500));
  EXPECT_THAT(fleet.TakeLog(), ElementsAre(::testing::HasSubstr("; cannot connect: no such fleet; next attempt in ")));
}

}  // namespace
}  // namespace weir
