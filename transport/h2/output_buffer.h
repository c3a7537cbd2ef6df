// OutputBuffer: bytes on their way to a socket, in order: frames of our own, and large bodies by reference.
//
//   own bytes    [ small small | small ......... ]      one growing block
//   shared             ^ large           ^ large        kept alive by their owners, each at its place in between
//
// Small pieces are copied into one growing block; a SharedBytes is kept alive until it has been written, so that a
// large body leaves through writev without a copy. The same type holds what a stream has queued.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/transport/memory/pool_array.h"
#include "weir/transport/memory/shared_bytes.h"

namespace weir::transport {

class OutputBuffer {
 public:
  // A shared piece shorter than this is copied: a reference would cost more than it saves.
  static constexpr size_t kShareBytesMin = 2048;
  // The block of an emptied buffer is kept for reuse up to this size.
  static constexpr size_t kKeepBytesMax = 64 * 1024;

  OutputBuffer() = default;
  OutputBuffer(OutputBuffer&& other) noexcept { *this = std::move(other); }
  OutputBuffer& operator=(OutputBuffer&& other) noexcept;  // `other` is left empty

  void Append(std::string_view bytes) {
    block_.Append(bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void Append(SharedBytes bytes);
  // Room for `bytes` more at the end, to be filled by the caller at once.
  char* Extend(size_t bytes) {
    char* const room = block_.Extend(bytes);
    size_ += bytes;  // now that there is memory
    return room;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Fills `pieces` with the first pieces to write, in order; returns how many were filled.
  size_t Gather(std::span<std::string_view> pieces) const;

  // Forgets the first `bytes` bytes: they are written. Memory of an emptied buffer is kept for reuse up to 64 KiB.
  void RemovePrefix(size_t bytes);

  // Appends the first `bytes` bytes to `to` and forgets them here: own bytes are copied, shared ones sliced.
  void MovePrefix(size_t bytes, OutputBuffer* to);

  void Clear() { RemovePrefix(size_); }

  // Everything as one string: for tests and small outputs.
  std::string Flatten() const;

 private:
  struct Large {
    size_t position;  // in block_: it comes after block_[0, position)
    SharedBytes shared;
  };

  size_t FrontBytes() const;  // length of the first piece
  void DropFront(size_t bytes);
  void ResetIfEmpty();

  std::string_view Block() const { return {block_.data(), block_.size()}; }

  PoolArray<char> block_;
  size_t block_head_ = 0;  // block_[0, block_head_) has been removed
  std::vector<Large> large_;
  size_t large_head_ = 0;  // large_[0, large_head_) has been removed
  size_t size_ = 0;
};

}  // namespace weir::transport
