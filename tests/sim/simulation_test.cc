// The simulation itself: what a user's test relies on.
#include "weir/testing/simulation.h"

#include <stdlib.h>

#include <chrono>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "tests/benchmark/bench.weir.pb.h"

namespace weir::testing {
namespace {

class Echo final : public bench::EchoService {
  Task<absl::StatusOr<bench::Payload>> Unary(ServerContext& context, const bench::Payload& request) override {
    if (request.body() == "sleep") co_await context.Sleep(absl::Hours(1));
    co_return request;
  }
};

absl::Status CallOnce(Channel& channel, const std::string& body, absl::Duration timeout = absl::InfiniteDuration()) {
  bench::Payload request;
  request.set_body(body);
  return bench::EchoClient(channel).Unary(request, CallOptions().Timeout(timeout)).Wait().status();
}

Channel& EchoChannel(Simulation& simulation) {
  return simulation.Connect("client", simulation.Serve("server", simulation.Make<Echo>()));
}

TEST(SimulationTest, AnHourPassesWhileTheThreadWaits) {
  const auto real_begin = std::chrono::steady_clock::now();
  Simulation simulation({});
  Channel& channel = EchoChannel(simulation);
  const absl::Time begin = absl::Now();
  const auto begin_steady = std::chrono::steady_clock::now();
  EXPECT_TRUE(CallOnce(channel, "sleep").ok());
  EXPECT_GE(simulation.Elapsed(), absl::Hours(1));
  EXPECT_GE(absl::Now() - begin, absl::Hours(1)) << "the wall clock is the simulation's";
  EXPECT_GE(std::chrono::steady_clock::now() - begin_steady, std::chrono::hours(1));
  EXPECT_NE(begin_steady, real_begin);
}

TEST(SimulationTest, ADeadlineIsKeptToTheMillisecond) {
  Simulation simulation({});
  Channel& channel = EchoChannel(simulation);
  ASSERT_TRUE(CallOnce(channel, "connect").ok());
  const absl::Duration begin = simulation.Elapsed();
  EXPECT_TRUE(absl::IsDeadlineExceeded(CallOnce(channel, "sleep", absl::Seconds(10))));
  EXPECT_EQ(simulation.Elapsed() - begin, absl::Seconds(10));
}

TEST(SimulationTest, AServerThatWasKilledIsReplaced) {
  Simulation simulation({});
  SimulatedServer& server = simulation.Serve("server", simulation.Make<Echo>());
  Channel& channel = simulation.Connect("client", server);
  ASSERT_TRUE(CallOnce(channel, "one").ok());
  server.Kill();
  simulation.RunFor(absl::Seconds(1));
  EXPECT_TRUE(CallOnce(channel, "two").ok());
  server.Drain();
  simulation.RunFor(absl::Seconds(1));
  EXPECT_TRUE(CallOnce(channel, "three").ok());
}

// Fails if the server drains and there is a reset, and says how many faults it saw.
void FailsWithDrainAndReset(Simulation& simulation) {
  EchoChannel(simulation);
  simulation.BreakThings(absl::Seconds(1), 40);
  simulation.RunFor(absl::Seconds(2));
}

TEST(SimulationTest, AFailureSaysHowToRepeatIt) {
  ::testing::TestPartResultArray results;
  {
    ::testing::ScopedFakeTestPartResultReporter reporter(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
    ForEachSeed({.count = 5, .first = 7}, [](Simulation& simulation) {
      FailsWithDrainAndReset(simulation);
      EXPECT_NE(simulation.seed(), 9u) << "planted";
    });
  }
  ASSERT_EQ(results.size(), 1);
  const std::string text = results.GetTestPartResult(0).message();
  EXPECT_NE(text.find("seed 9 fails"), std::string::npos) << text;
  EXPECT_NE(text.find("planted"), std::string::npos) << text;
  EXPECT_NE(text.find("with 0 of"), std::string::npos) << "no fault is needed\n" << text;
  EXPECT_NE(text.find("--test_env=WEIR_SIM_SEED=9 --test_env=WEIR_SIM_FAULTS="), std::string::npos) << text;
}

TEST(SimulationTest, FaultsThatDoNotMatterAreLeftOut) {
  ::testing::TestPartResultArray results;
  {
    ::testing::ScopedFakeTestPartResultReporter reporter(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
    ForEachSeed({.count = 1000}, [](Simulation& simulation) {
      SimulatedServer& server = simulation.Serve("server", simulation.Make<Echo>());
      Channel& channel = simulation.Connect("client", server);
      simulation.BreakThings(absl::Seconds(10), 20);
      for (int i = 0; i < 10; ++i) {
        const absl::Duration begin = simulation.Elapsed();
        CallOnce(channel, "x", absl::Seconds(2)).IgnoreError();
        EXPECT_LT(simulation.Elapsed() - begin, absl::Seconds(2)) << "too slow";
        simulation.RunFor(absl::Seconds(1));
      }
    });
  }
  ASSERT_EQ(results.size(), 1) << "some seed stops or stalls for 2 s";
  const std::string text = results.GetTestPartResult(0).message();
  EXPECT_THAT(text, ::testing::ContainsRegex("with [1-3] of [1-9][0-9] fault"));
}

TEST(SimulationTest, AnInvariantFailsAtTheEventThatBreaksItAndOnce) {
  ::testing::TestPartResultArray results;
  {
    ::testing::ScopedFakeTestPartResultReporter reporter(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
    Simulation simulation({});
    Channel& channel = EchoChannel(simulation);
    bool late = false;
    simulation.HoldAlways([&] {
      late = simulation.Elapsed() >= absl::Milliseconds(2500);
      return std::string(late ? "planted" : "");
    });
    for (int second = 1; second <= 4; ++second) {
      simulation.RunFor(absl::Seconds(second) - simulation.Elapsed());
      EXPECT_TRUE(CallOnce(channel, "x").ok());
      EXPECT_EQ(late, second > 2);
    }
  }
  ASSERT_EQ(results.size(), 1);
  EXPECT_THAT(results.GetTestPartResult(0).message(),
              ::testing::ContainsRegex("at 3s, after event [1-9][0-9]* .\"client\".: planted"));
}

TEST(SimulationTest, OtherSeedsGiveOtherWorlds) {
  std::vector<uint64_t> hashes;
  for (uint64_t seed : {1, 2, 1}) {
    Simulation simulation({.seed = seed});
    Channel& channel = EchoChannel(simulation);
    simulation.BreakThings();
    CallOnce(channel, "x", absl::Seconds(30)).IgnoreError();
    hashes.push_back(simulation.hash());
  }
  EXPECT_EQ(hashes[0], hashes[2]);
  EXPECT_NE(hashes[0], hashes[1]);
}

}  // namespace
}  // namespace weir::testing
