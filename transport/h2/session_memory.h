// The engine's memory, from the thread's pool. For session.cc alone.
#pragma once

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>

#include "weir/transport/memory/block_pool.h"

namespace weir::transport {

// The engine frees without the size, so each block begins with it.
struct EngineMemory {
  static constexpr size_t kPrefix = 16;  // keeps the alignment of operator new

  static size_t SizeOf(void* memory) { return *static_cast<size_t*>(Block(memory)); }
  static void* Block(void* memory) { return static_cast<char*>(memory) - kPrefix; }

  // What is large lives as long as its connection, and is hardly touched: a pool's larger blocks would cost pages.
  static void* Allocate(size_t bytes) {
    return bytes > BlockPool::kPooledBytesMax ? ::operator new(bytes) : BlockPool::Allocate(bytes);
  }

  static void* Malloc(size_t size, void*) {
    void* const block = Allocate(size + kPrefix);
    *static_cast<size_t*>(block) = size;
    return static_cast<char*>(block) + kPrefix;
  }
  static void Free(void* memory, void*) {
    if (memory == nullptr) return;
    const size_t bytes = SizeOf(memory) + kPrefix;
    bytes > BlockPool::kPooledBytesMax ? ::operator delete(Block(memory)) : BlockPool::Free(Block(memory), bytes);
  }
  static void* Calloc(size_t count, size_t size, void*) {
    return std::memset(Malloc(count * size, nullptr), 0, count * size);
  }
  static void* Realloc(void* memory, size_t size, void*) {
    void* const moved = Malloc(size, nullptr);
    if (memory != nullptr) std::memcpy(moved, memory, std::min(size, SizeOf(memory)));
    Free(memory, nullptr);
    return moved;
  }
  static nghttp2_mem* Table() {
    // Copied by the engine; it does not write to it.
    static constinit nghttp2_mem table{nullptr, &Malloc, &Free, &Calloc, &Realloc};
    return &table;
  }
};

}  // namespace weir::transport
