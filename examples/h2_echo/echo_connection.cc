#include "weir/examples/h2_echo/echo_connection.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace weir::examples {

using transport::EndStream;
using transport::StreamId;

namespace {

constexpr std::string_view kPage =
    "weir h2_echo\n"
    "POST a body to any path and it comes back, or open a WebSocket over HTTP/2 (RFC 8441).\n";

transport::H2Options ServerOptions() {
  transport::H2Options options;
  options.role = transport::Role::kServer;
  return options;
}

}  // namespace

EchoConnection::EchoConnection(transport::EventLoop& loop, std::unique_ptr<transport::ByteStream> stream,
                               std::string name, std::function<void(const absl::Status& reason)> on_closed)
    : connection_(ServerOptions()),
      driver_(loop, std::move(stream), connection_, *this, std::move(name)),
      on_closed_(std::move(on_closed)) {}

void EchoConnection::Drain() {
  connection_.BeginDrain();
  driver_.RequestFlush();
}

void EchoConnection::OnEvents(std::span<transport::H2Event> events) {
  for (transport::H2Event& event : events) {
    if (auto* request = std::get_if<transport::H2RequestReceived>(&event)) OnRequest(*request);
    if (auto* request = std::get_if<transport::H2WebSocketRequest>(&event)) OnWebSocketRequest(*request);
    if (auto* head = std::get_if<transport::H2RequestTooLarge>(&event)) {
      Answer(head->stream_id, 431, "the request's head is too large\n");
    }
    if (auto* body = std::get_if<transport::H2BodyReceived>(&event)) OnBody(*body);
    if (auto* trailers = std::get_if<transport::H2TrailersReceived>(&event)) {
      if (auto echo = echoes_.find(trailers->stream_id); echo != echoes_.end()) echo->second.ended = true;
      SendSome(trailers->stream_id);
    }
    if (auto* reset = std::get_if<transport::H2StreamReset>(&event)) {
      echoes_.erase(reset->stream_id);
      connection_.RemoveStream(reset->stream_id);
    }
    if (auto* window = std::get_if<transport::H2WindowUpdated>(&event)) {
      if (window->stream_id != 0) {
        SendSome(window->stream_id);
      } else {
        std::vector<StreamId> ids;
        for (const auto& [id, echo] : echoes_) ids.push_back(id);
        for (const StreamId id : ids) SendSome(id);
      }
    }
  }
}

void EchoConnection::OnClosed(const absl::Status& reason) { on_closed_(reason); }

void EchoConnection::OnRequest(const transport::H2RequestReceived& event) {
  const std::string_view method = event.request.method();
  const StreamId id = event.stream_id;
  if (method == "GET" && event.request.target() == "/") return Answer(id, 200, kPage);
  if (method == "GET") return Answer(id, 404, "not found; try GET / or POST a body\n");
  if (method != "POST" && method != "PUT") return Answer(id, 405, "expected GET, POST or PUT\n");
  const EndStream end = event.end_stream ? EndStream::kYes : EndStream::kNo;
  if (!connection_.SendResponseHeaders(id, 200, {{"content-type", "application/octet-stream"}}, end).ok()) return;
  if (event.end_stream) return connection_.RemoveStream(id);
  echoes_[id];
}

void EchoConnection::OnWebSocketRequest(const transport::H2WebSocketRequest& event) {
  const StreamId id = event.stream_id;
  if (event.request.protocol() != "websocket") {
    return Answer(id, 501, ":protocol: expected websocket\n");  // RFC 9220 section 3
  }
  const std::optional<std::string_view> version = event.request.fields.Find("sec-websocket-version");
  if (version && *version != "13") return Answer(id, 400, "sec-websocket-version: expected 13\n");
  if (!connection_.SendResponseHeaders(id, 200, {}, EndStream::kNo).ok()) return;
  echoes_[id].is_websocket = true;
}

void EchoConnection::OnBody(const transport::H2BodyReceived& event) {
  const auto found = echoes_.find(event.stream_id);
  if (found == echoes_.end()) return connection_.ConsumeData(event.stream_id, event.body.flow_controlled_bytes);
  Echo& echo = found->second;
  echo.unconsumed_bytes += event.body.flow_controlled_bytes;
  if (echo.is_websocket) {
    OnWebSocketBytes(echo, event.body.data);
  } else {
    echo.unsent.append(event.body.data);
  }
  if (!event.body.more) echo.ended = true;
  SendSome(event.stream_id);
}

void EchoConnection::OnWebSocketBytes(Echo& echo, std::string_view bytes) {
  if (echo.ended) return;  // after our close frame
  std::vector<WebSocketFrame> frames;
  const bool good = echo.parser.Feed(bytes, &frames);
  for (WebSocketFrame& frame : frames) {
    if (frame.opcode == WebSocketFrame::kPong) continue;
    if (frame.opcode == WebSocketFrame::kPing) frame.opcode = WebSocketFrame::kPong;
    AppendWebSocketFrame(frame, std::nullopt, &echo.unsent);  // fragments come back as fragments, close as close
    if (frame.opcode != WebSocketFrame::kClose) continue;
    echo.ended = true;
    return;
  }
  if (good) return;
  const WebSocketFrame close{WebSocketFrame::kClose, true, WebSocketClosePayload(echo.parser.close_code(), "")};
  AppendWebSocketFrame(close, std::nullopt, &echo.unsent);
  echo.ended = true;
}

// A complete answer at once.
void EchoConnection::Answer(StreamId id, int status, std::string_view text) {
  const std::string length = std::to_string(text.size());
  const transport::HeaderList fields = {{"content-type", "text/plain; charset=utf-8"}, {"content-length", length}};
  if (!connection_.SendResponseHeaders(id, status, fields, EndStream::kNo).ok()) return;
  echoes_[id].unsent = text;
  echoes_[id].ended = true;
  SendSome(id);
}

// Hands over what the connection accepts, and opens the peer's window by what has gone: a client that does not read its
// echo can make us hold no more than one window.
void EchoConnection::SendSome(StreamId id) {
  const auto found = echoes_.find(id);
  if (found == echoes_.end()) return;
  Echo& echo = found->second;
  const size_t offered = echo.unsent.size();
  const size_t taken = connection_.SendData(id, echo.unsent, echo.ended ? EndStream::kYes : EndStream::kNo);
  echo.unsent.erase(0, taken);
  if (taken < offered) {
    // A WebSocket's echo is not of the same length as its frames: there the window opens when all is gone.
    const size_t returned = echo.is_websocket ? 0 : std::min(taken, echo.unconsumed_bytes);
    echo.unconsumed_bytes -= returned;
    return connection_.ConsumeData(id, returned);
  }
  connection_.ConsumeData(id, std::exchange(echo.unconsumed_bytes, 0));
  if (!echo.ended) return;
  echoes_.erase(found);
  // The rest of the request, if there is any, is not wanted (RFC 9113 section 8.1).
  if (!connection_.StreamEnded(id)) connection_.ResetStreamAfterEnd(id, transport::ErrorCode::kNoError);
  connection_.RemoveStream(id);
}

}  // namespace weir::examples
