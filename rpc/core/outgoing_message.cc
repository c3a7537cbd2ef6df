#include "weir/rpc/core/outgoing_message.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace weir {

absl::StatusOr<transport::SharedBytes> OutgoingMessage::Encode(const Compressor* compressor,
                                                               uint32_t framed_bytes_max) const {
  const size_t bytes = FramedBytes();
  if (bytes > framed_bytes_max) {
    const size_t limit = framed_bytes_max - kPrefixBytes;
    return absl::ResourceExhaustedError(absl::StrCat(
        "message to be sent of ", bytes - kPrefixBytes, " bytes is over the limit of ", limit, " bytes (",
        framed_bytes_max == kFramedBytesMax ? "the most that can be sent" : "option max_send_message_bytes",
        "); send it in parts"));
  }
  char* room = nullptr;
  transport::SharedBytes framed = transport::SharedBytes::Make(bytes, &room);
  Write(room);
  if (compressor != nullptr && codec_->compress != nullptr) return codec_->compress(std::move(framed), *compressor);
  return framed;
}

}  // namespace weir
