// FrameMeter: our own walk over the nine-octet frame headers, ahead of the engine, and what each frame costs the peer.
//
//   bytes --Walk--> as far as the engine may read now --engine--> ... --Walk--> ...
//
// The engine tells nothing of frames that it ignores, and dies of some without a word to the peer. Here all of them are
// seen, however the input is cut. It stops the walk
//
//   before a frame that must not reach the engine        violation() says why; the connection is over
//   before a frame that may be late or wrong              late_frame(): for whoever knows the streams to decide
//   around frames whose effect on streams must be seen    nothing to do: walk on
//
// Must be cheap: a call of gRPC brings two or three frames. Whether the engine will like them is not its business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "weir/transport/h2/closed_streams.h"
#include "weir/transport/h2/counters.h"
#include "weir/transport/h2/error_code.h"
#include "weir/transport/h2/frame.h"
#include "weir/transport/h2/limit.h"
#include "weir/transport/h2/options.h"
#include "weir/transport/h2/stream_table.h"
#include "weir/transport/h2/token_bucket.h"

namespace weir::transport {

// Why a connection has to end.
struct Violation {
  ErrorCode code = ErrorCode::kProtocolError;
  std::string reason;      // what was expected, what came, which option says so
  std::string debug_data;  // for GOAWAY; empty: the reason
  std::optional<H2Limit> limit = std::nullopt;
};

// HEADERS or DATA for a stream that is not new (server) or not open.
struct LateFrame {
  FrameType type = FrameType::kData;
  StreamId stream_id = 0;
};

class FrameMeter {
 public:
  // Both must outlive it.
  FrameMeter(const H2Options& options, const StreamTable& streams);
  FrameMeter(const FrameMeter&) = delete;
  FrameMeter& operator=(const FrameMeter&) = delete;

  // Octets at the beginning of `bytes` that the engine may have now; the next walk begins behind them. They may be
  // none.
  size_t Walk(std::string_view bytes);

  // Set by Walk if it has stopped for a reason.
  const std::optional<Violation>& violation() const { return violation_; }
  const std::optional<LateFrame>& late_frame() const { return late_frame_; }

  // True once after the walk has stopped before the octet that makes the last stream id of a client's GOAWAY odd; the
  // next walk begins behind it. The id names a stream of ours, and is even or 0 (RFC 9113 section 6.8); the engine ends
  // the connection for any other. But clients exist that send 1 (Envoy 1.31) or 2^31-1 when they leave, with calls
  // still under way.
  bool TakeOddOctet() {
    if (!odd_octet_) return false;
    odd_octet_ = false;
    --left_;
    return true;
  }

  // When the header block began that has not ended yet; max() if there is none.
  MonotonicTime header_block_since() const {
    return block_continues_ || (left_ > 0 && in_block_) ? block_since_ : MonotonicTime::max();
  }

  // What Walk let pass is one whole SETTINGS frame, or its end.
  bool in_settings() const { return in_settings_; }

  // The connection has to end, for what is not seen in the frames that come.
  void Violate(Violation violation) { violation_ = std::move(violation); }

  // ---- the same: what is spent, and what pays for it ----
  void AdvanceTime(MonotonicTime now) { now_ = now; }
  MonotonicTime now() const { return now_; }
  void NoteDataSent() { ++data_sent_; }
  void NoteMessageFrameSent() { strikes_forgiven_ = true; }  // HEADERS or DATA
  void NotePingSent() { ++pings_out_; }
  void NoteStreamOpenedByUs(StreamId id) {
    ++counters_.streams;
    closed_streams_.NoteOpened(id);
  }
  // We reset a stream for the peer's fault; it reset one before any response; a frame came for a stream that is over,
  // though not by the peer's reset. False: that was one too many, a violation.
  bool ChargeGlitch();
  bool ChargeEarlyReset();
  bool ChargeLateFrame();

  ClosedStreams& closed_streams() { return closed_streams_; }
  const H2Counters& counters() const { return counters_; }

 private:
  enum class Step : uint8_t { kGoOn, kStop };

  Step Pass(std::string_view bytes, size_t* at);
  Step TakeHeaderInPieces(std::string_view bytes, size_t* at);
  size_t Watch(std::string_view octets);
  void WatchId(uint32_t length, StreamId stream);
  Step Frame(const uint8_t* header);
  Step Data(uint32_t length, uint8_t flags, StreamId id);
  Step LittleData(uint32_t length, uint8_t flags);
  Step Payload(uint32_t octets);
  size_t WatchPadding(std::string_view octets);
  Step Headers(uint32_t length, uint8_t flags, StreamId id);
  Step Continuation(uint8_t flags);
  Step OtherFrame(FrameType type, uint32_t length, uint8_t flags, StreamId id);
  Step Settings(uint32_t length);
  Step ResetByServer(StreamId id);
  Step Priority(FrameType type, uint32_t length, StreamId id);
  Step Ping(uint8_t flags);
  bool IsStrike();
  Step WindowUpdate();

  Step Late(FrameType type, StreamId id);
  Step BadFrame(ErrorCode code, std::string reason);
  Step Overspent(H2Limit limit, std::string reason, std::string_view debug_data = {});
  Step Charge(TokenBucket* bucket, std::string_view frames, H2Limit limit);
  bool IsOver(StreamId id, uint8_t flags) const;
  void StopAtEnd() { watched_ = stop_at_end_ = true; }
  void NoteCut(FrameType type);

  const H2Options& options_;
  const StreamTable& streams_;
  const bool is_server_;

  // Where in the input we are.
  size_t left_ = 0;  // octets of the current frame, its header included, that have not been walked over
  uint8_t header_octets_ = 0;
  uint8_t header_[FrameHeader::kBytes];  // of a frame whose header comes in pieces
  bool watched_ = false;                 // the current frame: there is more to do than to pass it:
  bool stop_at_end_ = false;             // stop behind it
  // ... look at the stream id that its payload begins with, which ends so many octets before the end of the frame; 0:
  // do not
  uint32_t id_end_ = 0;
  uint32_t padding_at_ = 0;       // ... or at the length of its padding, likewise
  uint32_t id_ = 0;               // what has come of it
  StreamId priority_stream_ = 0;  // of a PRIORITY: the stream that it is for; 0: of a GOAWAY
  bool odd_octet_ = false;
  bool settings_are_next_ = false;  // the walk has stopped before one, or inside
  bool in_settings_ = false;
  std::optional<Violation> violation_;
  std::optional<LateFrame> late_frame_;

  // The header block that has not ended.
  bool block_continues_ = false;  // with CONTINUATION
  bool in_block_ = false;         // the current frame is a part of one
  MonotonicTime block_since_{};

  StreamId known_until_ = 0;  // streams up to here were opened in earlier walks: the table knows whether they are open
  ClosedStreams closed_streams_;

  // What was spent.
  H2Counters counters_;
  MonotonicTime now_{};
  uint32_t continuations_ = 0;  // of this block
  uint32_t empty_in_a_row_ = 0;
  uint32_t pings_out_ = 0;  // ours, without an ACK until now
  uint32_t ping_strikes_ = 0;
  bool strikes_forgiven_ = true;  // since the last PING
  MonotonicTime last_ping_{};
  uint64_t data_sent_ = 0;
  uint64_t data_sent_at_ping_ = 0;
  uint32_t recent_streams_ = 0;  // ... of which early resets
  uint32_t recent_early_resets_ = 0;
  TokenBucket resets_;
  TokenBucket glitches_;
  TokenBucket settings_;
  TokenBucket pings_;
  TokenBucket empty_data_;
  TokenBucket small_data_;
  TokenBucket unknown_;
};

}  // namespace weir::transport
