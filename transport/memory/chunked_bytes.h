// ChunkedBytes: a view of bytes that lie in one piece or, if they are many, in several.
//
//   for (ChunkedBytes rest = bytes; !rest.empty(); rest.DropFront()) Use(rest.front());
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::transport {

// The header of a piece of memory, which is filled from `begin` to `end`. ChunkQueue makes and frees them.
struct Chunk {
  Chunk* next;
  uint32_t begin;
  uint32_t end;
  uint32_t capacity;

  char* data() { return reinterpret_cast<char*>(this + 1); }
  size_t size() const { return end - begin; }
  std::string_view bytes() const { return {reinterpret_cast<const char*>(this + 1) + begin, size()}; }
};

class ChunkedBytes {
 public:
  ChunkedBytes() = default;
  ChunkedBytes(std::string_view whole) : front_(whole), size_(whole.size()) {}
  // `front`, and what follows it from `next` on: `size` bytes together.
  ChunkedBytes(std::string_view front, const Chunk* next, size_t size) : front_(front), size_(size), next_(next) {}

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool contiguous() const { return front_.size() == size_; }

  // The first piece; empty only if all is.
  std::string_view front() const { return front_; }
  void DropFront() {
    size_ -= front_.size();
    if (size_ == 0) {
      front_ = {};
      return;
    }
    front_ = next_->bytes().substr(0, size_);
    next_ = next_->next;
  }

  // All of it as one string.
  std::string Flatten() const {
    std::string all;
    all.reserve(size_);
    for (ChunkedBytes rest = *this; !rest.empty(); rest.DropFront()) all.append(rest.front());
    return all;
  }

  // For whoever needs one piece: a view of these bytes, which are copied to *room if they are in several.
  std::string_view Flat(std::string* room) const {
    if (contiguous()) return front_;
    *room = Flatten();
    return *room;
  }

 private:
  std::string_view front_;
  size_t size_ = 0;
  const Chunk* next_ = nullptr;  // the piece behind the front
};

}  // namespace weir::transport
