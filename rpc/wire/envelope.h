// Envelope: the five bytes before every message (gRPC over HTTP2, Length-Prefixed-Message), and the reader that cuts
// messages out of a stream's body bytes.
//
//   +------------+----------------------+-----------------+
//   | flag (1)   | length (4, big end.) | message         |
//   +------------+----------------------+-----------------+
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "weir/transport/memory/chunk_queue.h"
#include "weir/transport/memory/chunked_bytes.h"

namespace weir::wire {

inline constexpr size_t kEnvelopeHeaderBytes = 5;

inline void PutEnvelopeHeader(char* out, bool compressed, uint32_t length) {
  out[0] = compressed ? 1 : 0;
  out[1] = static_cast<char>(length >> 24);
  out[2] = static_cast<char>(length >> 16);
  out[3] = static_cast<char>(length >> 8);
  out[4] = static_cast<char>(length);
}

struct Envelope {
  transport::ChunkedBytes payload;  // without the five bytes; valid until the reader's next call
  bool compressed = false;
};

// Cuts messages from body bytes that come cut anywhere. A message that lies whole inside one piece is never copied;
// what is left over is copied once, as raw bytes, so that what a stream holds in memory is what its peer has sent. A
// message that came in several pieces may come out in several.
//
//   reader.Feed(piece);
//   while (wanted && reader.Next(&envelope) == Cut::kMessage) ...;
//   reader.Keep();      // before `piece` becomes invalid
class EnvelopeReader {
 public:
  enum class Cut { kMessage, kNeedMore, kError };

  // Messages longer than `message_bytes_max` (the option "max_receive_message_bytes") are refused from their prefix.
  explicit EnvelopeReader(size_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}

  size_t message_bytes_max() const { return message_bytes_max_; }
  // Lowers it.
  void LimitMessages(size_t bytes_max) { message_bytes_max_ = std::min(message_bytes_max_, bytes_max); }

  // Adds bytes behind those that are held. They are referred to, not copied, until Keep. Keep must come between two.
  void Feed(std::string_view bytes);

  // Cuts the next message off the front. kError is final: `error` says why (RESOURCE_EXHAUSTED with both sizes and the
  // option; INTERNAL for a flag other than 0 or 1).
  Cut Next(Envelope* envelope);

  // Copies what Feed gave and Next has not taken, and forgets the message that Next cut last.
  void Keep() {
    if (cut_ != 0 || !input_.empty()) KeepRest();
  }

  // Bytes held or fed and not yet cut off.
  size_t buffered_bytes() const { return held_.size() - cut_ + input_.size(); }

  // At END_STREAM, when Next says kNeedMore: OK if nothing is left, else INTERNAL saying how much of what is missing.
  absl::Status AtEnd() const;

  const absl::Status& error() const { return error_; }

 private:
  // Moves bytes from input_ to held_ until that has `wanted`; false if there are not so many.
  bool Hold(size_t wanted);
  void KeepRest();
  void DropCut() {
    if (cut_ != 0) held_.RemovePrefix(std::exchange(cut_, 0));
  }
  Cut Fail(absl::Status error);

  transport::ChunkQueue held_;
  size_t cut_ = 0;          // of them: the message that Next gave, still in use
  std::string_view input_;  // fed and not yet held
  size_t message_bytes_max_;
  absl::Status error_;
};
}  // namespace weir::wire
