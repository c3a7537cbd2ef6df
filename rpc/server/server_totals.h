// ServerTotals: what all connections of a server have together, and LoopTotals: those of one loop; both bounded.
#pragma once

#include "weir/rpc/mux/memory_account.h"
#include "weir/rpc/server/call_limit.h"

namespace weir {

struct ServerTotals {
  ServerTotals(mux::MemoryCeilings ceilings, size_t calls_max) : memory(ceilings), calls(calls_max) {}

  mux::MemoryTotal memory;
  CallLimit calls;
};

struct LoopTotals {
  // Of `server`, which must outlive it.
  explicit LoopTotals(ServerTotals& server) : memory(server.memory), calls(server.calls) {}

  mux::LoopMemory memory;
  LoopCalls calls;
};

}  // namespace weir
