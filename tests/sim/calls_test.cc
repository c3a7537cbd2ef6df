// Calls of all kinds between processes of the real code, while things go wrong. See README.md for what is held.
#include "weir/tests/sim/calls.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "weir/examples/proxy/proxy.h"
#include "weir/testing/simulation.h"

namespace weir::testing {
namespace {

void Plan(SimulatedRandom& random, CallRecord& record) {
  record.kind = static_cast<CallKind>(random.Below(4));
  record.messages = static_cast<uint32_t>(random.OneIn(4) ? random.Below(40) : random.Below(5));
  if (record.kind == CallKind::kBidi) record.messages = std::max<uint32_t>(record.messages, 1);
  record.message_bytes = static_cast<uint32_t>(random.OneIn(6) ? random.Below(60'000) : random.Below(300));
  const uint64_t limits_ms[] = {50, 1000, 20'000};
  record.timeout = absl::Milliseconds(random.Between(1, limits_ms[random.Below(3)]));
  if (random.OneIn(8)) record.read_until = static_cast<uint32_t>(random.Between(1, 5));
  if (random.OneIn(3)) record.handler_sleeps = absl::Milliseconds(random.Below(3000));
}

struct Topology {
  Channel* channel;
  SimulatedLoop* loop;
};

// A client of the server; in every third seed through a proxy.
Topology Build(Simulation& simulation, Ledger& ledger) {
  auto& service = simulation.Make<LedgerService>(ledger);
  SimulatedServer* server = &simulation.Serve("server", service);
  if (simulation.random().OneIn(3)) {
    auto& proxy = simulation.Make<proxy::Proxy>(simulation.Connect("proxy", *server));
    server = &simulation.Serve("proxy", proxy);
  }
  return {&simulation.Connect("client", *server), &simulation.loop("client")};
}

void Play(Simulation& simulation) {
  auto& ledger = simulation.Make<Ledger>();
  const Topology world = Build(simulation, ledger);
  SimulatedRandom random = simulation.random().Fork();

  // Short trouble hits calls more often, long trouble hits what calls leave behind.
  const absl::Duration troubles[] = {absl::Milliseconds(300), absl::Seconds(3), absl::Seconds(20)};
  const absl::Duration trouble = troubles[random.Below(3)];

  std::vector<std::pair<absl::Duration, std::function<void()>>> script;
  for (uint64_t n = random.Between(1, 12); n > 0; --n) {
    CallRecord& record = ledger.Add();
    Plan(random, record);
    const absl::Duration start = trouble * static_cast<int64_t>(random.Below(1000)) / 1000;
    script.emplace_back(start, [&] { StartCall(simulation, *world.loop, *world.channel, record); });
    if (!random.OneIn(5)) continue;
    script.emplace_back(start + absl::Milliseconds(random.Below(100)), [&] {
      world.loop->Post([&record] {
        if (!record.cancel) return;
        record.cancelled = true;
        record.cancel();
      });
    });
  }
  std::stable_sort(script.begin(), script.end(), [](const auto& a, const auto& b) { return a.first < b.first; });

  simulation.BreakThings(trouble);
  for (auto& [time, action] : script) {
    simulation.RunFor(time - simulation.Elapsed());
    action();
  }
  simulation.RunFor(trouble - simulation.Elapsed());
  simulation.Heal();

  // Timeouts are 20 s at most, and one second is for the end to be known.
  EXPECT_TRUE(simulation.RunUntil([&] { return ledger.AllOver(); }, absl::Seconds(21))) << "a call does not end";
  EXPECT_TRUE(simulation.RunUntil([&] { return ledger.handlers_running() == 0; }, absl::Seconds(30)))
      << "a handler does not end";
  ledger.Check();
  simulation.RunFor(absl::Minutes(3));  // longer than the longest back-off
  EXPECT_EQ(simulation.bytes_held(), 0u);

  CallRecord& last = ledger.Add();
  last.timeout = absl::Seconds(1);
  StartCall(simulation, *world.loop, *world.channel, last);
  simulation.RunFor(absl::Seconds(1));
  EXPECT_TRUE(last.ends == 1 && last.status.ok()) << "after all is well again: " << last.status;
}

TEST(CallsTest, WhateverGoesWrong) { ForEachSeed({.count = 1000}, Play); }

TEST(CallsTest, ASeedGivesTheSameTwice) {
  const auto hash_of = [](uint64_t seed) {
    Simulation simulation({.seed = seed});
    Play(simulation);
    return simulation.hash();
  };
  for (uint64_t seed = 1; seed <= 10; ++seed) EXPECT_EQ(hash_of(seed), hash_of(seed)) << "seed " << seed;
}

}  // namespace
}  // namespace weir::testing
