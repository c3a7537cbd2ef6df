#include "weir/examples/h2_echo/websocket_frames.h"

#include <array>

namespace weir::examples {
namespace {

constexpr uint8_t kFin = 0x80;
constexpr uint8_t kReserved = 0x70;
constexpr uint8_t kMasked = 0x80;
constexpr uint8_t kLengthOf16Bits = 126;
constexpr uint8_t kLengthOf64Bits = 127;
constexpr uint16_t kProtocolError = 1002;
constexpr uint16_t kMessageTooBig = 1009;

void AppendBigEndian(uint64_t value, int bytes, std::string* out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out->push_back(static_cast<char>(value >> shift));
}

uint64_t BigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

bool IsControl(uint8_t opcode) { return opcode >= 8; }

}  // namespace

void AppendWebSocketFrame(const WebSocketFrame& frame, std::optional<uint32_t> mask, std::string* out) {
  out->push_back(static_cast<char>((frame.fin ? kFin : 0) | frame.opcode));
  const uint8_t masked = mask ? kMasked : 0;
  const size_t size = frame.payload.size();
  if (size < kLengthOf16Bits) {
    out->push_back(static_cast<char>(masked | size));
  } else if (size <= 0xffff) {
    out->push_back(static_cast<char>(masked | kLengthOf16Bits));
    AppendBigEndian(size, 2, out);
  } else {
    out->push_back(static_cast<char>(masked | kLengthOf64Bits));
    AppendBigEndian(size, 8, out);
  }
  std::string key;
  if (mask) AppendBigEndian(*mask, 4, &key);
  out->append(key);
  const size_t begin = out->size();
  out->append(frame.payload);
  for (size_t i = 0; mask && i < size; ++i) (*out)[begin + i] ^= key[i % 4];
}

std::string WebSocketClosePayload(uint16_t code, std::string_view reason) {
  std::string payload;
  AppendBigEndian(code, 2, &payload);
  payload.append(reason);
  return payload;
}

bool WebSocketParser::Feed(std::string_view bytes, std::vector<WebSocketFrame>* frames) {
  if (close_code_ != 0) return false;
  pending_.append(bytes);
  while (TakeFrame(frames)) {
  }
  return close_code_ == 0;
}

// True if a frame was complete.
bool WebSocketParser::TakeFrame(std::vector<WebSocketFrame>* frames) {
  if (pending_.size() < 2) return false;
  const uint8_t first = static_cast<uint8_t>(pending_[0]);
  const uint8_t second = static_cast<uint8_t>(pending_[1]);
  const uint8_t opcode = first & 0x0f;
  const uint8_t short_length = second & 0x7f;
  const bool known =
      opcode <= WebSocketFrame::kBinary || (opcode >= WebSocketFrame::kClose && opcode <= WebSocketFrame::kPong);
  if ((first & kReserved) != 0 || !known) return Refuse(kProtocolError);
  // Section 5.5: "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented."
  if (IsControl(opcode) && (short_length >= kLengthOf16Bits || (first & kFin) == 0)) return Refuse(kProtocolError);
  const size_t length_bytes = short_length == kLengthOf16Bits ? 2 : short_length == kLengthOf64Bits ? 8 : 0;
  const size_t key_bytes = (second & kMasked) != 0 ? 4 : 0;
  const size_t head = 2 + length_bytes + key_bytes;
  if (pending_.size() < head) return false;
  const std::string_view view = pending_;
  const uint64_t length = length_bytes == 0 ? short_length : BigEndian(view.substr(2, length_bytes));
  if (length > kPayloadBytesMax) return Refuse(kMessageTooBig);
  if (pending_.size() - head < length) return false;
  WebSocketFrame frame{opcode, (first & kFin) != 0, pending_.substr(head, length)};
  const std::string_view key = view.substr(2 + length_bytes, key_bytes);
  for (size_t i = 0; !key.empty() && i < frame.payload.size(); ++i) frame.payload[i] ^= key[i % 4];
  pending_.erase(0, head + length);
  frames->push_back(std::move(frame));
  return true;
}

bool WebSocketParser::Refuse(uint16_t code) {
  close_code_ = code;
  pending_.clear();
  return false;
}

}  // namespace weir::examples
