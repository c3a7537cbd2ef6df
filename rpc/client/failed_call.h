// FailedCall: where a call of a client was when it failed, and the status that its caller gets.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "weir/rpc/core/why.h"

namespace weir {

// Views: for the time of one call of the functions below.
struct FailedCall {
  std::string_view method;  // "/package.Service/Method"
  std::string_view target;  // as given to the channel
  std::string_view peer;    // empty: the call never got to a connection
  Why::Phase phase = Why::Phase::kStart;
  int attempt = 1;
  absl::Duration elapsed;
  bool sent = false;      // a stream was opened
  bool answered = false;  // a response head had come

  // `status` as the caller gets it. What the layers below have said of the why is kept, and completed; if they said
  // nothing, it was `by`. The text then says which call of what failed, but for the status that the server itself sent
  // (by kPeer, and not by means of HTTP/2): that is passed on to the letter.
  absl::Status Explain(const absl::Status& status, Why::By by) const;
};

// "while connecting": for the text of a deadline that passed in this phase.
const char* DuringPhase(Why::Phase phase);

}  // namespace weir
