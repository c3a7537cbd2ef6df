#include "weir/rpc/core/operation.h"

#include <new>

namespace weir {

void Operation::await_suspend(std::coroutine_handle<> waiter) {
  resumption_ = Resumption(waiter);
  if (begun_) return;
  // From here on the operation may complete, and be destroyed, on the loop's thread.
  loop_.Post([this] { BeginFromElsewhere(); });
}

void Operation::BeginFromElsewhere() {
  try {
    if (BeginHere()) Complete();
  } catch (const std::bad_alloc&) {
    // On its own loop the waiter would get the exception; here there is nobody above but the loop.
    Forget();
    OnNoMemory();
    Complete();
  }
}

}  // namespace weir
