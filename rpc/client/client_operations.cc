#include "weir/rpc/client/client_operations.h"

#include "weir/rpc/client/client_call.h"
#include "weir/rpc/core/status.h"

namespace weir {
namespace {

Task<absl::Status> AsTask(FinishOperation& operation) { co_return co_await operation; }
Task<Metadata> AsTask(MetadataOperation& operation) { co_return co_await operation; }

}  // namespace

FinishOperation::FinishOperation(ClientCall& call) : Operation(call.loop()), call_(call) {}

FinishOperation::~FinishOperation() {
  if (pending() && call_.finish_waiter_ == this) FinishOperation::Forget();
}

bool FinishOperation::Begin() {
  if (!call_.ended() && !call_.has_receiver()) call_.Receive(call_);  // discards what nobody reads
  if (!call_.ended()) {
    call_.finish_waiter_ = this;
    return false;
  }
  result_ = Unshared(call_.end_status());
  return true;
}

void FinishOperation::Forget() {
  call_.finish_waiter_ = nullptr;
  call_.StopReceiving(call_);  // messages are for readers again
}

void FinishOperation::OnNoMemory() {
  result_ = OutOfMemory();
  call_.OnNoMemory();
}

absl::Status FinishOperation::Wait() {
  absl::Status may_block = call_.MayBlock("Finish().Wait()");
  if (!may_block.ok()) return may_block;
  return AsTask(*this).Wait();
}

MetadataOperation::MetadataOperation(ClientCall& call) : Operation(call.loop()), call_(call) {}

MetadataOperation::~MetadataOperation() {
  if (pending() && call_.metadata_waiter_ == this) MetadataOperation::Forget();
}

bool MetadataOperation::Begin() {
  if (call_.initial_received_ || call_.ended()) {
    result_ = call_.initial_;
    return true;
  }
  call_.metadata_waiter_ = this;
  return false;
}

void MetadataOperation::Forget() { call_.metadata_waiter_ = nullptr; }

Metadata MetadataOperation::Wait() {
  if (!call_.MayBlock("InitialMetadata().Wait()").ok()) return Metadata();
  return AsTask(*this).Wait();
}

}  // namespace weir
