// TCP over IPv4 and IPv6, and Unix sockets, which differ in nothing but the address: listening and connecting.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/transport/io/byte_stream.h"
#include "weir/transport/io/event_loop.h"
#include "weir/transport/io/socket_address.h"

namespace weir::transport {

// A stream over an accepted or connected descriptor, which it owns. TCP_NODELAY is set.
std::unique_ptr<ByteStream> MakeTcpStream(EventLoop& loop, int fd);

// Accepts connections on one address and hands descriptors out, so that each may move to another loop.
// SO_REUSEPORT stays off: a port in use is an error, not a silent split of traffic. When the process has no descriptor
// left, one waiting peer is turned away (with a descriptor kept in reserve) and accepting pauses for kPause: the others
// wait in the system's queue, and the loop does not spin.
class TcpListener final : private DescriptorHandler {
 public:
  using OnAccept = std::function<void(int fd)>;  // may close or destroy the listener

  static constexpr int kAcceptsPerTurnMax = 64;
  static constexpr std::chrono::milliseconds kPause{100};

  explicit TcpListener(EventLoop& loop, OnAccept on_accept);
  ~TcpListener();

  // Binds and listens; port 0 lets the system choose. Errors name the address and the reason ("Address already in
  // use"). A Unix socket's file that nobody listens on any more is replaced.
  absl::Status Listen(const SocketAddress& address);
  // Accepts on a socket that listens already, and owns it from now on. The errors of AdoptListening leave it to the
  // caller.
  absl::Status ListenOn(int fd);
  const SocketAddress& address() const { return address_; }  // with the chosen port
  void Close();                                              // also removes a Unix socket's file that Listen has made

  // The descriptor, for another process to listen on; -1 before. The file is the other's from then on.
  int fd() const { return fd_; }
  void KeepFile() { owns_file_ = false; }

 private:
  void OnReadable() override;
  void OnWritable() override {}
  absl::Status Begin(int fd);
  void AcceptSome();
  void PauseAfter(int error);

  EventLoop& loop_;
  OnAccept on_accept_;
  SocketAddress address_;
  Timer resume_;
  int fd_ = -1;
  int reserve_fd_ = -1;
  bool owns_file_ = false;
  bool* destroyed_ = nullptr;  // set while on_accept_ runs
};

// One attempt to connect; destroying it abandons the attempt.
class TcpConnector final : private DescriptorHandler {
 public:
  using OnDone = std::function<void(absl::StatusOr<std::unique_ptr<ByteStream>>)>;

  TcpConnector(EventLoop& loop, const SocketAddress& address, OnDone on_done);
  ~TcpConnector();

  // `on_done` runs on the loop, never inside Start, and may destroy the connector. UNAVAILABLE with address and reason
  // if it fails. There is no time limit but the system's: a caller with a deadline destroys the connector.
  void Start();

 private:
  void OnReadable() override {}
  void OnWritable() override;
  void Report(absl::Status outcome);

  EventLoop& loop_;
  const SocketAddress address_;
  OnDone on_done_;
  Timer report_;
  absl::Status outcome_;  // for report_
  int fd_ = -1;
};

}  // namespace weir::transport
