#include "weir/examples/h2_echo/echo_server.h"

#include <iostream>
#include <string>
#include <utility>

namespace weir::examples {

EchoServer::EchoServer(transport::EventLoop& loop) : loop_(loop), listener_(loop, [this](int fd) { OnAccept(fd); }) {}

void EchoServer::Drain(std::function<void()> on_drained) {
  listener_.Close();
  on_drained_ = std::move(on_drained);
  for (auto& [number, connection] : connections_) connection->Drain();
  if (connections_.empty()) on_drained_();
}

void EchoServer::OnAccept(int fd) {
  const uint64_t number = next_number_++;
  auto connection = std::make_unique<EchoConnection>(
      loop_, transport::MakeTcpStream(loop_, fd), "s" + std::to_string(number),
      [this, number](const absl::Status& reason) { OnConnectionClosed(number, reason); });
  const absl::Status started = connection->Start();
  if (started.ok()) {
    connections_[number] = std::move(connection);
  } else {
    std::cerr << started << "\n";
  }
}

void EchoServer::OnConnectionClosed(uint64_t number, const absl::Status& reason) {
  if (!reason.ok()) std::cerr << "s" << number << ": " << reason << "\n";
  connections_.erase(number);
  if (on_drained_ && connections_.empty()) on_drained_();
}

}  // namespace weir::examples
