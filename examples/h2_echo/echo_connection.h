// EchoConnection: what the server does on one HTTP/2 connection. An EventSink over a ConnectionDriver: no RPC.
//
//   GET /                          a short page
//   POST, PUT <any path>           the body comes back as it arrives, no faster than the client takes it
//   CONNECT, :protocol=websocket   RFC 8441: WebSocket messages come back, pings are answered
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
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

class EchoConnection final : private transport::EventSink {
 public:
  // `on_closed` may destroy the connection.
  EchoConnection(transport::EventLoop& loop, std::unique_ptr<transport::ByteStream> stream, std::string name,
                 std::function<void(const absl::Status& reason)> on_closed);

  absl::Status Start() { return driver_.Start(); }
  void Drain();  // open streams run to their end

 private:
  // A stream whose answer is not complete.
  struct Echo {
    std::string unsent;           // accepted by us, not yet by the connection
    size_t unconsumed_bytes = 0;  // to be returned to the peer's window once `unsent` is gone
    bool ended = false;           // nothing will be added to `unsent`
    bool is_websocket = false;
    WebSocketParser parser;
  };

  void OnEvents(std::span<transport::H2Event> events) override;
  void OnClosed(const absl::Status& reason) override;

  void OnRequest(const transport::H2RequestReceived& event);
  void OnWebSocketRequest(const transport::H2WebSocketRequest& event);
  void OnBody(const transport::H2BodyReceived& event);
  void OnWebSocketBytes(Echo& echo, std::string_view bytes);
  void Answer(transport::StreamId id, int status, std::string_view text);
  void SendSome(transport::StreamId id);

  transport::H2Connection connection_;
  transport::ConnectionDriver driver_;
  std::function<void(const absl::Status& reason)> on_closed_;
  std::map<transport::StreamId, Echo> echoes_;
};

}  // namespace weir::examples
