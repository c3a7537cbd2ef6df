// A call of each kind, whose connection is cut after every octet in turn, in either direction: whatever had arrived by
// then, the call ends once, and by the rules.
#include <string>

#include "gtest/gtest.h"
#include "weir/testing/simulation.h"
#include "weir/tests/sim/calls.h"

namespace weir::testing {
namespace {

class EveryCutTest : public ::testing::TestWithParam<CallKind> {};

// True if the cut came before the call had ended.
bool CutAt(CallKind kind, int direction, uint64_t offset) {
  Simulation simulation({.seed = 1});
  auto& ledger = simulation.Make<Ledger>();
  auto& service = simulation.Make<LedgerService>(ledger);
  SimulatedServer& server = simulation.Serve("server", service);
  Channel& channel = simulation.Connect("client", server);
  CallRecord& record = ledger.Add();
  record.kind = kind;
  record.messages = 3;
  record.message_bytes = 40;
  record.timeout = absl::Seconds(5);
  HoldAlways(simulation, simulation.loop("client"), ledger);
  StartCall(simulation, simulation.loop("client"), channel, record);
  simulation.RunUntil([&] { return !simulation.wires().empty(); }, absl::Seconds(1));
  const std::shared_ptr<Wire> wire = simulation.wires().front();
  wire->CutAt(direction, offset);
  EXPECT_TRUE(simulation.RunUntil([&] { return ledger.AllOver(); }, absl::Seconds(6)));
  simulation.RunFor(absl::Seconds(10));
  EXPECT_EQ(ledger.handlers_running(), 0);
  ledger.Check({});
  EXPECT_FALSE(record.status.code() == absl::StatusCode::kDeadlineExceeded) << "a lost connection is known at once";
  return wire->over();
}

TEST_P(EveryCutTest, EndsTheCallByTheRules) {
  for (int direction : {0, 1}) {
    uint64_t offset = 0;
    while (CutAt(GetParam(), direction, offset)) {
      ASSERT_FALSE(HasFailure()) << "direction " << direction << ", offset " << offset;
      ++offset;
    }
    EXPECT_GT(offset, 100u);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryCutTest,
                         ::testing::Values(CallKind::kUnary, CallKind::kClientStream, CallKind::kServerStream,
                                           CallKind::kBidi));

}  // namespace
}  // namespace weir::testing
