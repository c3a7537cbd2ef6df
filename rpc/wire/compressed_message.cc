#include "weir/rpc/wire/compressed_message.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/wire/envelope.h"

namespace weir::wire {

absl::StatusOr<transport::SharedBytes> CompressFramed(transport::SharedBytes framed, const Compressor& compressor) {
  std::string compressed(kEnvelopeHeaderBytes, '\0');
  absl::Status done = compressor.Compress(framed.bytes.substr(kEnvelopeHeaderBytes), &compressed);
  if (!done.ok()) {
    return absl::InternalError(absl::StrCat("message of ", framed.bytes.size() - kEnvelopeHeaderBytes,
                                            " bytes cannot be compressed by ", std::string(compressor.name()), ": ",
                                            done.message()));
  }
  if (compressed.size() >= framed.bytes.size()) return framed;
  PutEnvelopeHeader(compressed.data(), /*compressed=*/true,
                    static_cast<uint32_t>(compressed.size() - kEnvelopeHeaderBytes));
  return transport::SharedBytes::Of(std::move(compressed));
}

absl::Status Decompress(std::string_view payload, const Compressor* compressor, size_t message_bytes_max,
                        std::string* message) {
  message->clear();
  // gRPC compression.md: "An ill-constructed message with its Compressed-Flag bit set but lacking a grpc-encoding entry
  // different from identity in its metadata MUST fail with INTERNAL status".
  if (compressor == nullptr) {
    return absl::InternalError("message has its compressed flag set, but the call has no grpc-encoding");
  }
  if (payload.empty()) return absl::OkStatus();  // gRPC's C core takes it for an empty message, whatever its flag
  // A compressor may add 1.
  const size_t bytes_max = std::min(message_bytes_max, std::numeric_limits<size_t>::max() - 1);
  const absl::Status done = compressor->Decompress(payload, bytes_max, message);
  if (!done.ok()) {
    return absl::InternalError(absl::StrCat("message of ", payload.size(), " bytes in grpc-encoding ",
                                            std::string(compressor->name()), ": ", done.message()));
  }
  if (message->size() > message_bytes_max) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "message of ", payload.size(), " bytes in grpc-encoding ", std::string(compressor->name()),
        " is over the limit of ", message_bytes_max, " bytes when decompressed (option max_receive_message_bytes)"));
  }
  return absl::OkStatus();
}

}  // namespace weir::wire
