// Fault: one thing that goes wrong in a simulation, and when. A list of them follows from a seed; leaving one out
// changes none of the others, so that a list which makes a test fail can be made smaller.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "weir/testing/simulation/random.h"

namespace weir::testing {

struct Fault {
  enum class Kind : uint8_t {
    kStall,       // one direction of a connection delivers nothing for `length`
    kDelay,       // a connection is slower by `length` from now on
    kDribble,     // reads and writes of a connection are of `amount` octets at most, for `length`
    kReset,       // a connection is reset
    kCut,         // a connection is reset after `amount` more octets in one direction
    kHalfClose,   // one direction of a connection ends
    kRefuse,      // a server refuses connections for `length`
    kStop,        // a process is stopped for `length`
    kLateTimers,  // the timers of a process are late by `length`, until the faults are over
    kWallClock,   // the wall clock is set by `amount` seconds
    kDrain,       // a server drains its connections, and a new one takes over
    kKill,        // a server's process dies, and a new one takes over
    kGoAway,      // a server ends its connections and calls at once, with GOAWAY, and a new one takes over
    kSettings,    // a client is sent other SETTINGS for `length`: streams and windows shrink, to windows of `amount`
    kNoFiles,     // EMFILE: a process makes no connection and accepts none for `length`; they wait in its backlog
    kStreamReset,  // an open stream gets a RST_STREAM that its peer has not sent, by one end or both, with ErrorCodeOfReset
    kBusy,         // EAGAIN: a connection takes and gives nothing half of the times it could, for `length`
    kNoBuffers,  // ENOBUFS: one end of a connection cannot write any more
    kNames,      // lookups find some of the servers (not those in the bits of `amount`) or fail, for `length`
  };
  static constexpr int kKinds = 19;

  std::chrono::milliseconds at{};  // from the beginning of the faults
  Kind kind = Kind::kStall;
  uint64_t target = 0;  // which of the connections, servers or processes that there are then
  std::chrono::milliseconds length{};
  int64_t amount = 0;

  // kStreamReset: what the RST_STREAM says.
  uint32_t ErrorCodeOfReset() const;

  std::string ToString() const;
};

// At most `count`, in order of time.
std::vector<Fault> MakeFaults(SimulatedRandom random, std::chrono::milliseconds horizon, size_t count);

}  // namespace weir::testing
