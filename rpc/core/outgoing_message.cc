#include "weir/rpc/core/outgoing_message.h"

#include "absl/strings/str_cat.h"

namespace weir {

absl::StatusOr<transport::SharedBytes> OutgoingMessage::Encode() const {
  const size_t bytes = FramedBytes();
  if (bytes > kFramedBytesMax) {
    return absl::ResourceExhaustedError(absl::StrCat("message to be sent: expected at most ", kFramedBytesMax,
                                                     " bytes with its prefix, got ", bytes, "; send it in parts"));
  }
  char* room = nullptr;
  transport::SharedBytes framed = transport::SharedBytes::Make(bytes, &room);
  Write(room);
  return framed;
}

}  // namespace weir
