// Cancellation: who wants to know that a call is cancelled. A call has one only if its handler asks.
//
// Two kinds of listeners: callbacks, which are set on any thread and may run on any; and operations that wait
// (cancelled_operation.h), which the loop alone knows.
#pragma once

#include <functional>
#include <list>
#include <stop_token>
#include <vector>

#include "weir/transport/io/mutex.h"

namespace weir {

class CancelledOperation;

class Cancellation {
 public:
  // ---- any thread
  std::stop_token token() const { return source_.get_token(); }
  void AddCallback(std::function<void()> callback);
  void RunCallbacks() { source_.request_stop(); }

  // ---- the loop
  void Add(CancelledOperation& waiter);
  void Remove(CancelledOperation& waiter);
  void WakeWaiters();

 private:
  std::stop_source source_;
  std::vector<CancelledOperation*> waiters_;
  transport::Mutex mutex_;
  std::list<std::stop_callback<std::function<void()>>> callbacks_ WEIR_GUARDED_BY(mutex_);
};

}  // namespace weir
