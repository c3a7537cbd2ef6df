// HeaderList: the fields of one HTTP/2 header block, in order, in one flat buffer.
//
// A block of ten fields costs two allocations from the thread's BlockPool, not twenty. Pseudo-header fields (":path") are ordinary entries that come
// first, as on the wire. Names are lower case (RFC 9113 section 8.2.1); duplicates are kept in order.
// Value type. Views handed out are valid until the list is changed, moved or destroyed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string_view>

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

  void Add(std::string_view name, std::string_view value) {
    Entry* const entry = entries_.Extend(1);
    *entry = {static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(name.size()),
              static_cast<uint32_t>(value.size())};
    char* const to = bytes_.Extend(name.size() + value.size());
    if (!name.empty()) std::memcpy(to, name.data(), name.size());
    if (!value.empty()) std::memcpy(to + name.size(), value.data(), value.size());
  }
  void Reserve(size_t fields, size_t bytes) {
    entries_.Reserve(fields);
    bytes_.Reserve(bytes);
  }
  void Clear() {
    entries_.Clear();
    bytes_.Clear();
  }

  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  HeaderView operator[](size_t index) const;
  Iterator begin() const;
  Iterator end() const;

  // Value of the first field called `name`, or nullopt.
  std::optional<std::string_view> Find(std::string_view name) const;

  // Number of leading pseudo-header fields.
  size_t PseudoCount() const;

  // Size as RFC 9113 section 6.5.2 counts it: name + value + 32 octets for each field.
  size_t ListSize() const { return bytes_.size() + 32 * entries_.size(); }

  friend bool operator==(const HeaderList& a, const HeaderList& b);

 private:
  struct Entry {
    uint32_t offset;
    uint32_t name_bytes;
    uint32_t value_bytes;
  };

  PoolArray<char> bytes_;
  PoolArray<Entry> entries_;
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
  const Entry& e = entries_[index];
  const char* p = bytes_.data() + e.offset;
  return {std::string_view(p, e.name_bytes), std::string_view(p + e.name_bytes, e.value_bytes)};
}
inline HeaderList::Iterator HeaderList::begin() const { return Iterator(this, 0); }
inline HeaderList::Iterator HeaderList::end() const { return Iterator(this, entries_.size()); }

}  // namespace weir::transport
