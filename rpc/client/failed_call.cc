#include "weir/rpc/client/failed_call.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/status.h"

namespace weir {

absl::Status FailedCall::Explain(const absl::Status& status, Why::By by) const {
  const std::optional<Why> known = WhyOf(status);
  Why why = known.value_or(Why{.by = by});
  // Everything else that a peer may decide is said by HTTP/2.
  const bool servers_own = why.by == Why::By::kPeer && why.http2.empty();
  // A channel that could not connect knows better how far it came.
  if (sent || why.phase == Why::Phase::kStart) why.phase = phase;
  if (!sent) {
    why.processed = Why::Processed::kNo;
  } else if (why.processed != Why::Processed::kNo && (answered || servers_own)) {
    why.processed = Why::Processed::kYes;
  }
  why.attempt = attempt;
  why.method = std::string(method);
  why.target = std::string(target);
  if (!peer.empty()) why.peer = std::string(peer);
  why.elapsed = absl::Trunc(elapsed, absl::Microseconds(1));
  if (servers_own) return WithWhy(status, why);

  std::string text = absl::StrCat(why.method, " to ", why.target);
  if (sent && !why.peer.empty() && why.peer != why.target) absl::StrAppend(&text, " (", why.peer, ")");
  absl::Status told(status.code(), absl::StrCat(text, ": ", status.message()));
  SetEncodedDetails(&told, EncodedDetails(status));
  return WithWhy(std::move(told), why);
}

const char* DuringPhase(Why::Phase phase) {
  switch (phase) {
    case Why::Phase::kStart:
      return "before the call was sent";
    case Why::Phase::kResolve:
      return "while the target's name was resolved";
    case Why::Phase::kConnect:
      return "while connecting";
    case Why::Phase::kQueue:
      return "while waiting for a place on the connection: the server allows no more calls at a time";
    case Why::Phase::kCredentials:
      return "while waiting for its call credentials";
    case Why::Phase::kHeaders:
      return "while waiting for the response";
    case Why::Phase::kBody:
    case Why::Phase::kTrailers:
      return "in the middle of the response";
  }
  return "";
}

}  // namespace weir
