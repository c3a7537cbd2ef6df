// Status mapping: what HTTP statuses and HTTP/2 error codes mean as the status of a call, and back.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "weir/transport/h2/error_code.h"
#include "weir/transport/h2/event.h"
#include "weir/transport/h2/options.h"

namespace weir::wire {

// For a response without grpc-status (gRPC http-grpc-status-mapping.md): 400, 431 -> INTERNAL, 401 -> UNAUTHENTICATED,
// 403 -> PERMISSION_DENIED, 404 -> UNIMPLEMENTED, 429, 502, 503, 504 -> UNAVAILABLE, all else (200 too) -> UNKNOWN.
absl::StatusCode CodeFromHttp(int http_status);

// "ENHANCE_YOUR_CALM(11) "too_many_pings"": code and debug data.
std::string Describe(const transport::H2GoAway& goaway);

// The status of a call whose stream was reset (gRPC over HTTP2, Errors), with its Why. `goaway`: the peer's last one,
// or null. Says who did it:
//   "peer reset stream 5: CANCEL(8)"
// A stream that the peer says it never processed (REFUSED_STREAM, GOAWAY) is marked unprocessed: safe to retry.
// A caller that passed its own deadline says DEADLINE_EXCEEDED instead of the CANCELLED that a peer's CANCEL becomes.
absl::Status StatusFromReset(const transport::H2StreamReset& reset, const transport::H2GoAway* goaway = nullptr);

// RESOURCE_EXHAUSTED for a header block over our limits: `what` was too large, by how much, and the options of channel
// and server that set the limits.
absl::Status TooLarge(std::string_view what, const transport::BlockSize& block, const transport::H2Options& limits);

// The error code with which a stream is reset for `status`. REFUSED_STREAM promises the peer that nothing was processed
// and makes it repeat the call, so it is sent only for a status that is marked unprocessed, never for UNAVAILABLE
// alone.
transport::ErrorCode ResetFromStatus(const absl::Status& status);
transport::ErrorCode ResetFromStatus(absl::StatusCode code);

}  // namespace weir::wire
