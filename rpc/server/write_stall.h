// WriteStall: how long what a call has written may wait for its client's window, while its handler runs and after that.
//
// It ends when the client has taken nothing for `timeout`, or with the call's deadline; whatever the client takes
// begins that time anew. Belongs to the stream (SendingWatch) and goes with it.
#pragma once

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "weir/rpc/core/deadline.h"
#include "weir/rpc/core/message_stream.h"
#include "weir/transport/io/event_loop.h"
#include "weir/transport/memory/block_pool.h"

namespace weir {

class WriteStall final : public SendingWatch, public transport::Pooled {
 public:
  // `give_up` is called once, at the end of the time, and is told why. `deadline`: max() without one.
  WriteStall(transport::EventLoop& loop, transport::MonotonicTime deadline, absl::Duration timeout,
             std::function<void(absl::Status)> give_up)
      : loop_(loop), deadline_(deadline), timeout_(timeout), give_up_(std::move(give_up)), timer_(loop, [this] {
          OnDue();
        }) {
    OnProgress();
  }

  void OnProgress() override { timer_.Set(std::min(deadline_, TimeAfter(loop_.Now(), timeout_))); }

 private:
  void OnDue() {
    if (loop_.Now() >= deadline_) return give_up_(absl::DeadlineExceededError("the client reads too late"));
    give_up_(absl::CancelledError(absl::StrCat("the client does not read: it has taken nothing for ",
                                               absl::FormatDuration(timeout_),
                                               " (ServerOptions::stream_write_stall_timeout)")));
  }

  transport::EventLoop& loop_;
  const transport::MonotonicTime deadline_;
  const absl::Duration timeout_;
  const std::function<void(absl::Status)> give_up_;
  transport::Timer timer_;
};

}  // namespace weir
