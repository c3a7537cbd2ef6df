// Helpers for absl::Status, which is the status of a call: its codes are gRPC's, number by number.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace weir {

// Marks a failure of a call that the server never processed (GOAWAY, REFUSED_STREAM, never sent): it is safe to repeat
// whatever its method does. A part of its Why (why.h), which every layer passes on unchanged. OK stays OK.
absl::Status MarkUnprocessed(absl::Status status);
bool IsUnprocessed(const absl::Status& status);

// The same status, sharing no memory with `status`: for handing it to another thread. The reference count inside of a
// shared one is atomic, but lives in the system's libabsl, where ThreadSanitizer cannot see it.
absl::Status Unshared(const absl::Status& status);

// RESOURCE_EXHAUSTED, "out of memory": where std::bad_alloc ends a call. Without the text if there is no memory for it.
absl::Status OutOfMemory() noexcept;

// What a status says beside its code and text: an encoded google.rpc.Status, opaque here, which travels as
// grpc-status-details-bin. One payload of the status, so that absl's order of payloads never reaches the wire. OK has
// none; empty bytes take them away. Typed access: weir/rpc/details/status_details.h.
void SetEncodedDetails(absl::Status* status, std::string_view google_rpc_status);
std::string EncodedDetails(const absl::Status& status);  // empty: none

// The number of grpc-status, 0 (OK) to 16 (UNAUTHENTICATED), and back; what is not such a number becomes UNKNOWN
// (gRPC statuscodes.md: "Error parsing returned status | UNKNOWN").
absl::StatusCode CodeFromGrpcNumber(uint64_t number);
int GrpcNumberFromCode(absl::StatusCode code);

}  // namespace weir
