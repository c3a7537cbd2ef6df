// RepeatedBatch: frames of a few new streams, as bytes that can be received again and again.
//
// A peer may use a stream id once, so each time the ids in the frames move up. The header blocks stay as they are: they
// must leave the compression table as they found it, as those of every client do after its first calls.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "weir/transport/h2/event.h"

namespace bench {

class RepeatedBatch {
 public:
  // `frames`: whole frames, of streams that follow each other.
  explicit RepeatedBatch(std::string frames);

  std::string_view bytes() const { return bytes_; }
  const std::vector<weir::transport::StreamId>& streams() const { return streams_; }

  // The same frames for the streams that come after these.
  void Advance();

 private:
  std::string bytes_;
  std::vector<size_t> id_offsets_;  // in bytes_, of all frames on streams
  std::vector<weir::transport::StreamId> streams_;
};

}  // namespace bench
