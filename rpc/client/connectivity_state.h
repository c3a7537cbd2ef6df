// ConnectivityState: what a channel, or one address of it, can do for a call now (gRPC connectivity-semantics-and-api).
//
//             wanted                   SETTINGS              lost, GOAWAY
//   kIdle --------------> kConnecting -----------> kReady ----------------> kIdle
//     ^                    |       ^
//     |             failed v       | wanted
//     +-- pause over -- kTransientFailure                  any --closed--> kShutdown
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

enum class ConnectivityState : uint8_t {
  kIdle,              // nobody has wanted a connection, or nobody does any more
  kConnecting,        // looks for addresses, or connects: calls wait
  kReady,             // calls go out
  kTransientFailure,  // the last attempts have failed: calls fail, or wait for the next one (CallOptions::WaitForReady)
  kShutdown,          // closed for good
};

// "IDLE", "CONNECTING", "READY", "TRANSIENT_FAILURE", "SHUTDOWN".
constexpr std::string_view ToString(ConnectivityState state) {
  switch (state) {
    case ConnectivityState::kIdle:
      return "IDLE";
    case ConnectivityState::kConnecting:
      return "CONNECTING";
    case ConnectivityState::kReady:
      return "READY";
    case ConnectivityState::kTransientFailure:
      return "TRANSIENT_FAILURE";
    case ConnectivityState::kShutdown:
      return "SHUTDOWN";
  }
  return "";
}

}  // namespace weir
