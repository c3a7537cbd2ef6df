#include "weir/transport/memory/block_pool.h"

namespace weir::transport {

class BlockPool::Reaper {
 public:
  Reaper() {
    for (size_t c = 0; c < kClasses; ++c) lists_.room[c] = static_cast<uint16_t>(kClassBytesMax / ClassBytes(c));
    lists_.state = Lists::kOpen;
  }
  ~Reaper() {
    lists_.state = Lists::kClosed;
    for (size_t c = 0; c < kClasses; ++c) {
      lists_.room[c] = 0;
      while (FreeBlock* block = lists_.head[c]) {
        lists_.head[c] = block->next;
        ::operator delete(block);
      }
    }
  }
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;
};

void BlockPool::FreeSlowly(void* memory, size_t size_class) noexcept {
  if (lists_.state != Lists::kNew) return ::operator delete(memory);  // the class is full, or the thread is exiting
  static thread_local Reaper reaper;
  static_cast<void>(reaper);
  Push(memory, size_class);
}

size_t BlockPool::FreeBytes() noexcept {
  size_t bytes = 0;
  for (size_t c = 0; c < kClasses; ++c) {
    for (const FreeBlock* block = lists_.head[c]; block != nullptr; block = block->next) bytes += ClassBytes(c);
  }
  return bytes;
}

}  // namespace weir::transport
