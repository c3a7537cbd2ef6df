// Envelope: the five bytes before every message (gRPC over HTTP2, Length-Prefixed-Message), and the reader that cuts
// messages out of a stream's body bytes.
//
//   +------------+----------------------+-----------------+
//   | flag (1)   | length (4, big end.) | message         |
//   +------------+----------------------+-----------------+
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "weir/transport/memory/pool_array.h"

namespace weir::wire {

inline constexpr size_t kEnvelopeHeaderBytes = 5;

void PutEnvelopeHeader(char* out, bool compressed, uint32_t length);

struct Envelope {
  std::string_view payload;  // without the five bytes; valid until the reader's next call
  bool compressed = false;
};

// Cuts messages from body bytes that come cut anywhere. A message that lies whole inside one piece is never copied;
// only what is left over is kept, as raw bytes, so that what a stream holds in memory is what its peer has sent.
//
//   reader.Feed(piece);
//   while (wanted && reader.Next(&envelope) == Cut::kMessage) ...;
//   reader.Keep();      // before `piece` becomes invalid
class EnvelopeReader {
 public:
  enum class Cut { kMessage, kNeedMore, kError };

  // Messages longer than `message_bytes_max` (the option "max_receive_message_bytes") are refused from their prefix.
  explicit EnvelopeReader(size_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}

  // Adds bytes behind those that are held. They are referred to, not copied, until Keep. Keep must come between two.
  void Feed(std::string_view bytes);

  // Cuts the next message off the front. kError is final: `error` says why (RESOURCE_EXHAUSTED with both sizes and the
  // option; INTERNAL for a flag other than 0 or 1).
  Cut Next(Envelope* envelope);

  // Copies what Feed gave and Next has not taken.
  void Keep();

  // Bytes held or fed and not yet cut off.
  size_t buffered_bytes() const { return buffer_.size() - head_ + input_.size(); }

  // At END_STREAM, when Next says kNeedMore: OK if nothing is left, else INTERNAL saying how much of what is missing.
  absl::Status AtEnd() const;

  const absl::Status& error() const { return error_; }

 private:
  // Moves up to `wanted` bytes of the message that begins at head_ from input_ to buffer_; `total` is its size with the
  // prefix, 0 if not known yet.
  void Take(size_t wanted, size_t total);
  void DropCutBytes();
  std::string_view Held() const { return {buffer_.data() + head_, buffer_.size() - head_}; }
  Cut Fail(absl::Status error);

  transport::PoolArray<char> buffer_;  // held bytes; [0, head_) is cut off already
  size_t head_ = 0;
  std::string_view input_;  // fed and not yet kept
  size_t message_bytes_max_;
  absl::Status error_;
};
}  // namespace weir::wire
