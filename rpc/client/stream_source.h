// StreamSource: where a channel gets its connections if not from the addresses of its target: from a server in the same
// process, or from a descriptor that somebody else has connected.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "weir/transport/io/byte_stream.h"
#include "weir/transport/io/event_loop.h"
#include "weir/transport/io/socket_address.h"

namespace weir {

class StreamSource {
 public:
  virtual ~StreamSource() = default;

  // A connected stream that belongs to `loop`, or why there is none. On the loop, whenever the channel needs a
  // connection; after an error it asks again when its back-off is over.
  virtual absl::StatusOr<std::unique_ptr<transport::ByteStream>> Connect(transport::EventLoop& loop) = 0;
  // The same for one of several servers (ChannelEndpoint::scheme).
  virtual absl::StatusOr<std::unique_ptr<transport::ByteStream>> ConnectTo(transport::EventLoop& loop,
                                                                           const transport::SocketAddress& address) {
    return Connect(loop);
  }
};

}  // namespace weir
