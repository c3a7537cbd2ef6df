// SharedBytes: a run of bytes that several places refer to while it is on its way out, and what keeps it alive.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace weir::transport {

// Cheap to copy and to slice.
struct SharedBytes {
  std::shared_ptr<const void> owner;
  std::string_view bytes;

  // Takes the string over.
  static SharedBytes Of(std::string text);

  // `size` bytes that the caller fills through `*room`. They are not zeroed first: that would cost as much as filling.
  static SharedBytes Make(size_t size, char** room);
};

}  // namespace weir::transport
