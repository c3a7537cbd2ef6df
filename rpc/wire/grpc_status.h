// grpc-status, grpc-message and grpc-status-details-bin: the status of a call as header fields (gRPC over HTTP2,
// Responses; Status-Details).
//
// The details are an encoded google.rpc.Status, whose code and text repeat those of the other two fields. What is
// inside is not looked at here: if they differ, grpc-status and grpc-message count ("If it contains a status code
// field, it MUST NOT contradict the Status header").
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "weir/transport/h2/headers.h"

namespace weir::wire {

// A grpc-message is cut, between characters, so that its encoded form has no more bytes than this. Peers announce
// header lists of 8 KiB and up; a block over their limit would hide the code of the status as well.
inline constexpr size_t kGrpcMessageBytesMax = 4096;

// Appends grpc-status, always; grpc-message and grpc-status-details-bin only when there are any and the status is not
// OK: some clients fail a call that has both status 0 and a message.
void EncodeGrpcStatus(const absl::Status& status, transport::HeaderList* out);

// Copies a block without what its status can do without, the details: for a peer to which the block is too long. False,
// and nothing is copied, if there are none.
bool DropStatusDetails(const transport::HeaderList& block, transport::HeaderList* out);

// The status in a block. UNKNOWN saying why if there is no grpc-status or it is not a number from 0 to 16. Of two, the
// first counts. Details that are not base64 are dropped, alone.
absl::Status DecodeGrpcStatus(const transport::HeaderList& fields);

}  // namespace weir::wire
