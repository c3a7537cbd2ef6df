// MemoryUse: what waits on a server's connections because of their clients, and what its ceilings have done about it
// (ServerOptions::memory_soft_bytes and memory_hard_bytes, and those of ServerOptions::connection).
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir {

struct MemoryUse {
  // Now, on all connections; in steps of 64 KiB for each loop.
  size_t held_bytes = 0;

  // How often since the server was made:
  uint64_t deferred_calls = 0;        // calls began later, because of connection.memory_soft_bytes
  uint64_t rationed_connections = 0;  // windows of a connection shrank, because of either
  uint64_t ended_connections = 0;     // connections ended, because of connection.memory_hard_bytes
  uint64_t ended_by_all = 0;          // connections ended, because of memory_hard_bytes
};

}  // namespace weir
