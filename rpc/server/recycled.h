// Recycled<M>: a request message that was used before, if the thread has one, so that parsing finds the memory of its
// strings and fields in place. Goes back to the thread's list at its end if it is small.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "weir/transport/memory/block_pool.h"

namespace weir::internal {

template <class M>
class Recycled {
 public:
  // Of each type a thread keeps this many, none of which was parsed from more bytes than this: a cleared message keeps
  // what it has grown to.
  static constexpr size_t kKeptMax = 16;
  static constexpr size_t kKeptBytesMax = 512;

  Recycled() = default;
  Recycled(const Recycled&) = delete;
  Recycled& operator=(const Recycled&) = delete;
  ~Recycled() {
    if (message_ != nullptr && !(keep_ && PutBack())) delete message_;
  }

  // Gets a message, once. It is to be parsed from `bytes` bytes, which clears it.
  M& Take(size_t bytes) {
    keep_ = bytes <= kKeptBytesMax;
    message_ = shelf_.count > 0 ? shelf_.messages[--shelf_.count] : new M;
    return *message_;
  }

 private:
  // Trivial, so that reaching it needs no guard. The Reaper frees what is kept when the thread exits.
  struct Shelf {
    std::array<M*, kKeptMax> messages;
    uint8_t count;
    enum : uint8_t { kNew, kOpen, kClosed } state;
  };
  struct Reaper {
    ~Reaper() {
      shelf_.state = Shelf::kClosed;
      while (shelf_.count > 0) delete shelf_.messages[--shelf_.count];
    }
  };

  bool PutBack() {
    // Under AddressSanitizer nothing is kept, so that a use after free is seen.
    if (!transport::BlockPool::kEnabled || shelf_.count == kKeptMax) return false;
    if (shelf_.state != Shelf::kOpen && !Open()) return false;
    shelf_.messages[shelf_.count++] = message_;
    return true;
  }

  static bool Open() {
    if (shelf_.state == Shelf::kClosed) return false;
    static thread_local Reaper reaper;
    static_cast<void>(reaper);
    shelf_.state = Shelf::kOpen;
    return true;
  }

  static inline constinit thread_local Shelf shelf_{};

  M* message_ = nullptr;
  bool keep_ = false;
};

}  // namespace weir::internal
