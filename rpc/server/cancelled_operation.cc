#include "weir/rpc/server/cancelled_operation.h"

#include "weir/rpc/core/deadline.h"
#include "weir/rpc/core/task.h"
#include "weir/rpc/server/cancellation.h"
#include "weir/rpc/server/server_context.h"

namespace weir {
namespace {

Task<void> AsTask(CancelledOperation& operation) { co_await operation; }
Task<bool> AsTask(SleepOperation& operation) { co_return co_await operation; }

}  // namespace

CancelledOperation::CancelledOperation(ServerContext& context) : Operation(context.loop()), context_(context) {}

CancelledOperation::~CancelledOperation() {
  if (pending()) CancelledOperation::Forget();
}

void CancelledOperation::Wait() { AsTask(*this).Wait(); }

void CancelledOperation::Forget() { context_.cancellation().Remove(*this); }

bool CancelledOperation::Begin() {
  if (context_.IsCancelled()) return true;
  context_.cancellation().Add(*this);
  return false;
}

bool SleepOperation::Wait() { return AsTask(*this).Wait(); }

bool SleepOperation::Begin() {
  if (CancelledOperation::Begin()) return true;
  timer_.emplace(context_.loop(), [this] {
    Forget();
    slept_ = true;
    Complete();
  });
  timer_->Set(TimeAfter(context_.loop().Now(), duration_));
  return false;
}

void SleepOperation::Forget() {
  timer_->Cancel();
  CancelledOperation::Forget();
}

void SleepOperation::OnCancelled() {
  timer_->Cancel();
  Complete();
}

}  // namespace weir
