// ConnectionLife: what is due on a server's connection, and when: its beginning, keepalive, idleness, age, drain.
//
//   accepted --SETTINGS--> --their ACK--> settled --max_idle, max_age, Server::Drain--> draining
//        handshake_timeout  settings_ack_timeout                  max_age_grace, the PING of the drain
//
// Pure: time is an argument, and whoever owns the connection does what it is told.
#pragma once

#include <cstdint>
#include <span>

#include "weir/rpc/life/connection_options.h"
#include "weir/rpc/life/keepalive.h"
#include "weir/rpc/life/settling.h"
#include "weir/transport/h2/event.h"
#include "weir/transport/io/executor.h"

namespace weir {

class ConnectionLife {
 public:
  enum class Act : uint8_t {
    kNone,
    kPing,         // Keepalive::kOpaque
    kNoAnswer,     // end it: to that PING
    kNoHandshake,  // end it: no SETTINGS in time
    kNoAck,        // end it: ours were not acknowledged
    kDrainIdle,    // drain it, and tell OnDrain
    kDrainOld,
    kGraceOver,    // end it: its calls have not, since kDrainOld
    kCountStalls,  // calls whose message does not go on: kStallsMax times in a row, and message_timeout has passed
    kFinishDrain,  // the last GOAWAY, without waiting for the ACK of the drain's PING any more
  };

  // A connection that was accepted at `now`. `chance`, -1 to 1, is its part of the 10 % by which ages differ.
  ConnectionLife(const ServerConnectionOptions& options, transport::MonotonicTime now, double chance);

  bool settled() const { return settling_.done(); }
  // While it is not settled.
  void OnEvents(std::span<const transport::H2Event> events, transport::MonotonicTime now);

  static constexpr size_t kStallsMax = 4;

  // No streams were seen when it last looked: it does not look for stalls until OnCall. due() has changed then.
  bool is_asleep() const { return asleep_; }
  void OnCall(transport::MonotonicTime now);

  // The last call has ended.
  void OnIdle(transport::MonotonicTime now) { idle_since_ = now; }

  // The first GOAWAY of a drain is queued.
  void OnDrain(transport::MonotonicTime now);

  // When OnTime is to be called next.
  transport::MonotonicTime due() const;
  // What is due at `now`; to be called until it is nothing. Nothing follows an act that ends the connection.
  Act OnTime(transport::MonotonicTime now, transport::MonotonicTime last_read, bool has_streams);

 private:
  Act End(Act act);

  const ServerConnectionOptions& options_;
  Keepalive keepalive_;
  Settling settling_;
  bool asleep_ = true;
  bool draining_ = false;
  bool too_old_ = false;
  transport::MonotonicTime settle_due_;
  transport::MonotonicTime stall_due_ = transport::MonotonicTime::max();
  transport::MonotonicTime idle_since_;
  transport::MonotonicTime idle_due_;
  transport::MonotonicTime age_due_;  // once too_old_: the end of its grace
  transport::MonotonicTime drain_ping_due_ = transport::MonotonicTime::max();
};

}  // namespace weir
