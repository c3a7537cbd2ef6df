#include "weir/rpc/wire/messages.h"

namespace weir {

ReceiveOneOperation::~ReceiveOneOperation() {
  if (pending()) call_.StopReceiving(*this);
}

absl::StatusOr<bool> ReceiveOneOperation::OnPayload(std::string_view payload) {
  // "UNIMPLEMENTED: some required number of messages was not respected" (statuscodes, cardinality violations).
  if (received_)
    return absl::UnimplementedError("expected exactly one message on this half of the call, got a second one");
  received_ = true;
  absl::Status decoded = wire::DecodeMessage(payload, &message_);
  if (!decoded.ok()) return decoded;
  return true;  // the end must follow
}

void ReceiveOneOperation::OnNoMore() {
  if (!call_.end_status().ok()) {
    result_ = call_.end_status();
  } else if (!received_) {
    result_ = absl::UnimplementedError("expected exactly one message on this half of the call, got none");
  }
}

}  // namespace weir
