// ChunkQueue: received bytes that wait, in chunks: each is copied in once and never moved, however many follow.
//
//   [..begin####] -> [##########] -> [####end....]
//
// Memory follows the bytes that have come, at most four times as much, whatever else is announced. Chunks come from the
// BlockPool.
#pragma once

#include <cstddef>
#include <string_view>

#include "weir/transport/memory/chunked_bytes.h"

namespace weir::transport {

class ChunkQueue {
 public:
  // The largest chunk.
  static constexpr size_t kChunkBytesMax = 256 * 1024;
  // What an emptied queue may keep: a stream that waits must not hold the memory of its largest message.
  static constexpr size_t kIdleBytesMax = 4096;

  ChunkQueue() = default;
  ChunkQueue(const ChunkQueue&) = delete;
  ChunkQueue& operator=(const ChunkQueue&) = delete;
  ~ChunkQueue() { Clear(); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Copies `bytes` behind the others. `more_bytes` are announced to follow; 0: it is not known.
  void Append(std::string_view bytes, size_t more_bytes);

  // `size` bytes behind the first `skip`; there are so many. Valid until RemovePrefix has dropped them.
  ChunkedBytes View(size_t skip, size_t size) const;

  void RemovePrefix(size_t bytes);
  void Clear();

  // For tests: what all chunks together could hold.
  size_t RoomBytes() const;

 private:
  void AddChunk(size_t bytes, size_t more_bytes);
  void FreeFirst();

  Chunk* first_ = nullptr;  // all but the last hold something
  Chunk* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace weir::transport
