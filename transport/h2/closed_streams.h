// ClosedStreams: what is remembered of a server's streams that are gone, to tell a late frame from a wrong one.
//
//   opened in order, ended by both sides      nothing is remembered: it is what all ids below the last are
//   passed over (the client skipped its id)   never opened, and never may be (RFC 9113 section 5.1.1)
//   reset, by either side                     frames may have been under way
//
// A client that passes over ids and resets streams without end makes it forget the oldest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/transport/h2/event.h"

namespace weir::transport {

class ClosedStreams {
 public:
  // Remembered of each kind; a few KiB at most, and nothing for a connection on which neither happens.
  static constexpr size_t kRemembered = 512;

  enum class Past : uint8_t { kEnded, kNeverOpened, kResetByUs, kResetByPeer, kForgotten };

  StreamId last_opened() const { return last_opened_; }

  // `id` is odd and above last_opened().
  void NoteOpened(StreamId id) {
    if (id > last_opened_ + 2) NoteGap(id);
    last_opened_ = id;
  }
  void NoteReset(StreamId id, ResetBy by);

  // Of a stream at or below last_opened() that is not open.
  Past Of(StreamId id) const;

 private:
  struct Gap {
    StreamId first;
    StreamId last;
  };
  struct Reset {
    StreamId id;
    ResetBy by;
  };

  void NoteGap(StreamId opened);

  StreamId last_opened_ = -1;
  StreamId forgotten_ = 0;     // of this and lower ids something may have been dropped
  std::vector<Gap> gaps_;      // ascending
  std::vector<Reset> resets_;  // in the order in which they happened
};

}  // namespace weir::transport
