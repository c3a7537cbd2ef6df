// A client, sometimes a proxy, and a server, whose calls and faults the input chooses: the simulation of tests/sim,
// with the fuzzer in the place of the seed. Seven octets are a step: time passes, a call begins, or something goes
// wrong.
#include <algorithm>
#include <iostream>

#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "weir/examples/proxy/proxy.h"
#include "weir/testing/simulation.h"
#include "weir/tests/fuzz/input.h"
#include "weir/tests/fuzz/rpc/watchdog.h"
#include "weir/tests/sim/calls.h"

namespace weir::testing {
namespace {

// A world that is small enough to be played some hundred times a second.
constexpr size_t kCallsMax = 6;
constexpr size_t kStepsMax = 24;
constexpr int kMessageShifts = 6;  // messages of up to 8 KiB

void Step(Input& input, Simulation& simulation, Ledger& ledger, SimulatedLoop& loop, Channel& channel) {
  const uint8_t kind = input.Byte();
  const uint64_t low = input.Byte();
  const uint64_t number = low + (uint64_t{input.Byte()} << 8);
  const auto time = std::chrono::milliseconds(1 << input.Byte() % 14);
  simulation.RunFor(absl::Milliseconds(input.Byte()));
  if (kind < 128 && ledger.calls().size() < kCallsMax) {
    CallRecord& record = ledger.Add();
    record.kind = static_cast<CallKind>(kind % 4);
    record.messages = 1 + input.Byte() % 8;
    record.message_bytes = static_cast<uint32_t>(low << (number >> 8) % kMessageShifts);
    record.timeout = absl::FromChrono(time);
    return StartCall(simulation, loop, channel, record);
  }
  Fault fault;
  fault.kind = static_cast<Fault::Kind>(kind % Fault::kKinds);
  fault.target = input.Byte() % 2 == 0 ? number : number | uint64_t{1} << 32;
  fault.amount = static_cast<int64_t>(number);
  fault.length = time;
  simulation.Break(fault);
}

void Play(Input& input) {
  Simulation simulation({.seed = input.Byte()});
  auto& ledger = simulation.Make<Ledger>();
  auto& service = simulation.Make<LedgerService>(ledger);
  SimulatedServer* server = &simulation.Serve("server", service);
  if (input.Byte() % 2 == 0) {
    auto& proxy = simulation.Make<proxy::Proxy>(simulation.Connect("proxy", *server));
    server = &simulation.Serve("proxy", proxy);
  }
  Channel& channel = simulation.Connect("client", *server);
  SimulatedLoop& loop = simulation.loop("client");
  HoldAlways(simulation, loop, ledger);
  for (size_t i = 0; i < kStepsMax && !input.empty(); ++i) Step(input, simulation, ledger, loop, channel);
  simulation.Heal();
  EXPECT_TRUE(simulation.RunUntil([&] { return ledger.AllOver(); }, absl::Seconds(20))) << "a call does not end";
  EXPECT_TRUE(simulation.RunUntil([&] { return ledger.handlers_running() == 0; }, absl::Seconds(30)));
  ledger.Check({.servers_went_away = simulation.occurred(Fault::Kind::kGoAway) > 0,
                .streams_were_reset = simulation.occurred(Fault::Kind::kStreamReset) > 0});
}

}  // namespace
}  // namespace weir::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const weir::testing::Watchdog watchdog;
  ::testing::TestPartResultArray results;
  {
    ::testing::ScopedFakeTestPartResultReporter reporter(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
    weir::testing::Input input(data, size);
    weir::testing::Play(input);
  }
  for (int i = 0; i < results.size(); ++i) std::cerr << results.GetTestPartResult(i) << "\n";
  weir::testing::Require(results.size() == 0, "an invariant of calls");
  return 0;
}
