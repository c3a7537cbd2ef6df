// Both sides of the calls of a Ledger: the service, and the coroutines that make them.
#pragma once

#include <optional>
#include <string>

#include "tests/benchmark/bench.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/core/task.h"
#include "weir/rpc/server/server_context.h"
#include "weir/testing/simulation.h"
#include "weir/tests/sim/ledger.h"

namespace weir::testing {

// Does for each call what its record says, and writes down what it saw.
class LedgerService final : public bench::EchoService {
 public:
  explicit LedgerService(Ledger& ledger) : ledger_(ledger) {}

  Task<absl::StatusOr<bench::Payload>> Unary(ServerContext& context, const bench::Payload& request) override;
  Task<absl::Status> ServerStream(ServerContext& context, const bench::StreamRequest& request,
                                  Writer<bench::Payload>& writer) override;
  Task<absl::StatusOr<bench::Summary>> ClientStream(ServerContext& context, Reader<bench::Payload>& reader) override;
  Task<absl::Status> BidiEcho(ServerContext& context, Reader<bench::Payload>& reader,
                              Writer<bench::Payload>& writer) override;

 private:
  Ledger& ledger_;
};

// The call of a record, for the loop of `channel`, which has to run it.
Task<void> MakeCall(Simulation& simulation, SimulatedLoop& loop, Channel& channel, CallRecord& record);
// From now on, at every event: what must hold at any time of the calls of `ledger`, which are made on `loop`.
void HoldAlways(Simulation& simulation, const SimulatedLoop& loop, const Ledger& ledger);
// Makes it there.
void StartCall(Simulation& simulation, SimulatedLoop& loop, Channel& channel, CallRecord& record);

}  // namespace weir::testing
