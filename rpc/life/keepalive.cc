#include "weir/rpc/life/keepalive.h"

#include "weir/rpc/core/deadline.h"

namespace weir {

using transport::MonotonicTime;

void Keepalive::Start(const KeepaliveOptions& options, MonotonicTime now) {
  options_ = &options;
  due_ = TimeAfter(now, options.time);
  state_ = due_ == MonotonicTime::max() ? State::kOff : State::kWaiting;
}

Keepalive::Act Keepalive::OnTime(MonotonicTime now, MonotonicTime last_read, bool has_calls) {
  if (now < due_) return Act::kNone;
  if (state_ == State::kOff) return Act::kNone;
  // The last read is earlier than the PING, by `time`: a byte that comes at the PING's very time answers.
  const bool answered = TimeAfter(last_read, options_->timeout) >= due_;
  if (state_ == State::kPinged && !answered) return Act::kGiveUp;
  state_ = State::kWaiting;
  due_ = TimeAfter(last_read, options_->time);
  if (now < due_) return Act::kNone;
  if (has_calls || options_->without_calls) return Ping(now);
  state_ = State::kAsleep;
  due_ = MonotonicTime::max();
  return Act::kNone;
}

Keepalive::Act Keepalive::OnCall(MonotonicTime now, MonotonicTime last_read) {
  state_ = State::kWaiting;
  due_ = TimeAfter(last_read, options_->time);
  // gRFC A8: a connection that was silent for longer than that is asked first.
  return now < due_ ? Act::kNone : Ping(now);
}

Keepalive::Act Keepalive::Ping(MonotonicTime now) {
  state_ = State::kPinged;
  due_ = TimeAfter(now, options_->timeout);
  return Act::kPing;
}

}  // namespace weir
