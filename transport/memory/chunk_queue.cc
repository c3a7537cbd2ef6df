#include "weir/transport/memory/chunk_queue.h"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <cstring>

#include "weir/transport/memory/block_pool.h"

namespace weir::transport {
namespace {

// All room together, as a multiple of the bytes that have come, if more are announced. A peer pays for a quarter of
// what it makes us allocate. A little more spares a second chunk to a message of four full frames.
constexpr size_t kGrowthFactor = 4;
constexpr size_t kGrowthExtra = 1024;

// Without an announcement a chunk is as large as all before it together, up to this.
constexpr size_t kBlindBytesMax = 64 * 1024;

}  // namespace

void ChunkQueue::Append(std::string_view bytes, size_t more_bytes) {
  while (!bytes.empty()) {
    if (last_ == nullptr || last_->end == last_->capacity) AddChunk(bytes.size(), more_bytes);
    const size_t copied = std::min<size_t>(bytes.size(), last_->capacity - last_->end);
    std::memcpy(last_->data() + last_->end, bytes.data(), copied);
    last_->end += static_cast<uint32_t>(copied);
    size_ += copied;
    bytes.remove_prefix(copied);
  }
}

void ChunkQueue::AddChunk(size_t bytes, size_t more_bytes) {
  const size_t worth = more_bytes == 0
                           ? std::min(size_, kBlindBytesMax)
                           : std::min(bytes + more_bytes, kGrowthFactor * (size_ + bytes) - size_ + kGrowthExtra);
  const size_t room = std::min(std::max(bytes, worth), kChunkBytesMax);
  const size_t steps = (sizeof(Chunk) + room + BlockPool::kClassStep - 1) / BlockPool::kClassStep;
  const size_t block_bytes = steps * BlockPool::kClassStep;
  const auto capacity = static_cast<uint32_t>(block_bytes - sizeof(Chunk));
  Chunk* const chunk = ::new (BlockPool::Allocate(block_bytes)) Chunk{nullptr, 0, 0, capacity};
  (last_ == nullptr ? first_ : last_->next) = chunk;
  last_ = chunk;
}

ChunkedBytes ChunkQueue::View(size_t skip, size_t size) const {
  assert(skip + size <= size_);
  if (size == 0) return ChunkedBytes();
  const Chunk* chunk = first_;
  while (chunk->size() <= skip) {
    skip -= chunk->size();
    chunk = chunk->next;
  }
  return ChunkedBytes(chunk->bytes().substr(skip, size), chunk->next, size);
}

void ChunkQueue::RemovePrefix(size_t bytes) {
  assert(bytes <= size_);
  size_ -= bytes;
  while (first_ != nullptr && bytes >= first_->size()) {
    bytes -= first_->size();
    if (first_ == last_ && first_->capacity <= kIdleBytesMax) {
      first_->begin = first_->end = 0;
      return;
    }
    FreeFirst();
  }
  if (bytes != 0) first_->begin += static_cast<uint32_t>(bytes);
}

void ChunkQueue::Clear() {
  while (first_ != nullptr) FreeFirst();
  size_ = 0;
}

size_t ChunkQueue::RoomBytes() const {
  size_t bytes = 0;
  for (const Chunk* chunk = first_; chunk != nullptr; chunk = chunk->next) bytes += chunk->capacity;
  return bytes;
}

void ChunkQueue::FreeFirst() {
  Chunk* const chunk = first_;
  first_ = chunk->next;
  if (first_ == nullptr) last_ = nullptr;
  BlockPool::Free(chunk, sizeof(Chunk) + chunk->capacity);
}

}  // namespace weir::transport
