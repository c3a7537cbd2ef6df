#include "weir/transport/h2/output_buffer.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace weir::transport {

OutputBuffer& OutputBuffer::operator=(OutputBuffer&& other) noexcept {
  if (this == &other) return *this;
  block_ = std::exchange(other.block_, {});
  block_head_ = std::exchange(other.block_head_, 0);
  large_ = std::exchange(other.large_, {});
  large_head_ = std::exchange(other.large_head_, 0);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

void OutputBuffer::Append(SharedBytes bytes) {
  if (bytes.bytes.size() < kShareBytesMin) return Append(bytes.bytes);
  const size_t size = bytes.bytes.size();
  large_.push_back({block_.size(), std::move(bytes)});
  size_ += size;
}

size_t OutputBuffer::Gather(std::span<std::string_view> pieces) const {
  size_t filled = 0;
  size_t head = block_head_;
  size_t large = large_head_;
  while (filled < pieces.size()) {
    const size_t stop = large < large_.size() ? large_[large].position : block_.size();
    if (head < stop) {
      pieces[filled++] = Block().substr(head, stop - head);
      head = stop;
    } else if (large < large_.size()) {
      pieces[filled++] = large_[large++].shared.bytes;
    } else {
      break;
    }
  }
  return filled;
}

size_t OutputBuffer::FrontBytes() const {
  const bool has_large = large_head_ < large_.size();
  const size_t stop = has_large ? large_[large_head_].position : block_.size();
  if (block_head_ < stop) return stop - block_head_;
  return has_large ? large_[large_head_].shared.bytes.size() : 0;
}

void OutputBuffer::DropFront(size_t bytes) {
  const bool has_large = large_head_ < large_.size();
  const size_t stop = has_large ? large_[large_head_].position : block_.size();
  size_ -= bytes;
  if (block_head_ < stop) {
    block_head_ += bytes;
  } else if (bytes == large_[large_head_].shared.bytes.size()) {
    large_[large_head_++].shared = {};
  } else {
    large_[large_head_].shared.bytes.remove_prefix(bytes);
  }
}

void OutputBuffer::RemovePrefix(size_t bytes) {
  assert(bytes <= size_);
  while (bytes > 0) {
    const size_t piece = std::min(bytes, FrontBytes());
    DropFront(piece);
    bytes -= piece;
  }
  ResetIfEmpty();
}

void OutputBuffer::MovePrefix(size_t bytes, OutputBuffer* to) {
  assert(bytes <= size_);
  if (large_.empty()) {
    to->Append(Block().substr(block_head_, bytes));
    block_head_ += bytes;
    size_ -= bytes;
    return ResetIfEmpty();
  }
  while (bytes > 0) {
    const size_t piece = std::min(bytes, FrontBytes());
    const bool own = large_head_ == large_.size() || block_head_ < large_[large_head_].position;
    if (own) {
      to->Append(Block().substr(block_head_, piece));
    } else {
      const SharedBytes& shared = large_[large_head_].shared;
      to->Append(SharedBytes{shared.owner, shared.bytes.substr(0, piece)});
    }
    DropFront(piece);
    bytes -= piece;
  }
  ResetIfEmpty();
}

void OutputBuffer::ResetIfEmpty() {
  if (size_ == 0) {
    block_head_ = 0;
    large_head_ = 0;
    large_.clear();
    if (block_.capacity() > kKeepBytesMax) {
      block_ = PoolArray<char>();
    } else {
      block_.Clear();
    }
    return;
  }
  // A buffer that is never quite empty must not grow for ever: drop the written half now and then.
  if (block_head_ > kKeepBytesMax && block_head_ > block_.size() / 2) {
    block_.RemovePrefix(block_head_);
    for (size_t i = large_head_; i < large_.size(); ++i) large_[i].position -= block_head_;
    block_head_ = 0;
  }
  if (large_head_ > 64 && large_head_ > large_.size() / 2) {
    large_.erase(large_.begin(), large_.begin() + static_cast<std::ptrdiff_t>(large_head_));
    large_head_ = 0;
  }
}

std::string OutputBuffer::Flatten() const {
  std::string out;
  out.reserve(size_);
  std::vector<std::string_view> pieces(2 * (large_.size() - large_head_) + 1);
  const size_t filled = Gather(pieces);
  for (size_t i = 0; i < filled; ++i) out.append(pieces[i]);
  return out;
}

}  // namespace weir::transport
