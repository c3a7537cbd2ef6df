// LargePool: memory of large buffers that come and go: what one read leaves over, encoded messages, output on its way.
//
// malloc gives large memory back to the system when it is freed at the end of the heap, and the next buffer is then
// paid for page by page: a third of the time of a call that carries 64 KiB. Here a thread keeps some.
//
// Four size classes in each doubling, so that at most a quarter is wasted. Bounded: a thread keeps kKeptBytesMax;
// blocks of other sizes make room for one that was used just now. Over kBytesMax, and under AddressSanitizer, nothing
// is kept.
#pragma once

#include <cstddef>

namespace weir::transport {

class LargePool {
 public:
  static constexpr size_t kBytesMin = 4096;                 // classes begin above it: below is BlockPool's
  static constexpr size_t kBytesMax = size_t{2} << 20;      // larger blocks are not pooled
  static constexpr size_t kKeptBytesMax = size_t{4} << 20;  // per thread

  static void* Allocate(size_t bytes);
  static void Free(void* memory, size_t bytes) noexcept;

  // For tests: what the calling thread keeps for later.
  static size_t KeptBytes() noexcept;
};

}  // namespace weir::transport
