// SharedBytes: a run of bytes that several places refer to while it is on its way out, and what keeps it alive.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "weir/transport/memory/block_pool.h"

namespace weir::transport {

// Cheap to copy and to slice.
struct SharedBytes {
  std::shared_ptr<const void> owner;
  std::string_view bytes;

  // Takes the string over.
  static SharedBytes Of(std::string text) {
    auto owner = std::make_shared<const std::string>(std::move(text));
    const std::string_view bytes = *owner;
    return {std::move(owner), bytes};
  }

  // `size` bytes that the caller fills through `*room`. They are not zeroed first: that would cost as much as filling.
  static SharedBytes Make(size_t size, char** room) {
    void* const block = BlockPool::Allocate(size);
    *room = static_cast<char*>(block);
    return {std::shared_ptr<const void>(block, [size](void* memory) { BlockPool::Free(memory, size); }),
            std::string_view(*room, size)};
  }
};

}  // namespace weir::transport
