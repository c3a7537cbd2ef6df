// HeldResponse: the time of a response that is finished but waits for its client's window.
//
// It ends with the call's deadline, or when the client has taken nothing for `timeout`; whatever it takes begins that time
// anew. Belongs to the stream (SendingWatch) and goes with it.
#pragma once

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "weir/rpc/core/deadline.h"
#include "weir/rpc/core/message_stream.h"
#include "weir/transport/io/event_loop.h"

namespace weir {

class HeldResponse final : public SendingWatch {
 public:
  // `give_up` is called once, at the end of the time, and is told why.
  HeldResponse(transport::EventLoop& loop, transport::MonotonicTime deadline, absl::Duration timeout,
               std::function<void(absl::Status)> give_up)
      : loop_(loop), deadline_(deadline), timeout_(timeout), timer_(loop, [this, give_up = std::move(give_up)] {
          if (loop_.Now() >= deadline_) return give_up(absl::DeadlineExceededError("the client reads too late"));
          give_up(absl::CancelledError("the client does not read"));
        }) {
    OnProgress();
  }

  void OnProgress() override { timer_.Set(std::min(deadline_, TimeAfter(loop_.Now(), timeout_))); }

 private:
  transport::EventLoop& loop_;
  const transport::MonotonicTime deadline_;
  const absl::Duration timeout_;
  transport::Timer timer_;
};

}  // namespace weir
