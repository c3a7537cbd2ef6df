// WriteStall: how long what a call has written may wait for its client's window, while its handler runs and after that.
//
// It ends when the client has taken nothing for `timeout`, or for a tenth of that while memory is short; or with the
// call's deadline. Whatever the client takes begins that time anew. Belongs to the stream (SendingWatch) and goes with
// it.
#pragma once

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "weir/rpc/core/deadline.h"
#include "weir/rpc/core/message_stream.h"
#include "weir/rpc/mux/memory_account.h"
#include "weir/transport/io/event_loop.h"
#include "weir/transport/memory/block_pool.h"

namespace weir {

class WriteStall final : public SendingWatch, public transport::Pooled {
 public:
  // `give_up` is called once, at the end of the time, and is told why. `deadline`: max() without one. `memory` is the
  // connection's.
  WriteStall(transport::EventLoop& loop, const mux::MemoryAccount& memory, transport::MonotonicTime deadline,
             absl::Duration timeout, std::function<void(absl::Status)> give_up)
      : loop_(loop),
        memory_(memory),
        deadline_(deadline),
        timeout_(timeout),
        give_up_(std::move(give_up)),
        timer_(loop, [this] { OnDue(); }) {
    OnProgress();
  }

  void OnProgress() override {
    since_ = loop_.Now();
    SetTimer();
  }

 private:
  absl::Duration ShortTimeout() const { return timeout_ / 10; }

  // Whether memory is short is looked up now and then: it may become so at any time.
  void SetTimer() {
    const transport::MonotonicTime end = std::min(deadline_, TimeAfter(since_, timeout_));
    timer_.Set(std::min(end, TimeAfter(loop_.Now(), ShortTimeout())));
  }
  void OnDue() {
    const transport::MonotonicTime now = loop_.Now();
    if (now >= deadline_) return give_up_(absl::DeadlineExceededError("the client reads too late"));
    constexpr std::string_view kText = "the client does not read: it has taken nothing for ";
    if (now >= TimeAfter(since_, timeout_)) {
      return give_up_(absl::CancelledError(absl::StrCat(std::string(kText), absl::FormatDuration(timeout_),
                                                        " (ServerOptions::stream_write_stall_timeout)")));
    }
    if (!memory_.is_short()) return SetTimer();
    give_up_(absl::CancelledError(
        absl::StrCat(std::string(kText), absl::FormatDuration(ShortTimeout()),
                     " while memory was short (a tenth of ServerOptions::stream_write_stall_timeout)")));
  }

  transport::EventLoop& loop_;
  const mux::MemoryAccount& memory_;
  const transport::MonotonicTime deadline_;
  const absl::Duration timeout_;
  const std::function<void(absl::Status)> give_up_;
  transport::Timer timer_;
  transport::MonotonicTime since_;  // when the client took something, or was to begin
};

}  // namespace weir
