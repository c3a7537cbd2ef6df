#include "weir/rpc/core/outgoing_message.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace weir {

absl::StatusOr<transport::SharedBytes> OutgoingMessage::Encode(const Compressor* compressor) const {
  const size_t bytes = FramedBytes();
  if (bytes > kFramedBytesMax) {
    return absl::ResourceExhaustedError(absl::StrCat("message to be sent: expected at most ", kFramedBytesMax,
                                                     " bytes with its prefix, got ", bytes, "; send it in parts"));
  }
  char* room = nullptr;
  transport::SharedBytes framed = transport::SharedBytes::Make(bytes, &room);
  Write(room);
  if (compressor != nullptr && codec_->compress != nullptr) return codec_->compress(std::move(framed), *compressor);
  return framed;
}

}  // namespace weir
