// StreamSecurity: what stands between a connected stream and its user: TLS. Cleartext is no object at all, so that a
// program which never makes one does not link a TLS library.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "weir/transport/io/byte_stream.h"
#include "weir/transport/io/event_loop.h"

namespace weir::transport {

class StreamSecurity {
 public:
  virtual ~StreamSecurity() = default;

  // Not OK: why it cannot be used: a file that cannot be read, a key of another certificate. Never changes.
  virtual const absl::Status& status() const = 0;

  // A stream over `plain`, whose handshake begins when it is started; reading and writing wait for its end. `host`: the
  // name or numeric address that a client wants to reach, which the server's certificate must be for; servers pass "".
  // Only when status() is OK. Any thread; the stream belongs to `loop`'s.
  virtual std::unique_ptr<ByteStream> Secure(EventLoop& loop, std::unique_ptr<ByteStream> plain,
                                             std::string_view host) = 0;
};

}  // namespace weir::transport
