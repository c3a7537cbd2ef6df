// grpc-status and grpc-message: the status of a call as header fields (gRPC over HTTP2, Responses).
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "weir/transport/h2/headers.h"

namespace weir::wire {

// A grpc-message is cut, between characters, so that its encoded form has no more bytes than this. Peers announce
// header lists of 8 KiB and up; a block over their limit would hide the code of the status as well.
inline constexpr size_t kGrpcMessageBytesMax = 4096;

// Appends grpc-status, always, and grpc-message, only when there is one and the status is not OK: some clients fail
// a call that has both status 0 and a message.
void EncodeGrpcStatus(const absl::Status& status, transport::HeaderList* out);

// The status in a block. UNKNOWN saying why if there is no grpc-status or it is not a number from 0 to 16. Of two, the
// first counts.
absl::Status DecodeGrpcStatus(const transport::HeaderList& fields);

}  // namespace weir::wire
