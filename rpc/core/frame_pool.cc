#include "weir/rpc/core/frame_pool.h"

#include <cstdint>
#include <new>

namespace weir::internal {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kEnabled = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kEnabled = false;
#else
constexpr bool kEnabled = true;
#endif
#else
constexpr bool kEnabled = true;
#endif

constexpr size_t kClasses = FramePool::kPooledBytesMax / FramePool::kClassStep;

constexpr size_t ClassOf(size_t bytes) { return (bytes - 1) / FramePool::kClassStep; }
constexpr size_t ClassBytes(size_t size_class) { return (size_class + 1) * FramePool::kClassStep; }

struct FreeFrame {
  FreeFrame* next;
};

// Trivial, so that reaching it needs no guard. `room` starts at 0: the first Free() of a thread takes the slow path,
// which registers the thread's Reaper and opens the lists. The Reaper closes them again, because destructors of other
// thread-local objects may still free frames after it.
struct Lists {
  FreeFrame* head[kClasses];
  uint16_t room[kClasses];  // frames that the class may still take
  enum : uint8_t { kNew, kOpen, kClosed } state;
};
constinit thread_local Lists lists{};

class Reaper {
 public:
  Reaper() {
    for (size_t c = 0; c < kClasses; ++c) {
      lists.room[c] = static_cast<uint16_t>(FramePool::kClassBytesMax / ClassBytes(c));
    }
    lists.state = Lists::kOpen;
  }
  ~Reaper() {
    lists.state = Lists::kClosed;
    for (size_t c = 0; c < kClasses; ++c) {
      lists.room[c] = 0;
      while (FreeFrame* frame = lists.head[c]) {
        lists.head[c] = frame->next;
        ::operator delete(frame);
      }
    }
  }
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;
};

void Push(FreeFrame* frame, size_t size_class) noexcept {
  --lists.room[size_class];
  frame->next = lists.head[size_class];
  lists.head[size_class] = frame;
}

[[gnu::noinline]] void FreeSlowly(void* frame, size_t size_class) noexcept {
  if (lists.state == Lists::kNew) {
    static thread_local Reaper reaper;
    static_cast<void>(reaper);
    Push(static_cast<FreeFrame*>(frame), size_class);
    return;
  }
  ::operator delete(frame);
}

}  // namespace

void* FramePool::Allocate(size_t bytes) {
  if (!kEnabled || bytes > kPooledBytesMax) return ::operator new(bytes);
  const size_t size_class = ClassOf(bytes);
  FreeFrame* const frame = lists.head[size_class];
  if (frame == nullptr) return ::operator new(ClassBytes(size_class));
  lists.head[size_class] = frame->next;
  ++lists.room[size_class];
  return frame;
}

void FramePool::Free(void* frame, size_t bytes) noexcept {
  if (!kEnabled || bytes > kPooledBytesMax) return ::operator delete(frame);
  const size_t size_class = ClassOf(bytes);
  if (lists.room[size_class] == 0) return FreeSlowly(frame, size_class);
  Push(static_cast<FreeFrame*>(frame), size_class);
}

size_t FramePool::FreeBytes() noexcept {
  size_t bytes = 0;
  for (size_t c = 0; c < kClasses; ++c) {
    for (const FreeFrame* frame = lists.head[c]; frame != nullptr; frame = frame->next) bytes += ClassBytes(c);
  }
  return bytes;
}

bool FramePool::Enabled() noexcept { return kEnabled; }

}  // namespace weir::internal
