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

// `heavy`: such as may hold much memory.
void Plan(SimulatedRandom& random, bool heavy, CallRecord& record) {
  record.kind = static_cast<CallKind>(random.Below(4));
  record.messages = static_cast<uint32_t>(random.OneIn(heavy ? 2 : 4) ? random.Below(40) : random.Below(5));
  if (record.kind == CallKind::kBidi) record.messages = std::max<uint32_t>(record.messages, 1);
  record.message_bytes = static_cast<uint32_t>(random.OneIn(heavy ? 2 : 6) ? random.Below(60'000) : random.Below(300));
  const uint64_t limits_ms[] = {50, 1000, 20'000};
  record.timeout = absl::Milliseconds(random.Between(1, limits_ms[random.Below(3)]));
  if (random.OneIn(8)) record.read_until = static_cast<uint32_t>(random.Between(1, 5));
  if (random.OneIn(3)) record.handler_sleeps = absl::Milliseconds(random.Below(3000));
  if (random.OneIn(heavy ? 2 : 4)) record.reader_pauses = absl::Milliseconds(random.Below(500));
}

// What goes wrong.
enum class Trouble {
  kAnything,
  // No handler lacks a slot, and
  kSlowOrDrained,  // no server fails, they become slow, and others take over
  kOneGoesAway,    // one ends its calls; nobody stands between it and the client
};

struct Topology {
  Channel* channel = nullptr;
  SimulatedLoop* loop = nullptr;
  std::vector<SimulatedServer*> servers;
  bool memory_is_short = false;
  HandlerLimits limits;
  std::shared_ptr<ConcurrencyLimit> slots;  // null: as many handlers as there are calls
};

// Ceilings that calls reach, whose largest messages are of 60 KB; of a connection, or of all.
void DrawCeilings(SimulatedRandom& random, ServerOptions& options) {
  if (random.OneIn(2)) {
    options.connection.memory_soft_bytes = random.Between(1, 1000);
    options.connection.memory_hard_bytes = random.Between(1, 100'000);
  } else {
    options.memory_soft_bytes = random.Between(1, 100'000);
    options.memory_hard_bytes = random.Between(1, 150'000);
  }
}

// Handlers that keep their places while others wait or are refused: on a connection, or in all servers. Handlers with
// threads of their own, answers that are compressed, connections that get old.
ServerOptions SomeServerOptions(SimulatedRandom& random, Trouble trouble, Topology& world) {
  ServerOptions options;
  if (trouble != Trouble::kOneGoesAway && random.OneIn(4)) options.worker_threads = 1;
  if (random.OneIn(4)) options.compression = "gzip";
  if (random.OneIn(6)) options.connection.max_age = absl::Milliseconds(random.Between(2000, 5000));
  if (random.OneIn(4)) options.max_concurrent_streams = static_cast<uint32_t>(random.Between(1, 3));
  world.limits.running_on_connection_max = static_cast<int>(options.max_concurrent_streams);
  if (trouble == Trouble::kAnything && random.OneIn(4)) {
    const size_t slots = random.Between(1, 3);
    world.limits.running_max = static_cast<int>(slots);
    world.slots = std::make_shared<ConcurrencyLimit>(ConcurrencyLimitOptions{.running_max = slots});
    options.admission = world.slots;
  }
  if (trouble == Trouble::kAnything && random.OneIn(4)) {
    world.memory_is_short = true;
    DrawCeilings(random, options);
  }
  return options;
}

ChannelOptions SomeChannelOptions(SimulatedRandom& random, Trouble trouble, Topology& world) {
  ChannelOptions options;
  if (trouble == Trouble::kAnything && random.OneIn(4)) {
    world.memory_is_short = true;
    options.connection.memory_soft_bytes = random.Between(1, 50'000);
    options.connection.memory_hard_bytes = random.Between(1, 100'000);
  }
  if (world.memory_is_short) options.stream_window_bytes = static_cast<uint32_t>(random.Between(100, 100'000));
  if (random.OneIn(4)) options.compression = "gzip";
  if (random.OneIn(4)) options.connection.keepalive = {.time = absl::Seconds(10), .timeout = absl::Seconds(2)};
  if (random.OneIn(4)) {
    world.limits.attempts_max = 3;
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
  ChannelOptions channel = SomeChannelOptions(random, trouble, world);
  constexpr uint64_t kBehindProxy = 1;
  auto& service = simulation.Make<LedgerService>(ledger);
  SimulatedServer* server = &simulation.Serve(options, "server", service);
  world.servers = {server};
  const uint64_t kind = random.Below(3);
  switch (trouble == Trouble::kOneGoesAway && kind == kBehindProxy ? 0 : kind) {
    case 0:
      world.channel = &simulation.Connect("client", *server, channel);
      break;
    case kBehindProxy: {
      auto& proxy = simulation.Make<proxy::Proxy>(simulation.Connect("proxy", *server));
      ServerOptions front;
      if (world.memory_is_short) DrawCeilings(random, front);
      world.servers.push_back(&simulation.Serve(front, "proxy", proxy));
      world.channel = &simulation.Connect("client", *world.servers.back(), channel);
      break;
    }
    default: {
      world.servers.push_back(&simulation.Serve(options, "server2", service));
      if (random.OneIn(2)) world.servers.push_back(&simulation.Serve(options, "server3", service));
      if (random.OneIn(2)) channel.load_balancing = {.policy = "round_robin", .config = {}};
      world.channel = &simulation.Connect("client", world.servers, channel);
      break;
    }
  }
  world.loop = &simulation.loop("client");
  ledger.set_limits(world.limits);
  HoldAlways(simulation, *world.loop, ledger);
  return world;
}

// What has happened in all seeds together.
struct Tally {
  std::array<int, Fault::kKinds> faults{};
  int refused_for_slots = 0;
  MemoryUse memory;                 // what ceilings of servers have done
  int ended_for_client_memory = 0;  // calls
  int seeds = 0;
};

void Count(const Simulation& simulation, const Topology& world, Ledger& ledger, Tally& tally) {
  for (int kind = 0; kind < Fault::kKinds; ++kind) {
    tally.faults[static_cast<size_t>(kind)] += simulation.occurred(static_cast<Fault::Kind>(kind));
  }
  if (world.slots != nullptr) tally.refused_for_slots += static_cast<int>(world.slots->shed_count());
  for (const SimulatedServer* server : world.servers) {
    const MemoryUse memory = server->memory_use();
    tally.memory.deferred_calls += memory.deferred_calls;
    tally.memory.rationed_connections += memory.rationed_connections;
    tally.memory.ended_connections += memory.ended_connections;
    tally.memory.ended_by_all += memory.ended_by_all;
  }
  for (const CallRecord& record : ledger.calls()) {
    const bool by_client = record.status.message().find("ChannelOptions::connection.memory") != std::string::npos;
    if (by_client) ++tally.ended_for_client_memory;
  }
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
    Plan(random, world.memory_is_short, record);
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

  // Timeouts are 20 s at most, one second is for the end to be known, and one for a caller that pauses at the end.
  EXPECT_TRUE(simulation.RunUntil([&] { return ledger.AllOver(); }, absl::Seconds(22))) << "a call does not end";
  EXPECT_TRUE(simulation.RunUntil([&] { return ledger.handlers_running() == 0; }, absl::Seconds(30)))
      << "a handler does not end";
  ledger.Check({.servers_went_away = simulation.occurred(Fault::Kind::kGoAway) > 0,
                .servers_were_there = kind != Trouble::kAnything,
                .streams_were_reset = simulation.occurred(Fault::Kind::kStreamReset) > 0,
                .memory_is_short = world.memory_is_short});
  simulation.RunFor(absl::Minutes(3));  // longer than the longest back-off
  // Connections come and go by their age.
  EXPECT_TRUE(simulation.RunUntil([&] { return simulation.bytes_held() == 0; }, absl::Seconds(1)));
  for (const SimulatedServer* server : world.servers) {
    EXPECT_EQ(server->memory_use().held_bytes, 0) << "no call is left, and " << server->name() << " accounts bytes";
  }

  CallRecord& last = ledger.Add();
  last.timeout = absl::Seconds(1);
  StartCall(simulation, *world.loop, *world.channel, last);
  simulation.RunFor(absl::Seconds(1));
  EXPECT_TRUE(last.ends == 1 && last.status.ok()) << "after all is well again: " << last.status;
  Count(simulation, world, ledger, tally);
}

TEST(CallsTest, WhateverGoesWrong) {
  Tally tally;
  ForEachSeed({.count = 1000}, [&tally](Simulation& simulation) { Play(simulation, Trouble::kAnything, tally); });
  if (tally.seeds < 1000) return;  // a seed was asked for, or one has failed
  for (int kind = 0; kind < Fault::kKinds; ++kind) {
    EXPECT_GE(tally.faults[static_cast<size_t>(kind)], 50) << "a fault that hardly ever happens: kind " << kind;
  }
  EXPECT_GE(tally.refused_for_slots, 50) << "handlers hardly ever lack slots";
  EXPECT_GE(tally.memory.deferred_calls, 10) << "answers hardly ever wait";
  EXPECT_GE(tally.memory.rationed_connections, 50) << "memory is hardly ever short";
  EXPECT_GE(tally.memory.ended_connections, 50) << "no connection reaches its hard ceiling";
  EXPECT_GE(tally.memory.ended_by_all, 50) << "no server reaches its hard ceiling";
  EXPECT_GE(tally.ended_for_client_memory, 50) << "no client reaches its hard ceiling";
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
