// Session: the HTTP/2 engine below H2Connection: frames, HPACK, flow control, protocol checks. Today that is nghttp2.
//
//   bytes --Receive--> engine callbacks --> Inbox --> events
//   Submit... --> engine's queues, StreamState::queue --Pull--> OutputBuffer
//
// This is the seam: session.cc and the two headers that it alone includes know nghttp2, and nothing outside may, so
// that another engine can be put in its place and compared with it. Checking what callers ask for is H2Connection's
// work; what arrives is judged by the engine and told by the Inbox.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/transport/h2/error_code.h"
#include "weir/transport/h2/event.h"
#include "weir/transport/h2/frame_meter.h"
#include "weir/transport/h2/headers.h"
#include "weir/transport/h2/inbox.h"
#include "weir/transport/h2/options.h"
#include "weir/transport/h2/output_buffer.h"
#include "weir/transport/h2/preface.h"
#include "weir/transport/h2/stream_state.h"
#include "weir/transport/h2/stream_table.h"

namespace weir::transport {

class Session {
 public:
  explicit Session(const H2Options& options);  // `options` must outlive it
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  StreamTable& streams() { return streams_; }
  Inbox& inbox() { return inbox_; }
  FrameMeter& meter() { return meter_; }

  // Queues the preface: SETTINGS, and the connection's receive window.
  void Start();

  void Receive(std::string_view bytes, std::vector<H2Event>* events);
  size_t Pull(size_t max_bytes, OutputBuffer* out, std::vector<H2Event>* events);
  bool HasOutput() const;

  // ---- sending: the arguments are known to be legal ----
  absl::StatusOr<StreamId> SubmitRequest(const HeaderList& fields, EndStream end_stream);
  absl::Status SubmitResponse(StreamState* stream, int status, const HeaderList& fields, EndStream end_stream);
  absl::Status SubmitInterimResponse(StreamState* stream, int status, const HeaderList& fields);
  void Resume(StreamState* stream);            // the stream has data or its end to send
  void SendHeldTrailers(StreamState* stream);  // behind what is queued
  void SubmitReset(StreamState* stream, ErrorCode code);
  void SubmitPing(uint64_t opaque);
  // A SendData of `stream` was cut: an event must say when it can go on.
  void NoteBlocked(StreamState* stream);
  size_t held_bytes_ = 0;  // of all streams: received, not yet consumed
  size_t owed_bytes_ = 0;  // received, not yet returned to the connection's window
  void NoteQueued(size_t bytes) { queued_bytes_ += bytes; }
  size_t queued_bytes() const { return queued_bytes_; }

  // ---- receive windows ----
  void Consume(StreamState* stream, size_t bytes);
  void Withhold(StreamState* stream, size_t bytes);      // returned to the connection's window only ...
  void Reopen(const StreamState& stream, size_t bytes);  // ... until this returns them to the stream's
  void ResizeStreamWindows(uint32_t bytes);
  size_t ReceiveWindow(StreamId id) const;
  void ReturnHeldBytes(StreamState* stream);  // all of them, to the connection's window only

  // ---- the end ----
  void BeginDrain(const char* why);
  void FinishDrain();
  void CloseConnection(ErrorCode code, std::string_view debug_data);
  bool draining() const { return draining_ || goaway_received_; }
  bool goaway_received() const { return goaway_received_; }
  bool closing() const { return closing_; }
  bool IsFinished() const;
  // Memory ran out in the middle of something: see H2Connection::Abandon.
  void Abandon() noexcept;
  bool abandoned() const { return abandoned_; }

  // ---- figures ----
  // Octets that flow control and the stream's queue accept now: copied into the queue, or by reference.
  size_t SendRoom(const StreamState& stream) const;
  size_t SharedSendRoom(const StreamState& stream) const;
  // What the peer's windows accept beyond what is queued; may be negative.
  int64_t ConnectionWindow() const;
  int64_t StreamWindow(const StreamState& stream) const;
  size_t open_streams() const { return open_streams_; }  // that the engine still tracks
  uint32_t NextStreamId() const;
  uint32_t PeerMaxConcurrentStreams() const;
  uint32_t PeerMaxHeaderListBytes() const;
  bool PeerTakesExtendedConnect() const;

  // Drops what a stream has queued.
  void DropQueue(StreamState* stream);
  // Frees the state if caller and engine are both done with it.
  void EraseIfDone(StreamState* stream);

 private:
  struct Engine;     // nghttp2_session and what belongs to it
  struct Callbacks;  // nghttp2's callbacks, as static members
  enum class Drain : uint8_t { kNone, kNoticeQueued, kPingSent, kFinalDue, kFinalQueued };

  size_t FlowControlRoom(const StreamState& stream) const;
  bool SubmitTrailers(const StreamState& stream);
  // False: the peer has made us do it once too often.
  bool ResetByUs(StreamState* stream, ErrorCode code);
  bool ResetIf(std::optional<ErrorCode> code, StreamId id);
  void ReturnOwedBytes();
  void FlushControlFrames(size_t early_bytes_max);
  bool PullOnce();
  void EmitDrained();
  void QueueFinalGoAway();
  void TakePreface(std::string_view* bytes);
  void RefuseHttp1(std::string reason);
  // A server says nothing before it knows that the client speaks HTTP/2.
  bool IsSilent() const { return options_.role == Role::kServer && !preface_.done() && !draining_ && !closing_; }
  void TakeFrames(std::string_view bytes);
  void Feed(std::string_view bytes);
  void JudgeLateFrame(const LateFrame& frame);
  void Fail(ErrorCode code, std::string reason);
  void Fail(const Violation& violation);
  void FailReceive(int library_code);
  void WriteGoAwayOurselves(ErrorCode code, OutputBuffer* out);

  const H2Options& options_;
  StreamTable streams_;
  Inbox inbox_;
  PrefaceCheck preface_;
  FrameMeter meter_;
  std::unique_ptr<Engine> engine_;

  // Set while the engine is pulled.
  OutputBuffer* out_ = nullptr;
  size_t out_limit_ = 0;  // size of *out_ at which to stop
  bool paused_ = false;

  OutputBuffer early_;             // frames pulled before DataToSend was called; they leave first
  std::vector<StreamId> drained_;  // blocked streams whose queue became empty
  // That the peer made the engine queue since the last Pull: resets, window updates, and acknowledgements in early_.
  // Not what the caller has asked for.
  size_t caused_frames_ = 0;
  size_t acks_queued_ = 0;   // by the engine during one Feed
  size_t queued_bytes_ = 0;  // in all streams' queues
  size_t open_streams_ = 0;
  bool connection_window_short_ = false;  // a SendData was cut by the connection's window
  bool answering_late_frame_ = false;
  bool draining_ = false;
  bool goaway_received_ = false;
  bool closing_ = false;  // our last GOAWAY is queued: nothing more is read
  bool done_ = false;     // ... and has left: nothing more is written
  bool abandoned_ = false;
  bool no_memory_ = false;  // a callback of the engine has found none
  Drain drain_ = Drain::kNone;
  const char* drain_reason_ = "";
};

// Is the engine's library at run time at least the one that this was compiled against?
bool EngineIsAvailable();

// Decodes header blocks: for tools and traces.
class HeaderDecoder {
 public:
  HeaderDecoder();
  ~HeaderDecoder();
  HeaderDecoder(const HeaderDecoder&) = delete;
  HeaderDecoder& operator=(const HeaderDecoder&) = delete;

  enum class Part : uint8_t { kMore, kLast };

  // Appends the fields that become complete with this part of a block. An error leaves the decoder unusable.
  absl::Status Decode(std::string_view bytes, Part part, HeaderList* fields);

 private:
  struct Inflater;
  std::unique_ptr<Inflater> inflater_;
};

}  // namespace weir::transport
