#include "weir/rpc/server/cancellation.h"

#include <utility>

#include "weir/rpc/core/deadline.h"
#include "weir/rpc/server/server_context.h"

namespace weir {

CancelledOperation::CancelledOperation(ServerContext& context) : Operation(context.loop()), context_(context) {}

CancelledOperation::~CancelledOperation() {
  if (pending()) CancelledOperation::Forget();
}

void CancelledOperation::Forget() { context_.cancellation().Remove(*this); }

bool CancelledOperation::Begin() {
  if (context_.IsCancelled()) return true;
  context_.cancellation().Add(*this);
  return false;
}

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

void Cancellation::AddCallback(std::function<void()> callback) {
  std::list<std::stop_callback<std::function<void()>>> one;
  one.emplace_back(token(), std::move(callback));  // runs it if it is too late
  transport::MutexLock lock(mutex_);
  callbacks_.splice(callbacks_.end(), one);
}

void Cancellation::WakeWaiters() {
  // Each may end others when it resumes, and none is added any more.
  while (!waiters_.empty()) {
    CancelledOperation* const waiter = waiters_.front();
    waiters_.erase(waiters_.begin());
    waiter->OnCancelled();
  }
}

}  // namespace weir
