#include "weir/transport/h2/headers.h"

namespace weir::transport {

HeaderList::HeaderList(std::initializer_list<HeaderView> fields) {
  size_t bytes = 0;
  for (const HeaderView& field : fields) bytes += field.name.size() + field.value.size();
  Reserve(fields.size(), bytes);
  for (const HeaderView& field : fields) Add(field.name, field.value);
}

void HeaderList::Clear() {
  if (buffer_ == nullptr) return;
  if (IsShared()) {
    Release();
    buffer_ = nullptr;
    return;
  }
  buffer_->entries.Clear();
  buffer_->bytes.Clear();
}

void HeaderList::Detach() {
  auto* const copy = new Buffer;
  copy->bytes = buffer_->bytes;
  copy->entries = buffer_->entries;
  Release();
  buffer_ = copy;
}

std::optional<std::string_view> HeaderList::Find(std::string_view name) const {
  for (const HeaderView field : *this) {
    if (field.name == name) return field.value;
  }
  return std::nullopt;
}

size_t HeaderList::PseudoCount() const {
  size_t count = 0;
  while (count < size() && (*this)[count].name.starts_with(':')) ++count;
  return count;
}

bool operator==(const HeaderList& a, const HeaderList& b) {
  if (a.SharesBufferWith(b)) return true;
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

}  // namespace weir::transport
