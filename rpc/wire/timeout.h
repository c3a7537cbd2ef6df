// The value of grpc-timeout: at most eight digits and a unit, "5S" or "250m" (gRPC over HTTP2, Requests).
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace weir::wire {

// Rounded UP to three significant digits, in the coarsest unit that loses nothing more: ParseTimeout(EncodeTimeout(d))
// is in [d, 1.01 d + 1ns].
// Up, because the client ends the call at its own deadline anyway, while a server that expires first would answer
// DEADLINE_EXCEEDED to a client that still had time. Three digits, as grpc C++ does, because what remains of a
// five-second deadline when the call starts (4.99987 s) would otherwise be a new value, and a new HPACK table entry,
// for every call; rounded, they are all "5S".
// The grammar wants a positive integer: zero and negative durations become "1n". More than 99999999 hours, infinity
// included, become that.
std::string EncodeTimeout(absl::Duration timeout);

// INTERNAL quoting the value if it is anything but one to eight digits and one of H M S m u n. Zero is accepted.
absl::StatusOr<absl::Duration> ParseTimeout(std::string_view value);

}  // namespace weir::wire
