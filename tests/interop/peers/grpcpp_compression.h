// What grpc++ keeps for its own interop tests: whether the last message of a call came compressed.
#pragma once

#include <grpc/grpc.h>

#include <cstdint>

// Exported by libgrpc 1.51, declared in none of its installed headers.
uint32_t grpc_call_test_only_get_message_flags(grpc_call* call);

namespace weir::interop {

inline bool LastMessageWasCompressed(grpc_call* call) {
  constexpr uint32_t kWasCompressed = 0x40000000;  // GRPC_WRITE_INTERNAL_TEST_ONLY_WAS_COMPRESSED
  return call != nullptr && (grpc_call_test_only_get_message_flags(call) & kWasCompressed) != 0;
}

}  // namespace weir::interop
