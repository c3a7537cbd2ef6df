#include "weir/rpc/server/cancellation.h"

#include <utility>

#include "weir/rpc/server/cancelled_operation.h"

namespace weir {

void Cancellation::AddCallback(std::function<void()> callback) {
  std::list<std::stop_callback<std::function<void()>>> one;
  one.emplace_back(token(), std::move(callback));  // runs it if it is too late
  transport::MutexLock lock(mutex_);
  callbacks_.splice(callbacks_.end(), one);
}

void Cancellation::Add(CancelledOperation& waiter) { waiters_.push_back(&waiter); }

void Cancellation::Remove(CancelledOperation& waiter) { std::erase(waiters_, &waiter); }

void Cancellation::WakeWaiters() {
  // Each may end others when it resumes, and none is added any more.
  while (!waiters_.empty()) {
    CancelledOperation* const waiter = waiters_.front();
    waiters_.erase(waiters_.begin());
    waiter->OnCancelled();
  }
}

}  // namespace weir
