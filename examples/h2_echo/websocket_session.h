// WebSocketSession: a client's WebSocket over one stream of an HTTP/2 connection (RFC 8441).
//
//   SETTINGS of the server name ENABLE_CONNECT_PROTOCOL -> extended CONNECT -> 200 -> frames both ways -> close frames
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "weir/examples/h2_echo/websocket_frames.h"
#include "weir/transport/h2/connection.h"
#include "weir/transport/io/byte_stream.h"
#include "weir/transport/io/connection_driver.h"
#include "weir/transport/io/event_loop.h"

namespace weir::examples {

class WebSocketSession final : private transport::EventSink {
 public:
  struct Callbacks {
    std::function<void()> on_open;
    std::function<void(const WebSocketFrame& frame)> on_frame;
    std::function<void(const absl::Status& reason)> on_closed;  // of the connection; may destroy the session
  };

  WebSocketSession(transport::EventLoop& loop, std::unique_ptr<transport::ByteStream> stream, std::string authority,
                   std::string path, Callbacks callbacks);

  absl::Status Start() { return driver_.Start(); }

  // After on_open. Frames wait here while the window is closed.
  void Send(const WebSocketFrame& frame);
  void SendText(std::string_view text) { Send({WebSocketFrame::kText, true, std::string(text)}); }
  void Close(uint16_t code);

 private:
  void OnEvents(std::span<transport::H2Event> events) override;
  void OnClosed(const absl::Status& reason) override { callbacks_.on_closed(reason); }

  void OnSettings(const transport::H2SettingsReceived& settings);
  void OnResponse(const transport::H2ResponseReceived& event);
  void OnBody(const transport::H2BodyReceived& event);
  void SendSome();
  void Fail(std::string_view reason);

  transport::H2Connection connection_;
  transport::ConnectionDriver driver_;
  std::string authority_;
  std::string path_;
  Callbacks callbacks_;
  transport::StreamId stream_id_ = 0;  // 0: not asked for yet
  WebSocketParser parser_;
  std::string unsent_;
  bool ended_ = false;  // our close frame is queued
  std::mt19937 masks_{std::random_device{}()};
};

}  // namespace weir::examples
