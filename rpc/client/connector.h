// Connector: connects to an address. A channel has one; tests put a scripted one in its place.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "weir/rpc/client/stream_source.h"
#include "weir/transport/io/byte_stream.h"
#include "weir/transport/io/event_loop.h"
#include "weir/transport/io/socket_address.h"

namespace weir {

// Destroying it abandons the attempt.
class ConnectAttempt {
 public:
  virtual ~ConnectAttempt() = default;
  // What is still to come, for the text of a timeout: "connect to 10.0.0.1:50051: no answer"; empty: just that.
  virtual std::string WaitsFor() const { return ""; }
};

struct ConnectedStream {
  std::unique_ptr<transport::ByteStream> stream;
  uint32_t first_stream_id = 1;
};

class Connector {
 public:
  using OnDone = std::function<void(absl::StatusOr<ConnectedStream>)>;

  virtual ~Connector() = default;
  // `on_done` comes on the loop, never inside this call, and may destroy the attempt.
  virtual std::unique_ptr<ConnectAttempt> Connect(transport::EventLoop& loop, const transport::SocketAddress& address,
                                                  OnDone on_done) = 0;
};

// To TCP addresses and Unix sockets.
std::unique_ptr<Connector> MakeSocketConnector();
// To what the source gives.
std::unique_ptr<Connector> MakeSourceConnector(std::unique_ptr<StreamSource> source);
// To `first`, once; after that as `next` does.
std::unique_ptr<Connector> MakeAdoptingConnector(ConnectedStream first, std::unique_ptr<Connector> next);

}  // namespace weir
