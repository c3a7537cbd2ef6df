// CallArena: protobuf's arena of one call, whose memory comes from the BlockPool: one block for most calls.
#pragma once

#include <cstddef>

#include "google/protobuf/arena.h"
#include "weir/transport/memory/block_pool.h"

namespace weir::internal {

class CallArena final : public transport::Pooled {
 public:
  CallArena() : arena_(OptionsWith(first_block_)) {}
  CallArena(const CallArena&) = delete;
  CallArena& operator=(const CallArena&) = delete;

  google::protobuf::Arena& arena() { return arena_; }

 private:
  // Together with the arena itself the largest block that BlockPool keeps by size.
  static constexpr size_t kFirstBytes = transport::BlockPool::kPooledBytesMax - sizeof(google::protobuf::Arena);
  static constexpr size_t kLaterBytesMax = 64 * 1024;

  static google::protobuf::ArenaOptions OptionsWith(char* first_block) {
    google::protobuf::ArenaOptions options;
    options.initial_block = first_block;
    options.initial_block_size = kFirstBytes;
    options.start_block_size = kFirstBytes;
    options.max_block_size = kLaterBytesMax;
    options.block_alloc = &transport::BlockPool::Allocate;
    options.block_dealloc = [](void* block, size_t bytes) { transport::BlockPool::Free(block, bytes); };
    return options;
  }

  alignas(std::max_align_t) char first_block_[kFirstBytes];
  google::protobuf::Arena arena_;
};

}  // namespace weir::internal
