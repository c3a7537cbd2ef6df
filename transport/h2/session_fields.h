// Header fields as the engine has them: EngineFields on their way out, KnownBuffers on their way in. For session.cc
// alone.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "weir/transport/h2/headers.h"

namespace weir::transport {

inline std::string_view View(const uint8_t* data, size_t size) { return {reinterpret_cast<const char*>(data), size}; }
inline std::string_view View(nghttp2_rcbuf* buffer) {
  const nghttp2_vec octets = nghttp2_rcbuf_get_buf(buffer);
  return View(octets.base, octets.len);
}

// A header block as the engine wants it. Kept from one call to the next, which usually sends the same list.
class EngineFields {
 public:
  // `status` 0: the block has none. The engine refers to `list`, so the stream must keep it until the block has left.
  void Set(int status, const HeaderList& list) {
    if (status == status_ && list.SharesBufferWith(list_) && !list.empty()) return;
    list_ = list;
    status_ = status;
    fields_.clear();
    if (status == 200) {
      fields_.push_back(Of(":status", "200"));
    } else if (status != 0) {
      fields_.push_back(Of(":status", StatusDigits(status, digits_)));
      fields_.back().flags &= static_cast<uint8_t>(~NGHTTP2_NV_FLAG_NO_COPY_VALUE);
    }
    for (const HeaderView field : list) fields_.push_back(Of(field.name, field.value));
  }
  // The engine is to copy the fields: nobody keeps them.
  void LetCopy() {
    for (nghttp2_nv& field : fields_) field.flags = NGHTTP2_NV_FLAG_NONE;
  }
  const nghttp2_nv* data() const { return fields_.data(); }
  size_t size() const { return fields_.size(); }

 private:
  // `status` is 100 to 999.
  static std::string_view StatusDigits(int status, char (&digits)[3]) {
    for (int i = 2; i >= 0; --i, status /= 10) digits[i] = static_cast<char>('0' + status % 10);
    return {digits, 3};
  }
  static nghttp2_nv Of(std::string_view name, std::string_view value) {
    return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),  // the engine does not write to it
            reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
            NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
  }

  std::vector<nghttp2_nv> fields_;
  HeaderList list_;  // keeps the buffer that the fields point into
  int status_ = 0;
  char digits_[3];
};

// The engine's buffers of the fields of the Inbox's known block. A field from its HPACK tables comes in the same two
// buffers every time, and they are constant: a glance at two addresses instead of a comparison of octets. A reference
// to each keeps its address from being used again.
class KnownBuffers {
 public:
  KnownBuffers() = default;
  KnownBuffers(const KnownBuffers&) = delete;
  KnownBuffers& operator=(const KnownBuffers&) = delete;
  ~KnownBuffers() { Clear(); }

  // A block begins: is it to be compared with known block `serial`? 0: no.
  void Begin(uint64_t serial) { next_ = serial != 0 && serial == serial_ ? fields_.data() : &kNone; }

  // Is the next field of the block what stood there in the known one?
  bool Repeats(const nghttp2_rcbuf* name, const nghttp2_rcbuf* value) {
    if (next_->name != name || next_->value != value) return false;
    ++next_;
    return true;
  }

  // Has it the same name at least? Literal values come in new buffers each time, their names seldom.
  bool RepeatsName(const nghttp2_rcbuf* name) const { return next_->name == name; }
  void Skip() { ++next_; }

  // The Inbox has found that it is, in other buffers. The first ones are kept: a literal has new ones each time.
  void Learn(uint64_t serial, size_t index, nghttp2_rcbuf* name, nghttp2_rcbuf* value) {
    if (serial != serial_) Clear();
    serial_ = serial;
    if (index + 1 == fields_.size()) {
      nghttp2_rcbuf_incref(name);
      nghttp2_rcbuf_incref(value);
      fields_.back() = {name, value};
      fields_.push_back(kNone);
    }
    next_ = index + 1 < fields_.size() ? &fields_[index + 1] : &kNone;
  }
  void StopRepeating() { next_ = &kNone; }

 private:
  struct Buffers {
    nghttp2_rcbuf* name;
    nghttp2_rcbuf* value;
  };
  static constexpr Buffers kNone{nullptr, nullptr};  // equal to no field

  void Clear() {
    fields_.pop_back();
    for (const Buffers& field : fields_) {
      nghttp2_rcbuf_decref(field.name);
      nghttp2_rcbuf_decref(field.value);
    }
    fields_.assign(1, kNone);
  }

  uint64_t serial_ = 0;
  std::vector<Buffers> fields_{kNone};  // and kNone
  const Buffers* next_ = &kNone;
};

}  // namespace weir::transport
