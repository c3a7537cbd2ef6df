#include "weir/transport/memory/shared_bytes.h"

#include <utility>

#include "weir/transport/memory/block_pool.h"

namespace weir::transport {

SharedBytes SharedBytes::Of(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  const std::string_view bytes = *owner;
  return {std::move(owner), bytes};
}

SharedBytes SharedBytes::Make(size_t size, char** room) {
  void* const block = BlockPool::Allocate(size);
  *room = static_cast<char*>(block);
  return {std::shared_ptr<const void>(block, [size](void* memory) { BlockPool::Free(memory, size); }),
          std::string_view(*room, size)};
}

}  // namespace weir::transport
