// RunCallback: how implementations of EventLoop run each thing that they run.
//
// A callback that finds no memory (std::bad_alloc) is over, and the loop goes on: what it was doing is ended by its
// owner. Any other exception ends the process. Not in event_loop.h, which programs without exceptions include.
#pragma once

#include <new>
#include <utility>

namespace weir::transport {

template <class Callback>
void RunCallback(Callback&& callback) {
  try {
    std::forward<Callback>(callback)();
  } catch (const std::bad_alloc&) {
  }
}

}  // namespace weir::transport
