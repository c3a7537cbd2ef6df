// The engine's memory, from the thread's pool. For session.cc alone.
#pragma once

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <utility>

#include "weir/transport/memory/block_pool.h"

namespace weir::transport {

// Of one session, which it must outlive. Gives null where there is no memory: the engine is C, and nothing may be
// thrown through it.
class EngineMemory {
 public:
  EngineMemory() = default;
  EngineMemory(const EngineMemory&) = delete;
  EngineMemory& operator=(const EngineMemory&) = delete;
  ~EngineMemory() {
    while (kept_ != nullptr) {
      Block* const block = std::exchange(kept_, kept_->next);
      Release(block);
    }
  }

  // Copied by the engine.
  nghttp2_mem Table() { return {this, &Malloc, &Free, &Calloc, &Realloc}; }

 private:
  // Before what the engine gets: it frees without the size.
  struct alignas(std::max_align_t) Block {
    size_t bytes;  // with this
    Block* next;   // of those that are kept; null: not freed yet
  };

  static Block* BlockOf(void* memory) { return static_cast<Block*>(memory) - 1; }

  // What is large lives as long as its connection, and is hardly touched: a pool's larger blocks would cost pages.
  static void* Malloc(size_t size, void*) noexcept try {
    const size_t bytes = size + sizeof(Block);
    void* const memory = bytes > BlockPool::kPooledBytesMax ? ::operator new(bytes) : BlockPool::Allocate(bytes);
    return ::new (memory) Block{bytes, nullptr} + 1;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  static void Release(Block* block) {
    const size_t bytes = block->bytes;
    bytes > BlockPool::kPooledBytesMax ? ::operator delete(block) : BlockPool::Free(block, bytes);
  }
  static void Free(void* memory, void* self) {
    if (memory == nullptr) return;
    EngineMemory& our = *static_cast<EngineMemory*>(self);
    our.keeps_ ? our.Keep(BlockOf(memory)) : Release(BlockOf(memory));
  }
  static void* Calloc(size_t count, size_t size, void* self) {
    void* const memory = Malloc(count * size, self);
    return memory == nullptr ? nullptr : std::memset(memory, 0, count * size);
  }
  // nghttp2 1.52 frees a frame twice if its queue of streams cannot grow (session_attach_stream_item leaves the stream
  // a frame that its caller frees; AllocationFailureTest finds it). From then on nothing is freed before the end, when
  // each block is freed once.
  static void* Realloc(void* memory, size_t size, void* self) {
    void* const moved = Malloc(size, self);
    if (moved == nullptr) {
      static_cast<EngineMemory*>(self)->keeps_ = true;
      return nullptr;
    }
    if (memory == nullptr) return moved;
    std::memcpy(moved, memory, std::min(size, BlockOf(memory)->bytes - sizeof(Block)));
    Free(memory, self);
    return moved;
  }

  void Keep(Block* block) {
    if (block->next != nullptr || block == last_kept_) return;
    if (kept_ == nullptr) last_kept_ = block;
    block->next = std::exchange(kept_, block);
  }

  Block* kept_ = nullptr;
  Block* last_kept_ = nullptr;  // the one whose `next` says nothing
  bool keeps_ = false;
};

}  // namespace weir::transport
