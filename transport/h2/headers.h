// HeaderList: the fields of one HTTP/2 header block, in order, in one flat buffer.
//
// A block of ten fields costs three allocations from the thread's BlockPool, not twenty. Pseudo-header fields (":path")
// are ordinary entries that come first, as on the wire. Names are lower case (RFC 9113 section 8.2.1); duplicates are
// kept in order.
// Value type. A copy shares the buffer until either is changed, so a copy is one increment and may go to another
// thread. Views handed out are valid until the list is changed or destroyed.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "weir/transport/memory/block_pool.h"
#include "weir/transport/memory/pool_array.h"

namespace weir::transport {

struct HeaderView {
  std::string_view name;
  std::string_view value;

  friend bool operator==(const HeaderView&, const HeaderView&) = default;
};

class HeaderList {
 public:
  class Iterator;

  HeaderList() = default;
  HeaderList(std::initializer_list<HeaderView> fields);
  HeaderList(const HeaderList& other) noexcept : buffer_(other.buffer_) {
    if (buffer_ != nullptr) buffer_->references.fetch_add(1, std::memory_order_relaxed);
  }
  HeaderList(HeaderList&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  HeaderList& operator=(HeaderList other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~HeaderList() { Release(); }

  void Add(std::string_view name, std::string_view value) {
    Buffer& to = Own();
    Entry* const entry = to.entries.Extend(1);
    *entry = {static_cast<uint32_t>(to.bytes.size()), static_cast<uint32_t>(name.size()),
              static_cast<uint32_t>(value.size())};
    char* const bytes = to.bytes.Extend(name.size() + value.size());
    if (!name.empty()) std::memcpy(bytes, name.data(), name.size());
    if (!value.empty()) std::memcpy(bytes + name.size(), value.data(), value.size());
  }
  void Reserve(size_t fields, size_t bytes) {
    Buffer& own = Own();
    own.entries.Reserve(fields);
    own.bytes.Reserve(bytes);
  }
  // Keeps the memory, unless it is shared.
  void Clear();

  size_t size() const { return buffer_ == nullptr ? 0 : buffer_->entries.size(); }
  bool empty() const { return size() == 0; }
  HeaderView operator[](size_t index) const;
  Iterator begin() const;
  Iterator end() const;

  // Value of the first field called `name`, or nullopt.
  std::optional<std::string_view> Find(std::string_view name) const;

  // Number of leading pseudo-header fields.
  size_t PseudoCount() const;

  // Size as RFC 9113 section 6.5.2 counts it: name + value + 32 octets for each field.
  size_t ListSize() const { return buffer_ == nullptr ? 0 : buffer_->bytes.size() + 32 * buffer_->entries.size(); }

  // Is field `index` (it exists) exactly this?
  bool Holds(size_t index, std::string_view name, std::string_view value) const {
    const Entry& e = buffer_->entries[index];
    return e.name_bytes == name.size() && AreEqual(buffer_->bytes.data() + e.offset, name) && HoldsValue(index, value);
  }
  // Has it this value?
  bool HoldsValue(size_t index, std::string_view value) const {
    const Entry& e = buffer_->entries[index];
    return e.value_bytes == value.size() && AreEqual(buffer_->bytes.data() + e.offset + e.name_bytes, value);
  }

  // Are the two copies of one list, neither changed since? Then views into one are views into the other.
  bool SharesBufferWith(const HeaderList& other) const { return buffer_ == other.buffer_; }

  friend bool operator==(const HeaderList& a, const HeaderList& b);

 private:
  struct Entry {
    uint32_t offset;
    uint32_t name_bytes;
    uint32_t value_bytes;
  };

  struct Buffer final : Pooled {
    std::atomic<uint32_t> references = 1;
    PoolArray<char> bytes;
    PoolArray<Entry> entries;
  };

  template <class Word>
  static bool SameWord(const char* a, const char* b) {
    Word x;
    Word y;
    std::memcpy(&x, a, sizeof x);
    std::memcpy(&y, b, sizeof y);
    return x == y;
  }

  // memcmp without the call: for the few octets of most names and values. The last word of a text may be compared
  // twice.
  static bool AreEqual(const char* a, std::string_view text) {
    const char* const b = text.data();
    const size_t size = text.size();
    if (size > 32) return std::memcmp(a, b, size) == 0;
    if (size > 16) {
      const bool middle = SameWord<uint64_t>(a + 8, b + 8) && SameWord<uint64_t>(a + size - 16, b + size - 16);
      return middle && SameWord<uint64_t>(a, b) && SameWord<uint64_t>(a + size - 8, b + size - 8);
    }
    if (size >= 8) return SameWord<uint64_t>(a, b) && SameWord<uint64_t>(a + size - 8, b + size - 8);
    if (size >= 4) return SameWord<uint32_t>(a, b) && SameWord<uint32_t>(a + size - 4, b + size - 4);
    if (size >= 2) return SameWord<uint16_t>(a, b) && a[size - 1] == b[size - 1];
    return size == 0 || *a == *b;
  }

  bool IsShared() const { return buffer_->references.load(std::memory_order_acquire) != 1; }
  Buffer& Own() {
    if (buffer_ == nullptr) {
      buffer_ = new Buffer;
    } else if (IsShared()) {
      Detach();
    }
    return *buffer_;
  }
  void Detach();
  void Release() {
    if (buffer_ != nullptr && buffer_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete buffer_;
  }

  Buffer* buffer_ = nullptr;
};

class HeaderList::Iterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = HeaderView;
  using difference_type = std::ptrdiff_t;
  using pointer = const HeaderView*;
  using reference = HeaderView;

  Iterator() = default;
  Iterator(const HeaderList* list, size_t index) : list_(list), index_(index) {}

  HeaderView operator*() const { return (*list_)[index_]; }
  Iterator& operator++() {
    ++index_;
    return *this;
  }
  Iterator operator++(int) {
    Iterator old = *this;
    ++index_;
    return old;
  }
  friend bool operator==(const Iterator&, const Iterator&) = default;

 private:
  const HeaderList* list_ = nullptr;
  size_t index_ = 0;
};

inline HeaderView HeaderList::operator[](size_t index) const {
  const Entry& e = buffer_->entries[index];
  const char* p = buffer_->bytes.data() + e.offset;
  return {std::string_view(p, e.name_bytes), std::string_view(p + e.name_bytes, e.value_bytes)};
}
inline HeaderList::Iterator HeaderList::begin() const { return Iterator(this, 0); }
inline HeaderList::Iterator HeaderList::end() const { return Iterator(this, size()); }

}  // namespace weir::transport
