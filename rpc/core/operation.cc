#include "weir/rpc/core/operation.h"

namespace weir {

void Operation::await_suspend(std::coroutine_handle<> waiter) {
  resumption_ = Resumption(waiter);
  if (begun_) return;
  // From here on the operation may complete, and be destroyed, on the loop's thread.
  loop_.Post([this] {
    if (BeginHere()) Complete();
  });
}

}  // namespace weir
