// Calls of all kinds between processes of the real code, while things go wrong. See README.md for what is held.
#include "weir/tests/sim/calls.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "weir/examples/proxy/proxy.h"
#include "weir/rpc/client/service_config/parse_service_config.h"
#include "weir/rpc/server/concurrency_limit.h"
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

// What goes wrong.
enum class Trouble {
  kAnything,
  // No handler lacks a slot, and
  kSlowOrDrained,  // no server fails, they become slow, and others take over
  kOneGoesAway,    // one ends its calls; nobody stands between it and the client
};

struct Topology {
  Channel* channel;
  SimulatedLoop* loop;
  int attempts_max = 1;
  std::shared_ptr<ConcurrencyLimit> slots;  // null: as many handlers as there are calls
  size_t slots_max = SIZE_MAX;
};

// Handlers that keep their places while others wait or are refused: on a connection, or in all servers. Handlers with
// threads of their own, answers that are compressed, connections that get old.
ServerOptions SomeServerOptions(SimulatedRandom& random, Trouble trouble, Topology& world) {
  ServerOptions options;
  if (trouble != Trouble::kOneGoesAway && random.OneIn(4)) options.worker_threads = 1;
  if (random.OneIn(4)) options.compression = "gzip";
  if (random.OneIn(6)) options.connection.max_age = absl::Milliseconds(random.Between(2000, 5000));
  if (random.OneIn(4)) options.max_concurrent_streams = static_cast<uint32_t>(random.Between(1, 3));
  if (trouble == Trouble::kAnything && random.OneIn(4)) {
    world.slots_max = random.Between(1, 3);
    world.slots = std::make_shared<ConcurrencyLimit>(ConcurrencyLimitOptions{.running_max = world.slots_max});
    options.admission = world.slots;
  }
  return options;
}

ChannelOptions SomeChannelOptions(SimulatedRandom& random, Topology& world) {
  ChannelOptions options;
  if (random.OneIn(4)) options.compression = "gzip";
  if (random.OneIn(4)) options.connection.keepalive = {.time = absl::Seconds(10), .timeout = absl::Seconds(2)};
  if (random.OneIn(4)) {
    world.attempts_max = 3;
    options.service_config = ParseServiceConfig(R"({"methodConfig": [{"name": [{}], "retryPolicy": {
        "maxAttempts": 3, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"]}}]})");
  }
  return options;
}

// A client of a server; of a server behind a proxy; or of several servers that it finds by name.
Topology Build(Simulation& simulation, Trouble trouble, Ledger& ledger) {
  SimulatedRandom random = simulation.random().Fork();
  Topology world;
  const ServerOptions options = SomeServerOptions(random, trouble, world);
  ChannelOptions channel = SomeChannelOptions(random, world);
  constexpr uint64_t kBehindProxy = 1;
  auto& service = simulation.Make<LedgerService>(ledger);
  SimulatedServer* server = &simulation.Serve(options, "server", service);
  const uint64_t kind = random.Below(3);
  switch (trouble == Trouble::kOneGoesAway && kind == kBehindProxy ? 0 : kind) {
    case 0:
      world.channel = &simulation.Connect("client", *server, channel);
      break;
    case kBehindProxy: {
      auto& proxy = simulation.Make<proxy::Proxy>(simulation.Connect("proxy", *server));
      world.channel = &simulation.Connect("client", simulation.Serve("proxy", proxy), channel);
      break;
    }
    default: {
      std::vector<SimulatedServer*> servers = {server, &simulation.Serve(options, "server2", service)};
      if (random.OneIn(2)) servers.push_back(&simulation.Serve(options, "server3", service));
      if (random.OneIn(2)) channel.load_balancing = {.policy = "round_robin", .config = {}};
      world.channel = &simulation.Connect("client", servers, channel);
      break;
    }
  }
  world.loop = &simulation.loop("client");
  return world;
}

// What has happened in all seeds together.
struct Tally {
  std::array<int, Fault::kKinds> faults{};
  int refused_for_slots = 0;
  int seeds = 0;
};

void Count(const Simulation& simulation, const Topology& world, Tally& tally) {
  for (int kind = 0; kind < Fault::kKinds; ++kind) {
    tally.faults[static_cast<size_t>(kind)] += simulation.occurred(static_cast<Fault::Kind>(kind));
  }
  if (world.slots != nullptr) tally.refused_for_slots += static_cast<int>(world.slots->shed_count());
  ++tally.seeds;
}

// Not so slow that a connection would be given up.
Fault SlowOrDrained(SimulatedRandom& random) {
  constexpr Fault::Kind kKinds[] = {Fault::Kind::kDrain,   Fault::Kind::kDrain,     Fault::Kind::kStall,
                                    Fault::Kind::kDribble, Fault::Kind::kWallClock, Fault::Kind::kSettings};
  return {.kind = kKinds[random.Below(std::size(kKinds))],
          .target = random.Next(),
          .length = std::chrono::milliseconds(random.Below(1000)),
          .amount = static_cast<int64_t>(random.Between(1, 100))};
}

void Play(Simulation& simulation, Trouble kind, Tally& tally) {
  auto& ledger = simulation.Make<Ledger>();
  const Topology world = Build(simulation, kind, ledger);
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
  if (kind == Trouble::kSlowOrDrained) {
    for (uint64_t n = random.Between(1, 6); n > 0; --n) {
      script.emplace_back(trouble * static_cast<int64_t>(random.Below(1000)) / 1000,
                          [&simulation, fault = SlowOrDrained(random)] { simulation.Break(fault); });
    }
  }
  if (kind == Trouble::kOneGoesAway) {
    const Fault fault{.kind = Fault::Kind::kGoAway, .target = random.Next()};
    script.emplace_back(trouble * static_cast<int64_t>(random.Below(1000)) / 1000,
                        [&simulation, fault] { simulation.Break(fault); });
  }
  std::stable_sort(script.begin(), script.end(), [](const auto& a, const auto& b) { return a.first < b.first; });

  if (kind == Trouble::kAnything) simulation.BreakThings(trouble);
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
  ledger.Check({.servers_went_away = simulation.occurred(Fault::Kind::kGoAway) > 0,
                .servers_were_there = kind != Trouble::kAnything,
                .attempts_max = world.attempts_max});
  EXPECT_LE(static_cast<size_t>(ledger.handlers_running_most()), world.slots_max) << "a handler without a slot";
  simulation.RunFor(absl::Minutes(3));  // longer than the longest back-off
  // Connections come and go by their age.
  EXPECT_TRUE(simulation.RunUntil([&] { return simulation.bytes_held() == 0; }, absl::Seconds(1)));

  CallRecord& last = ledger.Add();
  last.timeout = absl::Seconds(1);
  StartCall(simulation, *world.loop, *world.channel, last);
  simulation.RunFor(absl::Seconds(1));
  EXPECT_TRUE(last.ends == 1 && last.status.ok()) << "after all is well again: " << last.status;
  Count(simulation, world, tally);
}

TEST(CallsTest, WhateverGoesWrong) {
  Tally tally;
  ForEachSeed({.count = 1000}, [&tally](Simulation& simulation) { Play(simulation, Trouble::kAnything, tally); });
  if (tally.seeds < 1000) return;  // a seed was asked for, or one has failed
  for (int kind = 0; kind < Fault::kKinds; ++kind) {
    EXPECT_GE(tally.faults[static_cast<size_t>(kind)], 50) << "a fault that hardly ever happens: kind " << kind;
  }
  EXPECT_GE(tally.refused_for_slots, 50) << "handlers hardly ever lack slots";
}

TEST(CallsTest, WhileServersAreSlowOrDrainNoCallIsUnavailable) {
  Tally tally;
  ForEachSeed({.count = 500}, [&tally](Simulation& simulation) { Play(simulation, Trouble::kSlowOrDrained, tally); });
  if (tally.seeds < 500) return;
  EXPECT_GE(tally.faults[static_cast<size_t>(Fault::Kind::kDrain)], 50);
}

TEST(CallsTest, ACallThatNoHandlerHasSeenSurvivesAServerThatGoesAway) {
  Tally tally;
  ForEachSeed({.count = 500}, [&tally](Simulation& simulation) { Play(simulation, Trouble::kOneGoesAway, tally); });
}

TEST(CallsTest, ASeedGivesTheSameTwice) {
  const auto hash_of = [](uint64_t seed) {
    Simulation simulation({.seed = seed});
    Tally tally;
    Play(simulation, Trouble::kAnything, tally);
    return simulation.hash();
  };
  for (uint64_t seed = 1; seed <= 10; ++seed) EXPECT_EQ(hash_of(seed), hash_of(seed)) << "seed " << seed;
}

}  // namespace
}  // namespace weir::testing
