// TimedOperation: an operation that may take so long and no longer.
//
//   std::optional<Reply> reply = co_await call.Read().Within(absl::Seconds(5));
//   const bool taken = co_await out.Write(message).Within(absl::Seconds(5));
//
// When the time is over the call ends with DEADLINE_EXCEEDED, which says what waited how long, and the operation with
// it. On a server that is the call's status. An operation that completes at once sets no timer.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "weir/rpc/core/call.h"

namespace weir {

template <class Op>
class [[nodiscard]] TimedOperation final : public Op {
 public:
  // `what` waits, for messages: of static storage. `args` make the Op.
  template <class... Args>
  TimedOperation(Call& call, absl::Duration limit, std::string_view what, Args&&... args)
      : Op(std::forward<Args>(args)...), timed_call_(call), limit_(limit), what_(what) {}

 private:
  bool Begin() override {
    if (Op::Begin()) return true;
    if (limit_ == absl::InfiniteDuration()) return false;
    timer_ = timed_call_.FailAfter(limit_, what_);
    this->StopTimerAtEnd();
    return false;
  }
  void StopTimer() override { timer_.reset(); }

  Call& timed_call_;
  const absl::Duration limit_;
  const std::string_view what_;
  std::shared_ptr<void> timer_;
};

}  // namespace weir
