// Keepalive: when to send a PING, and when to give the peer up. The same on both sides (gRFC A8, A9).
//
//   kOff                                                          KeepaliveOptions::time is infinite
//   kWaiting --silent for `time`--> kPinged --a byte--> kWaiting
//      |  ^                            +--silent for `timeout`--> Act::kGiveUp
//      |  +--OnCall--+
//      +--no calls--> kAsleep                                     without_calls is false
//
// Looks at the time of the last read only when it is due: a byte that comes costs nothing.
#pragma once

#include <cstdint>

#include "weir/rpc/life/connection_options.h"
#include "weir/transport/io/executor.h"

namespace weir {

class Keepalive {
 public:
  enum class Act : uint8_t { kNone, kPing, kGiveUp };

  // What our PINGs carry.
  static constexpr uint64_t kOpaque = 0x776569722d6b6121;  // "weir-ka!"

  // The connection is there at `now`. `options` must outlive it.
  void Start(const KeepaliveOptions& options, transport::MonotonicTime now);

  // When OnTime is to be called next; max(): not before OnCall.
  transport::MonotonicTime due() const { return due_; }

  // `last_read`: when the last byte came. May be called early and late.
  Act OnTime(transport::MonotonicTime now, transport::MonotonicTime last_read, bool has_calls);

  bool is_asleep() const { return state_ == State::kAsleep; }
  // A call begins, and is_asleep(). kPing: before its HEADERS. due() has changed.
  Act OnCall(transport::MonotonicTime now, transport::MonotonicTime last_read);

 private:
  enum class State : uint8_t { kOff, kWaiting, kPinged, kAsleep };

  Act Ping(transport::MonotonicTime now);

  // No more than this, because every idle connection has it.
  const KeepaliveOptions* options_ = nullptr;
  transport::MonotonicTime due_ = transport::MonotonicTime::max();
  State state_ = State::kOff;
};

}  // namespace weir
