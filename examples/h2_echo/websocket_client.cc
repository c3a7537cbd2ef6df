// websocket_client [--port=8080] [text...]: opens a WebSocket over HTTP/2, sends each text and prints what comes back.
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/examples/h2_echo/websocket_session.h"
#include "weir/transport/io/epoll_loop.h"
#include "weir/transport/io/tcp.h"

namespace {

using namespace weir;  // NOLINT: an example
using examples::WebSocketFrame;
using examples::WebSocketSession;

struct Client {
  transport::EpollLoop loop;
  std::vector<std::string> texts;
  size_t echoes = 0;
  absl::Status outcome;
  std::unique_ptr<WebSocketSession> session;

  void OnConnected(absl::StatusOr<std::unique_ptr<transport::ByteStream>> stream, const std::string& authority) {
    if (!stream.ok()) return OnClosed(stream.status());
    session = std::make_unique<WebSocketSession>(
        loop, *std::move(stream), authority, "/",
        WebSocketSession::Callbacks{.on_open = [this] { OnOpen(); },
                                    .on_frame = [this](const WebSocketFrame& frame) { OnFrame(frame); },
                                    .on_closed = [this](const absl::Status& reason) { OnClosed(reason); }});
    if (const absl::Status started = session->Start(); !started.ok()) OnClosed(started);
  }
  void OnOpen() {
    std::cout << "open" << std::endl;
    for (const std::string& text : texts) session->SendText(text);
    if (texts.empty()) session->Close(1000);
  }
  void OnFrame(const WebSocketFrame& frame) {
    if (frame.opcode == WebSocketFrame::kClose) std::cout << "closed" << std::endl;
    if (frame.opcode != WebSocketFrame::kText) return;
    std::cout << "echo: " << frame.payload << std::endl;
    if (++echoes == texts.size()) session->Close(1000);
  }
  void OnClosed(const absl::Status& reason) {
    outcome = reason;
    loop.Stop();
  }
};

}  // namespace

int main(int argc, char** argv) {
  Client client;
  std::string port = "8080";
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with("--port=")) {
      port = argument.substr(7);
    } else {
      client.texts.emplace_back(argument);
    }
  }
  const auto address = transport::SocketAddress::Parse("127.0.0.1:" + port);
  if (!address.ok()) {
    std::cerr << address.status() << "\n";
    return 2;
  }
  transport::TcpConnector connector(client.loop, *address,
                                    [&](auto stream) { client.OnConnected(std::move(stream), address->ToString()); });
  connector.Start();
  client.loop.Run();
  if (!client.outcome.ok()) std::cerr << client.outcome << "\n";
  const bool complete = client.outcome.ok() && client.echoes == client.texts.size();
  return complete ? EXIT_SUCCESS : EXIT_FAILURE;
}
