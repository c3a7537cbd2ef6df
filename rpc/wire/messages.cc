#include "weir/rpc/wire/messages.h"

#include <utility>

#include "weir/rpc/core/status.h"

namespace weir {

void wire::GiveBack(Call& call, const OutgoingMessage& message) {
  if (absl::StatusOr<transport::SharedBytes> framed = message.Encode(); framed.ok()) {
    call.GiveBack(*std::move(framed));
  }
}

ReceiveOneOperation::~ReceiveOneOperation() {
  if (pending()) call_.StopReceiving(*this);  // what has a message to give back is gone
}

bool ReceiveOneOperation::Begin() { return call_.Receive(*this); }

// It may be between the message and the end of the half.
void ReceiveOneOperation::Forget() {
  call_.StopReceiving(*this);
  if (received_) GiveBackMessage();
}

void ReceiveOneOperation::OnNoMemory() {
  result_ = OutOfMemory();
  call_.OnNoMemory();
}

absl::StatusOr<bool> ReceiveOneOperation::OnPayload(const transport::ChunkedBytes& payload) {
  // What gRPC's status codes say of a cardinality violation.
  if (received_)
    return absl::UnimplementedError("expected exactly one message on this half of the call, got a second one");
  received_ = true;
  absl::Status decoded = Decode(payload);
  if (!decoded.ok()) return decoded;
  return true;  // the end must follow
}

void ReceiveOneOperation::OnReceived() { Complete(); }

void ReceiveOneOperation::OnNoMore() {
  if (!call_.end_status().ok()) {
    result_ = Unshared(call_.end_status());
  } else if (!received_) {
    result_ =
        call_.Explained(absl::UnimplementedError("expected exactly one message on this half of the call, got none"));
  }
}

}  // namespace weir
