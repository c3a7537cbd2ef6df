#include "weir/rpc/server/connection_life.h"

#include <algorithm>

#include "weir/rpc/core/deadline.h"

namespace weir {
namespace {

using transport::MonotonicTime;

// So that connections that were made together do not all come back together (gRFC A9).
constexpr double kAgeJitter = 0.1;

// How long a client may take to answer the PING of a drain before GOAWAY names the last stream all the same.
constexpr absl::Duration kDrainPingTimeout = absl::Seconds(5);

}  // namespace

ConnectionLife::ConnectionLife(const ServerConnectionOptions& options, MonotonicTime now, double chance)
    : options_(options),
      settle_due_(TimeAfter(now, options.handshake_timeout)),
      idle_since_(now),
      idle_due_(TimeAfter(now, options.max_idle)),
      age_due_(TimeAfter(now, options.max_age * (1 + kAgeJitter * chance))) {
  keepalive_.Start(options.keepalive, now);
}

void ConnectionLife::OnEvents(std::span<const transport::H2Event> events, MonotonicTime now) {
  const bool had_settings = settling_.has_settings();
  settling_.OnEvents(events);
  if (settled()) {
    settle_due_ = MonotonicTime::max();
  } else if (!had_settings && settling_.has_settings()) {
    settle_due_ = TimeAfter(now, options_.settings_ack_timeout);
  }
}

void ConnectionLife::OnCall(MonotonicTime now) {
  asleep_ = false;
  stall_due_ = TimeAfter(now, options_.message_timeout / kStallsMax);
}

void ConnectionLife::OnDrain(MonotonicTime now) {
  draining_ = true;
  idle_due_ = MonotonicTime::max();
  drain_ping_due_ = TimeAfter(now, kDrainPingTimeout);
}

MonotonicTime ConnectionLife::due() const {
  return std::min({settle_due_, stall_due_, keepalive_.due(), idle_due_, age_due_, drain_ping_due_});
}

ConnectionLife::Act ConnectionLife::OnTime(MonotonicTime now, MonotonicTime last_read, bool has_streams) {
  if (settle_due_ <= now) return End(settling_.has_settings() ? Act::kNoAck : Act::kNoHandshake);
  switch (keepalive_.OnTime(now, last_read, has_streams)) {
    case Keepalive::Act::kPing:
      return Act::kPing;
    case Keepalive::Act::kGiveUp:
      return End(Act::kNoAnswer);
    case Keepalive::Act::kNone:
      break;
  }
  if (drain_ping_due_ <= now) {
    drain_ping_due_ = MonotonicTime::max();
    return Act::kFinishDrain;
  }
  if (age_due_ <= now) {
    if (too_old_) return End(Act::kGraceOver);
    too_old_ = true;
    age_due_ = TimeAfter(now, options_.max_age_grace);
    // A drain that is under way already gets the same grace.
    if (!draining_) return Act::kDrainOld;
  }
  if (stall_due_ <= now) {
    stall_due_ = MonotonicTime::max();
    asleep_ = !has_streams;
    if (has_streams) {
      OnCall(now);
      return Act::kCountStalls;
    }
  }
  if (idle_due_ <= now) {
    idle_due_ = TimeAfter(has_streams ? now : idle_since_, options_.max_idle);
    if (idle_due_ <= now) return Act::kDrainIdle;
  }
  return Act::kNone;
}

ConnectionLife::Act ConnectionLife::End(Act act) {
  settle_due_ = stall_due_ = idle_due_ = age_due_ = drain_ping_due_ = MonotonicTime::max();
  keepalive_ = Keepalive();
  return act;
}

}  // namespace weir
