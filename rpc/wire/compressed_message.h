// Compressed messages: the payload of an envelope whose flag is 1.
//
// gRPC over HTTP2, Length-Prefixed-Message: "Compression contexts are NOT maintained over message boundaries". So each
// message stands for itself, and messages that are not compressed may come between.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/rpc/core/compressor.h"
#include "weir/transport/memory/shared_bytes.h"

namespace weir::wire {

// A message with its envelope -> the same, compressed. One that does not get smaller stays as it is, with its flag 0,
// as in gRPC's C core. INTERNAL if the compressor fails.
absl::StatusOr<transport::SharedBytes> CompressFramed(transport::SharedBytes framed, const Compressor& compressor);

// The payload of an envelope whose flag is 1 -> *message, which is overwritten. `compressor` null: the call has no
// grpc-encoding. INTERNAL naming encoding and fault; RESOURCE_EXHAUSTED for a message over `message_bytes_max` (the
// option max_receive_message_bytes), of which no more than that has been made.
absl::Status Decompress(std::string_view payload, const Compressor* compressor, size_t message_bytes_max,
                        std::string* message);

}  // namespace weir::wire
