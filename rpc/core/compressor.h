// Compressor: one content coding of messages, called what grpc-encoding calls it.
//
// weir has "gzip" and "deflate", and "zstd" in a target of its own (rpc/wire/compressors.h). An application's own is a
// class that derives from this:
//
//   options.compressors.Add(std::make_shared<Brotli>());   // ChannelOptions, ServerOptions
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace weir {

// Constant, and used by many threads at once: what an implementation wants to use again it keeps by thread.
class Compressor {
 public:
  virtual ~Compressor() = default;

  // As in grpc-encoding: lower case, no commas, no spaces.
  virtual std::string_view name() const = 0;

  // Appends `message` in this coding to *out. An error ends the call with INTERNAL.
  virtual absl::Status Compress(std::string_view message, std::string* out) const = 0;

  // Appends what `compressed` stands for to *out, which is empty. `compressed` comes from the peer: bytes after its
  // end, a missing end and damage are errors, whose text says which; its code is not looked at. At most `bytes_max` + 1
  // bytes are made, so that the caller sees that there are more; memory follows what has been made, not what a header
  // declares.
  virtual absl::Status Decompress(std::string_view compressed, size_t bytes_max, std::string* out) const = 0;
};

}  // namespace weir
