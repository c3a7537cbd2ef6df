// EchoServer: a listener and its connections on one loop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "absl/status/status.h"
#include "weir/examples/h2_echo/echo_connection.h"
#include "weir/transport/io/event_loop.h"
#include "weir/transport/io/tcp.h"

namespace weir::examples {

class EchoServer {
 public:
  explicit EchoServer(transport::EventLoop& loop);

  absl::Status Listen(const transport::SocketAddress& address) { return listener_.Listen(address); }
  transport::SocketAddress address() const { return listener_.address(); }

  // Accepts no more; open streams run to their end; then `on_drained`.
  void Drain(std::function<void()> on_drained);

 private:
  void OnAccept(int fd);
  void OnConnectionClosed(uint64_t number, const absl::Status& reason);

  transport::EventLoop& loop_;
  transport::TcpListener listener_;
  std::map<uint64_t, std::unique_ptr<EchoConnection>> connections_;
  uint64_t next_number_ = 1;
  std::function<void()> on_drained_;  // empty: not draining
};

}  // namespace weir::examples
