#include "weir/transport/memory/large_pool.h"

#include <bit>
#include <new>

#include "weir/transport/memory/block_pool.h"

namespace weir::transport {
namespace {

struct FreeBlock {
  FreeBlock* next;
};

// Steps per doubling, and the binary logarithms of the limits.
constexpr size_t kSteps = 4;
constexpr size_t kLogMin = std::bit_width(LargePool::kBytesMin) - 1;
constexpr size_t kLogMax = std::bit_width(LargePool::kBytesMax) - 1;
constexpr size_t kClasses = kSteps * (kLogMax - kLogMin);

constexpr size_t ClassOf(size_t bytes) {
  const size_t doubling = std::bit_width(bytes - 1) - 1;
  const size_t step = (bytes - 1 - (size_t{1} << doubling)) >> (doubling - 2);
  return kSteps * (doubling - kLogMin) + step;
}

constexpr size_t ClassBytes(size_t size_class) {
  const size_t doubling = size_t{1} << (kLogMin + size_class / kSteps);
  return doubling + (size_class % kSteps + 1) * (doubling / kSteps);
}

static_assert(ClassOf(LargePool::kBytesMin + 1) == 0 && ClassOf(LargePool::kBytesMax) == kClasses - 1);
static_assert(ClassBytes(0) == 5120 && ClassOf(5120) == 0 && ClassOf(5121) == 1);
static_assert(ClassBytes(kClasses - 1) == LargePool::kBytesMax);

struct Lists {
  ~Lists();

  void Release(size_t size_class) {
    FreeBlock* const block = head[size_class];
    head[size_class] = block->next;
    kept_bytes -= ClassBytes(size_class);
    ::operator delete(block);
  }

  // Makes room for a block of `size_class`: the largest of the other classes go first.
  void MakeRoomFor(size_t size_class) {
    for (size_t c = kClasses; c-- > 0;) {
      while (c != size_class && head[c] != nullptr && !HasRoomFor(size_class)) Release(c);
    }
  }
  bool HasRoomFor(size_t size_class) const { return kept_bytes + ClassBytes(size_class) <= LargePool::kKeptBytesMax; }

  FreeBlock* head[kClasses] = {};
  size_t kept_bytes = 0;
};

// Destructors of other thread-local objects may still free blocks after the lists are gone.
constinit thread_local bool closed = false;
thread_local Lists lists;

Lists::~Lists() {
  closed = true;
  for (size_t c = 0; c < kClasses; ++c) {
    while (head[c] != nullptr) Release(c);
  }
}

bool IsPooled(size_t bytes) {
  return BlockPool::kEnabled && bytes > LargePool::kBytesMin && bytes <= LargePool::kBytesMax;
}

}  // namespace

void* LargePool::Allocate(size_t bytes) {
  if (!IsPooled(bytes)) return ::operator new(bytes);
  const size_t size_class = ClassOf(bytes);
  if (closed || lists.head[size_class] == nullptr) return ::operator new(ClassBytes(size_class));
  FreeBlock* const block = lists.head[size_class];
  lists.head[size_class] = block->next;
  lists.kept_bytes -= ClassBytes(size_class);
  return block;
}

void LargePool::Free(void* memory, size_t bytes) noexcept {
  if (!IsPooled(bytes) || closed) return ::operator delete(memory);
  const size_t size_class = ClassOf(bytes);
  lists.MakeRoomFor(size_class);
  if (!lists.HasRoomFor(size_class)) return ::operator delete(memory);
  lists.head[size_class] = ::new (memory) FreeBlock{lists.head[size_class]};
  lists.kept_bytes += ClassBytes(size_class);
}

size_t LargePool::KeptBytes() noexcept { return closed ? 0 : lists.kept_bytes; }

}  // namespace weir::transport
