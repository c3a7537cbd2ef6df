// BlockPool: memory of small objects that come and go with every call, from free lists of the calling thread: coroutine
// frames, streams, calls, header blocks, and what the HTTP/2 engine allocates.
//
// A call makes the same few objects again and again, and frees each before it makes the next of that size, so a block
// is taken while it is still in the cache. Blocks over 4 KiB come from LargePool. A block may be freed on another
// thread than the one that made it; it then joins that thread's list.
//
// Bounded: each size class keeps at most kClassBytesMax of free memory, a thread 8 MiB in all; a thread's lists are
// freed when it exits. Under AddressSanitizer nothing is pooled, so that a use after free is seen.
//
// Inline, because `bytes` is a constant in most places: an allocation is five instructions then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "weir/transport/memory/large_pool.h"

namespace weir::transport {

class BlockPool {
 public:
  static constexpr size_t kClassStep = 64;             // size classes: 64, 128, ... bytes
  static constexpr size_t kPooledBytesMax = 4096;      // larger blocks are LargePool's
  static constexpr size_t kClassBytesMax = 128 << 10;  // free memory kept per size class and thread

#if defined(__SANITIZE_ADDRESS__)
  static constexpr bool kEnabled = false;
#elif defined(__has_feature)
  static constexpr bool kEnabled = !__has_feature(address_sanitizer);
#else
  static constexpr bool kEnabled = true;
#endif

  static void* Allocate(size_t bytes) {
    if (bytes > kPooledBytesMax) return LargePool::Allocate(bytes);
    const size_t size_class = ClassOf(bytes);
    FreeBlock* const block = lists_.head[size_class];
    // Rounded up even where nothing is pooled: a program may mix objects compiled with and without the sanitizer.
    if (!kEnabled || block == nullptr) return ::operator new(ClassBytes(size_class));
    lists_.head[size_class] = block->next;
    ++lists_.room[size_class];
    return block;
  }

  static void Free(void* memory, size_t bytes) noexcept {
    if (bytes > kPooledBytesMax) return LargePool::Free(memory, bytes);
    if (!kEnabled) return ::operator delete(memory);
    const size_t size_class = ClassOf(bytes);
    if (lists_.room[size_class] == 0) return FreeSlowly(memory, size_class);
    Push(memory, size_class);
  }

  // For tests: what the calling thread keeps for later.
  static size_t FreeBytes() noexcept;

 private:
  class Reaper;
  struct FreeBlock {
    FreeBlock* next;
  };
  static constexpr size_t kClasses = kPooledBytesMax / kClassStep;

  // Trivial, so that reaching it needs no guard. `room` starts at 0: the first Free() of a thread takes the slow path,
  // which registers the thread's Reaper and opens the lists. The Reaper closes them again, because destructors of other
  // thread-local objects may still free blocks after it.
  struct Lists {
    FreeBlock* head[kClasses];
    uint16_t room[kClasses];  // blocks that the class may still take
    enum : uint8_t { kNew, kOpen, kClosed } state;
  };

  static constexpr size_t ClassOf(size_t bytes) { return (bytes - 1) / kClassStep; }
  static constexpr size_t ClassBytes(size_t size_class) { return (size_class + 1) * kClassStep; }

  static void Push(void* memory, size_t size_class) noexcept {
    --lists_.room[size_class];
    lists_.head[size_class] = ::new (memory) FreeBlock{lists_.head[size_class]};
  }
  static void FreeSlowly(void* memory, size_t size_class) noexcept;

  static inline constinit thread_local Lists lists_{};
};

// A base that makes a class's objects come from the pool. The class is final, or has a virtual destructor.
class Pooled {
 public:
  static void* operator new(size_t bytes) { return BlockPool::Allocate(bytes); }
  static void operator delete(void* memory, size_t bytes) noexcept { BlockPool::Free(memory, bytes); }

 protected:
  ~Pooled() = default;
};

}  // namespace weir::transport
