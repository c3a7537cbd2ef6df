// The nine octets in front of every frame (RFC 9113 section 4.1), and the numbers of types and flags.
// For tools that look at frames from outside; the engine has its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::transport {

enum class FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};

namespace frame_flag {
inline constexpr uint8_t kEndStream = 0x1;
inline constexpr uint8_t kAck = 0x1;
inline constexpr uint8_t kEndHeaders = 0x4;
inline constexpr uint8_t kPadded = 0x8;
inline constexpr uint8_t kPriority = 0x20;
}  // namespace frame_flag

struct FrameHeader {
  static constexpr size_t kBytes = 9;

  uint32_t length = 0;  // 24 bits
  FrameType type = FrameType::kData;
  uint8_t flags = 0;
  uint32_t stream = 0;  // with the reserved bit

  bool Has(uint8_t flag) const { return (flags & flag) != 0; }
};

// Big-endian numbers.
inline void AppendNumber(uint64_t value, int octets, std::string* out) {
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) *out += static_cast<char>(value >> shift);
}
inline uint64_t ReadNumber(std::string_view bytes) {
  uint64_t value = 0;
  for (char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

inline void AppendFrameHeader(const FrameHeader& header, std::string* out) {
  AppendNumber(header.length, 3, out);
  AppendNumber(static_cast<uint8_t>(header.type), 1, out);
  AppendNumber(header.flags, 1, out);
  AppendNumber(header.stream, 4, out);
}
// `bytes` holds at least kBytes.
inline FrameHeader ReadFrameHeader(std::string_view bytes) {
  return {static_cast<uint32_t>(ReadNumber(bytes.substr(0, 3))), static_cast<FrameType>(ReadNumber(bytes.substr(3, 1))),
          static_cast<uint8_t>(bytes[4]), static_cast<uint32_t>(ReadNumber(bytes.substr(5, 4)))};
}

}  // namespace weir::transport
