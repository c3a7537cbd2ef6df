#include "weir/transport/h2/frame_meter.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace weir::transport {
namespace {

constexpr uint32_t kPriorityBytes = 5;
constexpr uint32_t kGoAwayBytesMin = 8;
constexpr uint32_t kSettingsEntryBytes = 6;
constexpr uint32_t kFrameBytesMax = 16'384;                     // SETTINGS_MAX_FRAME_SIZE, which we leave as it is
constexpr auto kPriorityUpdate = static_cast<FrameType>(0x10);  // RFC 9218 section 7.1

std::string PerSecond(Rate rate) { return absl::StrCat(rate.burst, " at once and ", rate.per_second, " per second"); }

// In one load and a swap of octets.
uint32_t Load(const uint8_t* o) {
  return static_cast<uint32_t>(o[0]) << 24 | static_cast<uint32_t>(o[1]) << 16 | static_cast<uint32_t>(o[2]) << 8 |
         o[3];
}

// Octets of a frame's payload.
uint32_t Length(const uint8_t* header) { return Load(header) >> 8; }

}  // namespace

FrameMeter::FrameMeter(const H2Options& options, const StreamTable& streams)
    : options_(options),
      streams_(streams),
      is_server_(options.role == Role::kServer),
      resets_(options.resets),
      glitches_(options.glitches),
      settings_(options.settings),
      pings_(options.pings),
      empty_data_(options.empty_data),
      small_data_(options.small_data),
      unknown_(options.unknown_frames) {}

// ---- frames: what each costs ---------------------------------------------------------------------------------------

// Is it a stream of the past? One that was opened by what the engine has not read yet is in no table; one that was
// ended by it is marked here.
inline bool FrameMeter::IsOver(StreamId id, uint8_t flags) const {
  if (id > known_until_) return false;
  StreamState* const stream = streams_.Find(id);
  if (stream == nullptr || stream->closed || stream->reset || stream->end_walked) return true;
  stream->end_walked = (flags & frame_flag::kEndStream) != 0;
  return false;
}

[[gnu::always_inline]] inline FrameMeter::Step FrameMeter::Frame(const uint8_t* header) {
  const uint32_t length = Length(header);
  const auto type = static_cast<FrameType>(header[3]);
  const uint8_t flags = header[4];
  const auto id = static_cast<StreamId>(Load(header + 5) & 0x7fffffff);
  ++counters_.frames;
  if (type == FrameType::kData) return Data(length, flags, id);
  if (type == FrameType::kHeaders) return Headers(length, flags, id);
  return OtherFrame(type, length, flags, id);
}

[[gnu::always_inline]] inline FrameMeter::Step FrameMeter::Data(uint32_t length, uint8_t flags, StreamId id) {
  if (length < options_.small_data_bytes || (flags & frame_flag::kPadded) != 0) {
    if (LittleData(length, flags) == Step::kStop) return Step::kStop;
  } else {
    empty_in_a_row_ = 0;
  }
  return IsOver(id, flags) ? Late(FrameType::kData, id) : Step::kGoOn;
}

// DATA that may bring little for the work it causes.
FrameMeter::Step FrameMeter::LittleData(uint32_t length, uint8_t flags) {
  if ((flags & frame_flag::kPadded) != 0 && length == 0) {
    return BadFrame(ErrorCode::kFrameSizeError,
                    "DATA: expected the length of its padding (RFC 9113 4.2), got no octet");
  }
  if ((flags & frame_flag::kEndStream) != 0) return Step::kGoOn;
  if ((flags & frame_flag::kPadded) == 0) return Payload(length);
  watched_ = true;  // it depends on the padding
  stop_at_end_ = false;
  padding_at_ = length;
  return Step::kGoOn;
}

// Of DATA that does not end its stream: what is left of it without padding.
FrameMeter::Step FrameMeter::Payload(uint32_t octets) {
  if (octets > 0) empty_in_a_row_ = 0;
  if (octets >= options_.small_data_bytes) return Step::kGoOn;
  if (octets > 0) {
    ++counters_.small_data;
    return Charge(&small_data_, absl::StrCat("DATA with fewer than ", options_.small_data_bytes, " octets"),
                  H2Limit::kSmallData);
  }
  ++counters_.empty_data;
  if (++empty_in_a_row_ > options_.empty_data_in_a_row_max) {
    return Overspent(H2Limit::kEmptyDataInARow,
                     absl::StrCat("DATA without payload: expected at most ", options_.empty_data_in_a_row_max,
                                  " in a row (H2Options::empty_data_in_a_row_max), got more"));
  }
  return Charge(&empty_data_, "DATA without payload", H2Limit::kEmptyData);
}

[[gnu::always_inline]] inline FrameMeter::Step FrameMeter::Headers(uint32_t length, uint8_t flags, StreamId id) {
  continuations_ = 0;
  if ((flags & (frame_flag::kPadded | frame_flag::kEndHeaders)) != frame_flag::kEndHeaders) [[unlikely]] {
    if ((flags & frame_flag::kPadded) != 0 && length == 0) {
      return BadFrame(ErrorCode::kFrameSizeError,
                      "HEADERS: expected the length of its padding (RFC 9113 4.2), got no octet");
    }
    block_continues_ = (flags & frame_flag::kEndHeaders) == 0;
    block_since_ = now_;
  }
  if (!is_server_) return IsOver(id, flags) ? Late(FrameType::kHeaders, id) : Step::kGoOn;
  if (id % 2 == 0) return Step::kGoOn;
  if (id <= closed_streams_.last_opened()) return Late(FrameType::kHeaders, id);
  closed_streams_.NoteOpened(id);
  ++counters_.streams;
  // Half of the past is forgotten now and then, so that a connection is judged by what it does today.
  if (++recent_streams_ >= 2 * options_.early_reset_streams_min) {
    recent_streams_ /= 2;
    recent_early_resets_ /= 2;
  }
  return Step::kGoOn;
}

// Trailers, mostly. Whoever knows the streams looks at it when all before it has been read.
FrameMeter::Step FrameMeter::Late(FrameType type, StreamId id) {
  late_frame_ = LateFrame{type, id};
  return Step::kStop;
}

FrameMeter::Step FrameMeter::Continuation(uint8_t flags) {
  if ((flags & frame_flag::kEndHeaders) != 0) block_continues_ = false;
  if (++continuations_ <= options_.continuation_frames_max) return Step::kGoOn;
  return Overspent(H2Limit::kContinuationFrames,
                   absl::StrCat("header block: expected at most ", options_.continuation_frames_max,
                                " CONTINUATION frames (H2Options::continuation_frames_max), got more"));
}

FrameMeter::Step FrameMeter::OtherFrame(FrameType type, uint32_t length, uint8_t flags, StreamId id) {
  if (type == kPriorityUpdate) return Priority(type, length, id);
  switch (type) {
    case FrameType::kContinuation:
      return Continuation(flags);
    case FrameType::kWindowUpdate:
      return WindowUpdate();
    case FrameType::kPing:
      return Ping(flags);
    case FrameType::kPriority:
      return Priority(type, length, id);
    case FrameType::kRstStream:
      ++counters_.resets;
      if (!is_server_) return ResetByServer(id);
      StopAtEnd();  // the table must know it before the stream's next frame
      return Charge(&resets_, "RST_STREAM", H2Limit::kResets);
    case FrameType::kSettings:
      return (flags & frame_flag::kAck) != 0 ? Step::kGoOn : Settings(length);
    case FrameType::kPushPromise:
      return Step::kGoOn;  // the engine's affair: a connection error, always
    case FrameType::kGoAway:
      if (is_server_ && length >= kGoAwayBytesMin) WatchId(length, 0);
      [[fallthrough]];
    default:
      ++counters_.unknown;
      return Charge(&unknown_, "frames that we ignore (unknown types, GOAWAY)", H2Limit::kUnknownFrames);
  }
}

FrameMeter::Step FrameMeter::Settings(uint32_t length) {
  ++counters_.settings;
  // One that is too large for any frame is the engine's affair (RFC 9113 section 4.2).
  const uint32_t entries = length <= kFrameBytesMax ? length / kSettingsEntryBytes : 0;
  if (entries > options_.settings_entries_max) {
    return Overspent(H2Limit::kSettingsEntries,
                     absl::StrCat("SETTINGS: expected at most ", options_.settings_entries_max,
                                  " entries in a frame (H2Options::settings_entries_max), got ", entries));
  }
  if (Charge(&settings_, "SETTINGS", H2Limit::kSettings) == Step::kStop) return Step::kStop;
  // Alone, so that what the engine does is known to be for these SETTINGS.
  settings_are_next_ = true;
  StopAtEnd();
  return Step::kStop;
}

// Each stream may be reset once, at its end too (RFC 9113 section 8.1: NO_ERROR behind a complete response).
FrameMeter::Step FrameMeter::ResetByServer(StreamId id) {
  if (StreamState* const stream = streams_.Find(id)) stream->end_walked = true;
  if (counters_.resets <= counters_.streams) return Step::kGoOn;
  ++counters_.unknown;
  return Charge(&unknown_, "RST_STREAM beyond one for each stream", H2Limit::kUnknownFrames);
}

FrameMeter::Step FrameMeter::Priority(FrameType type, uint32_t length, StreamId id) {
  if (id == 0 && type == FrameType::kPriority) {
    return BadFrame(ErrorCode::kProtocolError, "PRIORITY: expected a stream (RFC 9113 6.3), got 0");
  }
  if (type == FrameType::kPriority && length == kPriorityBytes) WatchId(length, id);
  if (++counters_.priorities <= options_.priorities_per_stream * (1 + counters_.streams)) return Step::kGoOn;
  return Overspent(H2Limit::kPriorities, absl::StrCat("PRIORITY: expected at most ", options_.priorities_per_stream,
                                                      " per stream (H2Options::priorities_per_stream), got ",
                                                      counters_.priorities, " for ", counters_.streams, " streams"));
}

void FrameMeter::WatchId(uint32_t length, StreamId stream) {
  watched_ = true;
  stop_at_end_ = false;
  id_end_ = length - 3;
  id_ = 0;
  priority_stream_ = stream;
}

// The payload of a padded frame begins with the length of the padding.
size_t FrameMeter::WatchPadding(std::string_view octets) {
  const size_t at = left_ - padding_at_;
  if (at >= octets.size()) return octets.size();
  const uint32_t payload = std::exchange(padding_at_, 0) - 1;
  const auto padding = static_cast<uint8_t>(octets[at]);
  if (padding > payload) return octets.size();  // the engine's affair: a connection error
  return Payload(payload - padding) == Step::kGoOn ? octets.size() : at;
}

// Looks at the next octets of the frame for the id that its payload begins with. Returns how many of them may pass.
size_t FrameMeter::Watch(std::string_view octets) {
  if (padding_at_ != 0) return WatchPadding(octets);
  for (size_t i = 0; i < octets.size() && left_ - i >= id_end_ && id_end_ != 0; ++i) {
    if (left_ - i <= id_end_ + 3) id_ = id_ << 8 | static_cast<uint8_t>(octets[i]);
    if (left_ - i > id_end_) continue;
    id_end_ = 0;
    if (priority_stream_ == 0) {
      odd_octet_ = id_ % 2 != 0;
      return odd_octet_ ? i : octets.size();
    }
    // "A stream cannot depend on itself. An endpoint MUST treat this as a stream error (Section 5.4.2) of type
    // PROTOCOL_ERROR" (RFC 7540 section 5.3.1). The engine does not look at priorities, since we have said that we do
    // not either.
    if ((id_ & 0x7fffffff) != static_cast<uint32_t>(priority_stream_)) return octets.size();
    BadFrame(ErrorCode::kProtocolError,
             absl::StrCat("PRIORITY: expected stream ", priority_stream_, " to depend on another, got itself"));
    return i;
  }
  return octets.size();
}

FrameMeter::Step FrameMeter::Ping(uint8_t flags) {
  if ((flags & frame_flag::kAck) == 0) {
    ++counters_.pings;
    // gRPC's rule, too: who receives data may measure the round trip as often as it likes.
    const bool measures = std::exchange(data_sent_at_ping_, data_sent_) != data_sent_;
    if (options_.min_ping_interval.count() > 0 && IsStrike() && ++ping_strikes_ > options_.ping_strikes_max) {
      const auto seconds = [](H2Options::Milliseconds time) { return std::chrono::duration<double>(time).count(); };
      return Overspent(
          H2Limit::kPingStrikes,
          absl::StrCat("PING: expected at most one in ", seconds(options_.min_ping_interval),
                       " s while streams are open (min_ping_interval), and in ",
                       seconds(options_.min_idle_ping_interval),
                       " s while none is, unless HEADERS or DATA were sent since; got ", ping_strikes_, " too early"),
          "too_many_pings");
    }
    if (measures || pings_.Take(now_)) return Step::kGoOn;
    return Overspent(H2Limit::kPings,
                     absl::StrCat("PING: expected at most ", PerSecond(pings_.rate()), " (H2Options::pings), got more"),
                     "too_many_pings");
  }
  if (pings_out_ > 0) {
    --pings_out_;
    return Step::kGoOn;
  }
  ++counters_.unknown;
  return Charge(&unknown_, "frames that we ignore (PING ACK to no PING)", H2Limit::kUnknownFrames);
}

// The clock and the strikes begin anew whenever HEADERS or DATA are sent (gRPC's keepalive.md).
bool FrameMeter::IsStrike() {
  const MonotonicTime last = std::exchange(last_ping_, now_);
  if (std::exchange(strikes_forgiven_, false)) {
    ping_strikes_ = 0;
    return false;
  }
  return now_ - last < (streams_.size() > 0 ? options_.min_ping_interval : options_.min_idle_ping_interval);
}

FrameMeter::Step FrameMeter::WindowUpdate() {
  const uint64_t allowed = 5 + 2 * (counters_.streams + options_.window_updates_per_data_frame * data_sent_);
  if (++counters_.window_updates <= allowed) return Step::kGoOn;
  return Overspent(
      H2Limit::kWindowUpdates,
      absl::StrCat("WINDOW_UPDATE: expected at most 5 + 2 x (streams + ", options_.window_updates_per_data_frame,
                   " x DATA frames sent) (H2Options::window_updates_per_data_frame), got ", counters_.window_updates,
                   " for ", counters_.streams, " streams and ", data_sent_, " DATA frames"));
}

// ---- the walk ------------------------------------------------------------------------------------------------------

size_t FrameMeter::Walk(std::string_view bytes) {
  known_until_ = closed_streams_.last_opened();
  late_frame_.reset();
  in_settings_ = std::exchange(settings_are_next_, settings_are_next_ && left_ > 0) && left_ > 0;
  size_t at = 0;
  if (left_ > 0 && Pass(bytes, &at) == Step::kStop) return at;
  if (header_octets_ > 0 && TakeHeaderInPieces(bytes, &at) == Step::kStop) return at;
  while (bytes.size() - at >= FrameHeader::kBytes) {
    const auto* const header = reinterpret_cast<const uint8_t*>(bytes.data() + at);
    const size_t size = FrameHeader::kBytes + Length(header);
    if (Frame(header) == Step::kStop) {
      left_ = size;
      NoteCut(static_cast<FrameType>(header[3]));
      return at;
    }
    if (size <= bytes.size() - at && !watched_) {
      at += size;
      continue;
    }
    left_ = size;
    NoteCut(static_cast<FrameType>(header[3]));
    if (Pass(bytes, &at) == Step::kStop) return at;
  }
  if (at < bytes.size()) TakeHeaderInPieces(bytes, &at);
  return at;
}

// The current frame has not come as a whole, or must wait.
void FrameMeter::NoteCut(FrameType type) {
  in_block_ = type == FrameType::kHeaders || type == FrameType::kContinuation;
  if (type == FrameType::kHeaders) block_since_ = now_;
}

// Passes what has come of the current frame.
FrameMeter::Step FrameMeter::Pass(std::string_view bytes, size_t* at) {
  const size_t step = std::min(left_, bytes.size() - *at);
  const size_t passed = watched_ ? Watch(bytes.substr(*at, step)) : step;
  *at += passed;
  left_ -= passed;
  if (left_ > 0) return Step::kStop;
  return std::exchange(watched_, false) && stop_at_end_ ? Step::kStop : Step::kGoOn;
}

FrameMeter::Step FrameMeter::TakeHeaderInPieces(std::string_view bytes, size_t* at) {
  const size_t step = std::min<size_t>(bytes.size() - *at, FrameHeader::kBytes - header_octets_);
  std::memcpy(header_ + header_octets_, bytes.data() + *at, step);
  header_octets_ += static_cast<uint8_t>(step);
  if (header_octets_ < FrameHeader::kBytes) {
    *at += step;
    return Step::kStop;
  }
  header_octets_ = 0;
  left_ = step + Length(header_);
  NoteCut(static_cast<FrameType>(header_[3]));
  if (Frame(header_) == Step::kStop) return Step::kStop;
  return Pass(bytes, at);
}

// ---- budgets -------------------------------------------------------------------------------------------------------

FrameMeter::Step FrameMeter::BadFrame(ErrorCode code, std::string reason) {
  violation_ = Violation{code, std::move(reason), {}};
  return Step::kStop;
}

FrameMeter::Step FrameMeter::Overspent(H2Limit limit, std::string reason, std::string_view debug_data) {
  violation_ = Violation{ErrorCode::kEnhanceYourCalm, std::move(reason), std::string(debug_data), limit};
  return Step::kStop;
}

FrameMeter::Step FrameMeter::Charge(TokenBucket* bucket, std::string_view frames, H2Limit limit) {
  if (bucket->Take(now_)) return Step::kGoOn;
  return Overspent(limit, absl::StrCat(std::string(frames), ": expected at most ", PerSecond(bucket->rate()),
                                       " (H2Options::", std::string(ToString(limit)), "), got more"));
}

bool FrameMeter::ChargeGlitch() {
  ++counters_.glitches;
  return Charge(&glitches_, "errors of streams", H2Limit::kGlitches) == Step::kGoOn;
}

bool FrameMeter::ChargeLateFrame() {
  ++counters_.small_data;
  return Charge(&small_data_, "frames for streams that are over", H2Limit::kSmallData) == Step::kGoOn;
}

bool FrameMeter::ChargeEarlyReset() {
  ++counters_.early_resets;
  ++recent_early_resets_;
  if (recent_streams_ < options_.early_reset_streams_min) return true;
  if (uint64_t{recent_early_resets_} * 100 <= uint64_t{recent_streams_} * options_.early_reset_percent_max) return true;
  Overspent(H2Limit::kEarlyResets,
            absl::StrCat("RST_STREAM before a response: expected for at most ", options_.early_reset_percent_max,
                         " % of the streams (H2Options::early_reset_percent_max), got ", recent_early_resets_, " of ",
                         recent_streams_),
            "too_many_resets");
  return false;
}

}  // namespace weir::transport
