// Hash: 64 bits of a text, the same on every machine and in every version: clients of one service must agree on who
// serves which key.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

// FNV-1a, and then the finalizer of MurmurHash3, without which texts that differ at their ends only would be
// neighbours.
constexpr uint64_t StableHash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccd;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53;
  hash ^= hash >> 33;
  return hash;
}

}  // namespace weir
