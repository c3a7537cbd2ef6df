// FramePool: memory of coroutine frames, from free lists of the calling thread.
//
// A call makes the same few frames again and again, and frees each before it makes the next of that size, so the frame
// is taken while it is still in the cache. Frames over 4 KiB come from operator new as usual. A frame may be freed on
// another thread than the one that made it; it then joins that thread's list.
//
// Bounded: each size class keeps at most kClassBytesMax of free memory, a thread 2 MiB in all; a thread's lists are
// freed when it exits. Under AddressSanitizer nothing is pooled, so that a use after free is seen.
#pragma once

#include <cstddef>

namespace weir::internal {

class FramePool {
 public:
  static constexpr size_t kClassStep = 64;           // size classes: 64, 128, ... bytes
  static constexpr size_t kPooledBytesMax = 4096;    // larger frames are not pooled
  static constexpr size_t kClassBytesMax = 32 << 10; // free memory kept per size class and thread

  static void* Allocate(size_t bytes);
  static void Free(void* frame, size_t bytes) noexcept;

  // For tests: what the calling thread keeps for later.
  static size_t FreeBytes() noexcept;
  static bool Enabled() noexcept;  // false under AddressSanitizer
};

}  // namespace weir::internal
