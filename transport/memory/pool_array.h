// PoolArray<T>: a growing array of plain values whose memory comes from the BlockPool. For what is made with every
// call.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "weir/transport/memory/block_pool.h"

namespace weir::transport {

template <class T>
class PoolArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  PoolArray() = default;
  PoolArray(const PoolArray& other) { Append(other.data_, other.size_); }
  PoolArray(PoolArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  PoolArray& operator=(const PoolArray& other) {
    if (this == &other) return *this;
    size_ = 0;
    Append(other.data_, other.size_);
    return *this;
  }
  PoolArray& operator=(PoolArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    other.size_ = 0;
    return *this;
  }
  ~PoolArray() { Free(); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T* data() const { return data_; }
  const T& operator[](size_t index) const { return data_[index]; }

  size_t capacity() const { return capacity_; }

  void Clear() { size_ = 0; }
  void RemovePrefix(size_t count) {
    size_ -= static_cast<uint32_t>(count);
    if (size_ != 0) std::memmove(data_, data_ + count, size_ * sizeof(T));
  }
  void Reserve(size_t capacity) {
    if (capacity > capacity_) Grow(capacity);
  }

  // Room for `count` more elements at the end, to be filled by the caller.
  T* Extend(size_t count) {
    if (size_ + count > capacity_) Grow(size_ + count);
    T* const end = data_ + size_;
    size_ += static_cast<uint32_t>(count);
    return end;
  }
  void Append(const T* from, size_t count) {
    if (count != 0) std::memcpy(Extend(count), from, count * sizeof(T));
  }

 private:
  void Grow(size_t needed) {
    const size_t capacity = std::max<size_t>({needed, 2 * size_t{capacity_}, 64 / sizeof(T)});
    T* const data = static_cast<T*>(BlockPool::Allocate(capacity * sizeof(T)));
    if (size_ != 0) std::memcpy(data, data_, size_ * sizeof(T));
    Free();
    data_ = data;
    capacity_ = static_cast<uint32_t>(capacity);
  }
  void Free() {
    if (data_ != nullptr) BlockPool::Free(data_, capacity_ * sizeof(T));
  }

  T* data_ = nullptr;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;
};

}  // namespace weir::transport
