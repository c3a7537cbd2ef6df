// MakeMemoryStreamPair: two ByteStreams joined in memory, for tests and for peers in one process.
//
// Bounded like a socket's buffers: a reader that does not read makes the writer wait. Both ends belong to one loop (the
// same thread); notifications come in a later turn, never inside a call. Can be told to cut and to fail, as networks
// do.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "weir/transport/io/byte_stream.h"
#include "weir/transport/io/event_loop.h"

namespace weir::transport {

struct MemoryStreamOptions {
  size_t capacity_bytes = 64 * 1024;                 // of each direction
  size_t read_bytes_max = static_cast<size_t>(-1);   // by one Read
  size_t write_bytes_max = static_cast<size_t>(-1);  // by one Write
  std::string first_name = "memory:1";
  std::string second_name = "memory:2";
};

class MemoryStream : public ByteStream {
 public:
  bool IsLocal() const override { return true; }

  // From now on every Read and Write of this end fails with `error`, as after a connection reset; bytes in flight
  // towards this end are lost. The other end sees nothing of it.
  virtual void FailWith(absl::Status error) = 0;

  // Written by the other end and not yet read by this one.
  virtual size_t unread_bytes() const = 0;
};

std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> MakeMemoryStreamPair(
    EventLoop& loop, MemoryStreamOptions options = {});

}  // namespace weir::transport
