// HttpTunnel: the way through an HTTP proxy: CONNECT (RFC 9110, section 9.3.6) on a stream that is connected to it.
//
//   (made) --Start--> request is written --2xx--> on_done(a stream to the destination)
//                            |
//                            +--anything else--> on_done(UNAVAILABLE: what the proxy said, and what to do)
//
// Destroying it gives up. On the loop's thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/transport/io/byte_stream.h"
#include "weir/transport/io/event_loop.h"

namespace weir::transport {

struct HttpTunnelRequest {
  std::string destination;    // "greeter.example:443"; the proxy looks the name up
  std::string authorization;  // the value of Proxy-Authorization; empty: none
};

class HttpTunnel final : private ByteStreamObserver {
 public:
  using OnDone = std::function<void(absl::StatusOr<std::unique_ptr<ByteStream>>)>;

  // Of the proxy's answer: its status line and fields.
  static constexpr size_t kAnswerBytesMax = 8 * 1024;

  HttpTunnel(EventLoop& loop, std::unique_ptr<ByteStream> to_proxy, const HttpTunnelRequest& request, OnDone on_done);
  ~HttpTunnel();

  // `on_done` comes once, never inside of this, and may destroy the tunnel. There is no time limit.
  void Start();

 private:
  class TunnelStream;

  void OnReadable() override;
  void OnWritable() override;
  void OnAnswerBytes();
  void OnAnswer(std::string_view head);
  void Fail(const std::string& what);
  void Fail(const absl::Status& why) { Fail(std::string(why.message())); }
  void Report();

  EventLoop& loop_;
  const std::string destination_;
  std::string unsent_;
  std::string answer_;
  std::unique_ptr<TunnelStream> stream_;
  OnDone on_done_;
  absl::Status outcome_;
  Timer report_;  // so that whoever calls us is not destroyed by what it calls
};

}  // namespace weir::transport
