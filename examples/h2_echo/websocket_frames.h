// WebSocket frames (RFC 6455 section 5) as a value and two functions: bytes in, frames out; frames in, bytes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::examples {

struct WebSocketFrame {
  enum Opcode : uint8_t { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

  uint8_t opcode = kText;
  bool fin = true;
  std::string payload;
};

// Appends `frame` to `out`; a client must mask what it sends (section 5.3), a server must not.
void AppendWebSocketFrame(const WebSocketFrame& frame, std::optional<uint32_t> mask, std::string* out);

// The payload of a close frame (section 5.5.1).
std::string WebSocketClosePayload(uint16_t code, std::string_view reason);

class WebSocketParser {
 public:
  static constexpr size_t kPayloadBytesMax = 64 * 1024;

  // Takes bytes cut anywhere, masked or not, and appends the frames that are complete. False if they are no frames:
  // close_code() says why; nothing more is taken.
  bool Feed(std::string_view bytes, std::vector<WebSocketFrame>* frames);
  uint16_t close_code() const { return close_code_; }

 private:
  bool TakeFrame(std::vector<WebSocketFrame>* frames);
  bool Refuse(uint16_t code);

  std::string pending_;
  uint16_t close_code_ = 0;
};

}  // namespace weir::examples
