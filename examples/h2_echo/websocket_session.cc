#include "weir/examples/h2_echo/websocket_session.h"

#include <utility>
#include <variant>
#include <vector>

namespace weir::examples {

using transport::EndStream;

namespace {

constexpr uint16_t kEnableConnectProtocol = 8;  // RFC 8441 section 3

transport::H2Options ClientOptions() {
  transport::H2Options options;
  options.role = transport::Role::kClient;
  return options;
}

}  // namespace

WebSocketSession::WebSocketSession(transport::EventLoop& loop, std::unique_ptr<transport::ByteStream> stream,
                                   std::string authority, std::string path, Callbacks callbacks)
    : connection_(ClientOptions()),
      driver_(loop, std::move(stream), connection_, *this, "c1"),
      authority_(std::move(authority)),
      path_(std::move(path)),
      callbacks_(std::move(callbacks)) {}

void WebSocketSession::Send(const WebSocketFrame& frame) {
  if (ended_) return;
  // RFC 6455 section 5.1: "a client MUST mask all frames that it sends to the server".
  AppendWebSocketFrame(frame, static_cast<uint32_t>(masks_()), &unsent_);
  ended_ = frame.opcode == WebSocketFrame::kClose;
  SendSome();
}

void WebSocketSession::Close(uint16_t code) { Send({WebSocketFrame::kClose, true, WebSocketClosePayload(code, "")}); }

void WebSocketSession::OnEvents(std::span<transport::H2Event> events) {
  for (transport::H2Event& event : events) {
    if (auto* settings = std::get_if<transport::H2SettingsReceived>(&event)) OnSettings(*settings);
    if (auto* response = std::get_if<transport::H2ResponseReceived>(&event)) OnResponse(*response);
    if (auto* body = std::get_if<transport::H2BodyReceived>(&event)) OnBody(*body);
    if (std::holds_alternative<transport::H2WindowUpdated>(event)) SendSome();
    if (auto* reset = std::get_if<transport::H2StreamReset>(&event)) {
      if (!ended_) Fail("the stream was reset: " + ToString(reset->error_code));
    }
  }
}

void WebSocketSession::OnSettings(const transport::H2SettingsReceived& settings) {
  if (settings.ack || stream_id_ != 0) return;
  bool enabled = false;
  for (const auto& [identifier, value] : settings.settings) {
    if (identifier == kEnableConnectProtocol) enabled = value == 1;
  }
  if (!enabled) return Fail("SETTINGS: expected ENABLE_CONNECT_PROTOCOL=1; the server has no WebSocket over HTTP/2");
  const absl::StatusOr<transport::StreamId> id = connection_.SendRequestHeaders({{":method", "CONNECT"},
                                                                                 {":scheme", "http"},
                                                                                 {":path", path_},
                                                                                 {":authority", authority_},
                                                                                 {":protocol", "websocket"},
                                                                                 {"sec-websocket-version", "13"}},
                                                                                EndStream::kNo);
  if (!id.ok()) return driver_.Close(id.status());
  stream_id_ = *id;
}

void WebSocketSession::OnResponse(const transport::H2ResponseReceived& event) {
  if (event.interim()) return;
  if (event.response.status != 200) return Fail("status " + std::to_string(event.response.status) + ", expected 200");
  callbacks_.on_open();
}

void WebSocketSession::OnBody(const transport::H2BodyReceived& event) {
  std::vector<WebSocketFrame> frames;
  const bool good = parser_.Feed(event.body.data, &frames);
  connection_.ConsumeData(stream_id_, event.body.flow_controlled_bytes);
  for (const WebSocketFrame& frame : frames) {
    if (frame.opcode == WebSocketFrame::kPing) Send({WebSocketFrame::kPong, true, frame.payload});
    if (frame.opcode == WebSocketFrame::kClose) Send({WebSocketFrame::kClose, true, frame.payload});
    callbacks_.on_frame(frame);
  }
  if (!good) return Fail("the server sent what is no WebSocket frame");
  if (event.body.more) return;
  connection_.RemoveStream(stream_id_);
  connection_.BeginDrain();  // one WebSocket is all we came for
}

void WebSocketSession::SendSome() {
  if (stream_id_ == 0 || unsent_.empty()) return;
  unsent_.erase(0, connection_.SendData(stream_id_, unsent_, ended_ ? EndStream::kYes : EndStream::kNo));
  driver_.RequestFlush();
}

void WebSocketSession::Fail(std::string_view reason) {
  driver_.Close(absl::UnavailableError("WebSocket at " + authority_ + path_ + ": " + std::string(reason)));
}

}  // namespace weir::examples
