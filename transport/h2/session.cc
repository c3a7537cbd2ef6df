#include "weir/transport/h2/session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstring>
#include <memory>
#include <new>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/transport/h2/session_fields.h"
#include "weir/transport/h2/session_memory.h"
#include "weir/transport/h2/text.h"

namespace weir::transport {
namespace {

constexpr size_t kFrameHeaderBytes = 9;

// Of a GOAWAY of ours: enough to say what was expected.
constexpr size_t kDebugDataBytesMax = 256;
// Limits of the engine's that FrameMeter's stand in front of: nghttp2 1.52 counts CONTINUATION by reads that end inside
// a frame's header, RST_STREAM by the wall clock, and tells the peer nothing or INTERNAL_ERROR.
constexpr size_t kNoContinuationLimit = SIZE_MAX;
constexpr size_t kNoSettingsLimit = SIZE_MAX;
constexpr uint64_t kNoResetLimit = uint64_t{1} << 62;
constexpr uint64_t kNoResetRate = uint64_t{1} << 31;
constexpr uint32_t kPeerStreamsBeforeSettings = 100;
// Of early_: beyond it the engine keeps what it has.
constexpr size_t kEarlyBytesMax = 256 * 1024;
// What the engine says to a client that opens one stream too many (nghttp2 1.52): the one limit of ours that only it
// can judge.
constexpr std::string_view kTooManyStreams = "request HEADERS: max concurrent streams exceeded";
constexpr uint64_t kDrainPing = 0x7765697264726e21;  // "weirdrn!"

void StoreBigEndian(uint64_t value, size_t octets, uint8_t* to) {
  for (size_t i = octets; i-- > 0; value >>= 8) to[i] = static_cast<uint8_t>(value);
}

uint64_t LoadBigEndian(const uint8_t* from) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | from[i];
  return value;
}

uint32_t Milliseconds(MonotonicTime time) {
  return static_cast<uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
}

// What the engine answers to a caller that has asked for nothing illegal: a failure is for want of memory.
void Must(int code) {
  if (code == NGHTTP2_ERR_NOMEM) [[unlikely]]
    throw std::bad_alloc();
}

absl::Status LibraryError(std::string_view what, int code) {
  Must(code);
  return absl::InternalError(absl::StrCat(std::string(what), ": ", nghttp2_strerror(code)));
}

}  // namespace

struct Session::Engine {
  EngineMemory memory;
  nghttp2_session* session = nullptr;
  EngineFields head;
  EngineFields trailers;
  KnownBuffers known;

  ~Engine() { nghttp2_session_del(session); }

  size_t QueuedFrames() const { return nghttp2_session_get_outbound_queue_size(session); }
};

// ---- callbacks: never call mem_send or mem_recv from here ----------------------------------------------------------

struct Session::Callbacks {
  static Session& Self(void* user_data) { return *static_cast<Session*>(user_data); }

  // A callback as the engine gets it: it is C, and nothing may be thrown through it. Whoever called the engine throws.
  template <auto kCallback>
  struct Caught;
  template <class Result, class... Args, Result (*kCallback)(Args...)>
  struct Caught<kCallback> {
    static Result Call(Args... args) noexcept {
      try {
        return kCallback(args...);
      } catch (const std::bad_alloc&) {
        Self(std::get<sizeof...(Args) - 1>(std::tie(args...))).no_memory_ = true;  // user_data is the last one
        return NGHTTP2_ERR_CALLBACK_FAILURE;
      }
    }
  };

  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    Session& self = Self(user_data);
    const StreamId id = frame->hd.stream_id;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      StreamState* const stream = self.streams_.Add(id);
      stream->opened_ms = Milliseconds(self.meter_.now());
      self.inbox_.BeginBlock(stream);
      ++self.open_streams_;
    } else {
      self.inbox_.BeginBlock(self.streams_.Find(id));
    }
    self.engine_->known.Begin(self.inbox_.repeated_serial());
    return 0;
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame*, nghttp2_rcbuf* name, nghttp2_rcbuf* value, uint8_t,
                      void* user_data) {
    Session& self = Self(user_data);
    if (!self.engine_->known.Repeats(name, value)) return OnOtherHeader(self, name, value);
    self.inbox_.RepeatField();
    return 0;
  }

  [[gnu::noinline]] static int OnOtherHeader(Session& self, nghttp2_rcbuf* name, nghttp2_rcbuf* value) {
    KnownBuffers& known = self.engine_->known;
    if (known.RepeatsName(name) && self.inbox_.RepeatName(View(value))) {
      known.Skip();
      return 0;
    }
    const uint64_t serial = self.inbox_.repeated_serial();
    const size_t index = self.inbox_.next_field();
    if (!self.inbox_.AddField(View(name), View(value))) return HeaderBlockTooLarge(self);
    if (serial != 0 && self.inbox_.still_repeats()) {
      known.Learn(serial, index, name, value);
    } else {
      known.StopRepeating();
    }
    return 0;
  }

  // Ends the read: FailReceive says why.
  static int EndIf(bool overspent) { return overspent ? NGHTTP2_ERR_CALLBACK_FAILURE : 0; }

  static int HeaderBlockTooLarge(Session& self) {
    const H2Options& options = self.options_;
    self.meter_.Violate(
        {ErrorCode::kEnhanceYourCalm,
         absl::StrCat("header block: expected at most ", options.header_list_bytes_max, " octets and ",
                      options.header_fields_max,
                      " fields (H2Options::header_list_bytes_max, header_fields_max; of a server or "
                      "channel max_metadata_bytes, max_metadata_fields), got more than four times that"),
         {},
         H2Limit::kHeaderList});
    return EndIf(true);
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    Session& self = Self(user_data);
    const bool end_stream = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_DATA:
        if (!end_stream) break;
        return EndIf(
            !self.ResetIf(self.inbox_.EndOfStream(self.streams_.Find(frame->hd.stream_id)), frame->hd.stream_id));
      case NGHTTP2_HEADERS:
        return EndIf(!self.ResetIf(self.inbox_.EndBlock(end_stream), frame->hd.stream_id));
      case NGHTTP2_RST_STREAM:
        return OnReset(self, frame->rst_stream);
      case NGHTTP2_SETTINGS:
        OnSettings(self, frame->settings);
        break;
      case NGHTTP2_PING:
        OnPing(self, frame->ping);
        break;
      case NGHTTP2_GOAWAY:
        OnGoAway(self, frame->goaway);
        break;
      case NGHTTP2_WINDOW_UPDATE:
        OnWindowUpdate(self, frame->hd.stream_id);
        break;
      default:
        break;
    }
    return 0;
  }

  static int OnReset(Session& self, const nghttp2_rst_stream& frame) {
    StreamState* const stream = self.streams_.Find(frame.hd.stream_id);
    if (stream == nullptr) return 0;
    const bool first = !stream->reset;
    self.inbox_.Reset(stream, static_cast<ErrorCode>(frame.error_code), ResetBy::kPeer);
    self.DropQueue(stream);
    if (self.options_.role == Role::kClient || !first) return 0;
    self.meter_.closed_streams().NoteReset(stream->id, ResetBy::kPeer);
    const uint32_t age_ms = Milliseconds(self.meter_.now()) - stream->opened_ms;
    const bool early = !stream->head_sent && std::chrono::milliseconds(age_ms) <= self.options_.early_reset_time;
    return EndIf(early && !self.meter_.ChargeEarlyReset());
  }

  static void OnSettings(Session& self, const nghttp2_settings& frame) {
    H2SettingsReceived event;
    event.ack = (frame.hd.flags & NGHTTP2_FLAG_ACK) != 0;
    if (!event.ack) ++self.acks_queued_;
    bool windows_changed = false;
    for (size_t i = 0; i < frame.niv; ++i) {
      event.settings.emplace_back(static_cast<uint16_t>(frame.iv[i].settings_id), frame.iv[i].value);
      windows_changed |= frame.iv[i].settings_id == NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE;
    }
    self.inbox_.Emit(std::move(event));
    if (windows_changed) self.inbox_.ConnectionWindowOpened();
  }

  static void OnPing(Session& self, const nghttp2_ping& frame) {
    if ((frame.hd.flags & NGHTTP2_FLAG_ACK) == 0) {
      ++self.acks_queued_;
      return;
    }
    const uint64_t opaque = LoadBigEndian(frame.opaque_data);
    if (opaque == kDrainPing && self.drain_ == Drain::kPingSent) {
      self.FinishDrain();
    } else {
      self.inbox_.Emit(H2PingAcked{opaque});
    }
  }

  static void OnGoAway(Session& self, const nghttp2_goaway& frame) {
    self.goaway_received_ = true;
    self.inbox_.GoAway(frame.last_stream_id, static_cast<ErrorCode>(frame.error_code),
                       View(frame.opaque_data, frame.opaque_data_len));
  }

  static void OnWindowUpdate(Session& self, StreamId id) {
    if (id == 0) return self.inbox_.ConnectionWindowOpened();
    const StreamState* const stream = self.streams_.Find(id);
    const bool of_use = stream != nullptr && stream->announced && !stream->Silent() && !stream->local_ended;
    if (of_use) self.inbox_.Emit(H2WindowUpdated{id});
  }

  static int OnData(nghttp2_session* session, uint8_t, int32_t id, const uint8_t* data, size_t size, void* user_data) {
    Session& self = Self(user_data);
    StreamState* const stream = self.streams_.Find(id);
    const Inbox::Taken taken = self.inbox_.Data(stream, View(data, size));
    if (taken == Inbox::Taken::kYes) {
      self.held_bytes_ += size;
      self.owed_bytes_ += size;
      self.ReturnOwedBytes();
    } else {
      Must(nghttp2_session_consume_connection(session, size));
    }
    return EndIf(taken == Inbox::Taken::kMalformed && !self.ResetByUs(stream, ErrorCode::kProtocolError));
  }

  static int OnStreamClose(nghttp2_session*, int32_t id, uint32_t code, void* user_data) {
    Session& self = Self(user_data);
    StreamState* const stream = self.streams_.Find(id);
    if (stream == nullptr) return 0;
    // The engine has reset it by itself: the peer broke a rule, or the request came too late for this connection.
    const ErrorCode error = static_cast<ErrorCode>(code);
    const bool refused = self.goaway_received_ && error == ErrorCode::kRefusedStream;
    self.inbox_.Reset(stream, error, refused ? ResetBy::kGoAway : ResetBy::kLocal);
    self.DropQueue(stream);
    stream->closed = true;
    --self.open_streams_;
    self.EraseIfDone(stream);
    return 0;
  }

  static ssize_t ReadData(nghttp2_session* session, int32_t id, uint8_t*, size_t size, uint32_t* flags,
                          nghttp2_data_source* source, void* user_data) {
    StreamState& stream = *static_cast<StreamState*>(source->ptr);
    stream.head = HeaderList();  // it has left
    const size_t taken = std::min(size, stream.queue.size());
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (stream.local_ended && taken == stream.queue.size() && !stream.reset) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (stream.trailers_held) {
        // Only here: trailers that are submitted while data is pending overtake it, and the data is lost.
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        if (!Self(user_data).SubmitTrailers(stream)) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
      }
    } else if (taken == 0) {
      stream.send_deferred = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    return static_cast<ssize_t>(taken);
  }

  static int SendData(nghttp2_session*, nghttp2_frame*, const uint8_t* header, size_t size, nghttp2_data_source* source,
                      void* user_data) {
    Session& self = Self(user_data);
    StreamState& stream = *static_cast<StreamState*>(source->ptr);
    self.out_->Append(View(header, kFrameHeaderBytes));
    self.meter_.NoteDataSent();
    stream.queue.MovePrefix(size, self.out_);
    self.queued_bytes_ -= size;
    if (stream.send_blocked && stream.queue.empty()) {
      stream.send_blocked = false;
      self.drained_.push_back(stream.id);
    }
    self.paused_ = self.out_->size() >= self.out_limit_;
    return self.paused_ ? NGHTTP2_ERR_PAUSE : 0;
  }

  static int OnFrameSent(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    Session& self = Self(user_data);
    switch (frame->hd.type) {
      case NGHTTP2_DATA:
      case NGHTTP2_HEADERS:
        self.meter_.NoteMessageFrameSent();
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) OnEndSent(self, frame->hd.stream_id);
        break;
      case NGHTTP2_GOAWAY:
        OnGoAwaySent(self, frame->goaway);
        break;
      case NGHTTP2_RST_STREAM:
        OnResetSent(self, frame->rst_stream);
        break;
      case NGHTTP2_SETTINGS:
      case NGHTTP2_PING:
        // The engine no longer counts this acknowledgement among those that wait.
        if (self.out_ == &self.early_ && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) ++self.caused_frames_;
        break;
      default:
        break;
    }
    return 0;
  }

  static void OnResetSent(Session& self, const nghttp2_rst_stream& frame) {
    const StreamId id = frame.hd.stream_id;
    const StreamState* const stream = self.streams_.Find(id);
    // No stream: the peer's own reset overtook ours, or the engine refused it (OnInvalidFrame).
    const bool asked_for = self.answering_late_frame_ || stream == nullptr || stream->reset;
    if (self.options_.role == Role::kServer) self.meter_.closed_streams().NoteReset(id, ResetBy::kLocal);
    if (asked_for || frame.error_code == NGHTTP2_INTERNAL_ERROR) return;
    // The engine has done it by itself. The violation ends the connection after this pull.
    if (frame.error_code == NGHTTP2_FLOW_CONTROL_ERROR && self.meter_.in_settings()) {
      // "An endpoint MUST treat a change to SETTINGS_INITIAL_WINDOW_SIZE that causes any flow-control window to exceed
      // the maximum size as a connection error" (RFC 9113 section 6.9.2); nghttp2 1.52 resets the stream.
      self.meter_.Violate({ErrorCode::kFlowControlError,
                           absl::StrCat("SETTINGS_INITIAL_WINDOW_SIZE: expected windows of at most 2^31-1 octets, got ",
                                        "more for stream ", id),
                           {}});
    } else {
      self.meter_.ChargeGlitch();
    }
  }

  static void OnEndSent(Session& self, StreamId id) {
    StreamState* const stream = self.streams_.Find(id);
    if (stream == nullptr) return;
    stream->end_sent = true;
    if (stream->reset_after_end.has_value() && !stream->remote_ended) {
      const ErrorCode code = *stream->reset_after_end;
      self.ReturnHeldBytes(stream);
      self.SubmitReset(stream, code);
    }
  }

  static void OnGoAwaySent(Session& self, const nghttp2_goaway& frame) {
    if (self.closing_) {
      self.done_ = true;
    } else if (frame.error_code != NGHTTP2_NO_ERROR) {
      // Not ours: the engine found a connection error. Its reason is nowhere but in this frame.
      self.closing_ = self.done_ = true;
      const ErrorCode code = static_cast<ErrorCode>(frame.error_code);
      std::string reason(View(frame.opaque_data, frame.opaque_data_len));
      if (reason.empty()) reason = absl::StrCat("the peer broke the rules of HTTP/2: ", ToString(code));
      if (reason == kTooManyStreams) {
        reason = absl::StrCat("HEADERS: expected at most ", self.options_.max_concurrent_streams,
                              " streams at a time (max_concurrent_streams), got one more");
      }
      self.inbox_.Emit(H2ConnectionError{code, std::move(reason)});
    } else if (self.drain_ == Drain::kNoticeQueued) {
      // After the notice, never before it: its ACK says that the peer has seen the notice.
      self.drain_ = Drain::kPingSent;
      self.SubmitPing(kDrainPing);
    }
  }

  // The engine refuses a stream without having told of it.
  static int OnInvalidFrame(nghttp2_session*, const nghttp2_frame*, int code, void* user_data) {
    return EndIf(code == NGHTTP2_ERR_REFUSED_STREAM && !Self(user_data).meter_.ChargeGlitch());
  }

  // A block that cannot be sent must not leave its stream hanging.
  static int OnFrameNotSent(nghttp2_session* session, const nghttp2_frame* frame, int code, void*) {
    const bool gone = code == NGHTTP2_ERR_STREAM_CLOSED || code == NGHTTP2_ERR_STREAM_CLOSING;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat != NGHTTP2_HCAT_REQUEST && !gone) {
      Must(nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_INTERNAL_ERROR));
    }
    return 0;
  }

  static nghttp2_session_callbacks* Make() {
    nghttp2_session_callbacks* callbacks = nullptr;
    Must(nghttp2_session_callbacks_new(&callbacks));
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &Caught<&OnBeginHeaders>::Call);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, &Caught<&OnHeader>::Call);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &Caught<&OnFrame>::Call);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, &Caught<&OnInvalidFrame>::Call);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &Caught<&OnData>::Call);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &Caught<&OnStreamClose>::Call);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, &Caught<&SendData>::Call);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, &Caught<&OnFrameSent>::Call);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, &Caught<&OnFrameNotSent>::Call);
    return callbacks;
  }

  static nghttp2_option* MakeOptions(const H2Options& options) {
    nghttp2_option* option = nullptr;
    Must(nghttp2_option_new(&option));
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_continuations(option, kNoContinuationLimit);
    nghttp2_option_set_max_settings(option, kNoSettingsLimit);
    nghttp2_option_set_max_outbound_ack(option, options.unread_acks_max);
    nghttp2_option_set_max_reserved_remote_streams(option, 0);
    nghttp2_option_set_peer_max_concurrent_streams(option, kPeerStreamsBeforeSettings);
    nghttp2_option_set_stream_reset_rate_limit(option, kNoResetLimit, kNoResetRate);
    // Messages are checked by MessageRules.
    nghttp2_option_set_no_http_messaging(option, 1);
    return option;
  }
};

// ---- life ----------------------------------------------------------------------------------------------------------

Session::Session(const H2Options& options)
    : options_(options),
      inbox_(options, &streams_),
      preface_(options.role),
      meter_(options, streams_),
      engine_(std::make_unique<Engine>()) {
  const std::unique_ptr<nghttp2_session_callbacks, decltype(&nghttp2_session_callbacks_del)> callbacks(
      Callbacks::Make(), &nghttp2_session_callbacks_del);
  const std::unique_ptr<nghttp2_option, decltype(&nghttp2_option_del)> option(Callbacks::MakeOptions(options),
                                                                              &nghttp2_option_del);
  nghttp2_mem memory = engine_->memory.Table();
  if (options.role == Role::kServer) {
    Must(nghttp2_session_server_new3(&engine_->session, callbacks.get(), this, option.get(), &memory));
  } else {
    Must(nghttp2_session_client_new3(&engine_->session, callbacks.get(), this, option.get(), &memory));
    nghttp2_session_set_next_stream_id(engine_->session, static_cast<int32_t>(options.first_stream_id));
  }
}

Session::~Session() = default;

void Session::Start() {
  std::vector<nghttp2_settings_entry> settings;
  if (options_.role == Role::kServer) {
    settings.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options_.max_concurrent_streams});
    if (options_.extended_connect) settings.push_back({NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1});
  } else {
    settings.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  }
  settings.push_back({NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options_.stream_window_bytes});
  settings.push_back({NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, options_.header_list_bytes_max});
  settings.push_back({NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1});
  Must(nghttp2_submit_settings(engine_->session, NGHTTP2_FLAG_NONE, settings.data(), settings.size()));
  Must(nghttp2_session_set_local_window_size(engine_->session, NGHTTP2_FLAG_NONE, 0,
                                             static_cast<int32_t>(options_.connection_window_bytes)));
}

// ---- input ---------------------------------------------------------------------------------------------------------

void Session::Receive(std::string_view bytes, std::vector<H2Event>* events) {
  inbox_.Open(events);
  if (!preface_.done() && !closing_) TakePreface(&bytes);
  TakeFrames(bytes);
  inbox_.Close();
}

void Session::TakePreface(std::string_view* bytes) {
  const bool silent = IsSilent();
  if (const std::optional<std::string> stranger = preface_.Feed(bytes)) {
    if (silent && preface_.is_http1()) return RefuseHttp1(*stranger);
    Fail(ErrorCode::kProtocolError, *stranger);
  } else if (preface_.done()) {
    // A client's magic is no frame; of a server's preface the beginning of one was looked at.
    options_.role == Role::kServer ? Feed(preface_.passed()) : TakeFrames(preface_.passed());
  }
}

void Session::RefuseHttp1(std::string reason) {
  closing_ = done_ = true;
  early_.Append(kHttp1Refusal);
  inbox_.Emit(H2ConnectionError{ErrorCode::kProtocolError, std::move(reason)});
}

void Session::TakeFrames(std::string_view bytes) {
  while (!bytes.empty() && !closing_) {
    const size_t size = meter_.Walk(bytes);
    if (size > 0) Feed(bytes.substr(0, size));
    bytes.remove_prefix(size);
    if (closing_) return;
    if (meter_.violation().has_value()) {
      Fail(*meter_.violation());
    } else if (meter_.TakeOddOctet()) {
      const char even = static_cast<char>(bytes.front() & ~1);
      Feed({&even, 1});
      bytes.remove_prefix(1);
    } else if (meter_.late_frame().has_value()) {
      JudgeLateFrame(*meter_.late_frame());
    }
  }
}

void Session::Feed(std::string_view bytes) {
  acks_queued_ = 0;
  const size_t queued = engine_->QueuedFrames();
  const ssize_t read =
      nghttp2_session_mem_recv(engine_->session, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (read < 0) {
    FailReceive(static_cast<int>(read));
  } else if (const size_t now = engine_->QueuedFrames(); now > queued + acks_queued_) {
    caused_frames_ += now - queued - acks_queued_;
    // The engine has queued more than acknowledgements: it may have reset a stream or given up the connection, and says
    // so only in the frames that leave. Look at them now, so that the events come with the bytes that caused them.
    FlushControlFrames(kEarlyBytesMax);
    if (meter_.violation().has_value()) Fail(*meter_.violation());
  }
}

// HEADERS or DATA for a stream that is not new, or not open. nghttp2 ignores them if it has forgotten the stream.
void Session::JudgeLateFrame(const LateFrame& frame) {
  const StreamId id = frame.stream_id;
  if (id % 2 == 0) return;
  const StreamState* const stream = streams_.Find(id);
  const bool in_engine = stream != nullptr && !stream->closed;
  if (in_engine && !stream->reset) return;
  if (in_engine || options_.role == Role::kClient) {  // by a reset of ours that has not left, or who knows how
    if (!meter_.ChargeLateFrame()) Fail(*meter_.violation());
    return;
  }
  // Those above the last id of our GOAWAY were never served.
  if (drain_ == Drain::kFinalQueued && id > nghttp2_session_get_last_proc_stream_id(engine_->session)) return;
  const bool headers = frame.type == FrameType::kHeaders;
  const auto fail = [&](ErrorCode code, std::string_view what) {
    Fail(code, absl::StrCat(headers ? "HEADERS" : "DATA", " for stream ", id, ": ", std::string(what)));
  };
  switch (meter_.closed_streams().Of(id)) {
    case ClosedStreams::Past::kNeverOpened:
      if (headers) return fail(ErrorCode::kProtocolError, "expected an id above all others before (RFC 9113 5.1.1)");
      [[fallthrough]];
    case ClosedStreams::Past::kEnded:
      return fail(ErrorCode::kStreamClosed, "expected none, the client has ended it (RFC 9113 5.1)");
    case ClosedStreams::Past::kResetByPeer:
      Must(nghttp2_submit_rst_stream(engine_->session, NGHTTP2_FLAG_NONE, id, NGHTTP2_STREAM_CLOSED));
      ++caused_frames_;
      answering_late_frame_ = true;
      FlushControlFrames(kEarlyBytesMax);
      answering_late_frame_ = false;
      meter_.ChargeGlitch();
      break;
    case ClosedStreams::Past::kResetByUs:
    case ClosedStreams::Past::kForgotten:
      meter_.ChargeLateFrame();
      break;
  }
  if (meter_.violation().has_value()) Fail(*meter_.violation());
}

void Session::FailReceive(int library_code) {
  Must(library_code);
  switch (library_code) {
    case NGHTTP2_ERR_CALLBACK_FAILURE:
      if (no_memory_) throw std::bad_alloc();
      return Fail(*meter_.violation());
    case NGHTTP2_ERR_FLOODED:
      return Fail({ErrorCode::kEnhanceYourCalm,
                   absl::StrCat("PING and SETTINGS: expected the peer to read our answers, ", options_.unread_acks_max,
                                " of them wait unread (H2Options::unread_acks_max)"),
                   {},
                   H2Limit::kUnreadAcks});
    default:
      return Fail(ErrorCode::kInternalError, nghttp2_strerror(library_code));
  }
}

void Session::Fail(ErrorCode code, std::string reason) { Fail(Violation{code, std::move(reason), {}, {}}); }

void Session::Fail(const Violation& violation) {
  if (closing_) return;
  const std::string_view debug_data = violation.debug_data.empty() ? violation.reason : violation.debug_data;
  CloseConnection(violation.code, debug_data.substr(0, kDebugDataBytesMax));
  inbox_.Emit(H2ConnectionError{violation.code, violation.reason, violation.limit});
}

// ---- output --------------------------------------------------------------------------------------------------------

// One call of the engine's mem_send; false when it has nothing more for now. It returns bytes of one frame, or sends
// any number of DATA frames through Callbacks::SendData.
bool Session::PullOnce() {
  const uint8_t* data = nullptr;
  paused_ = false;
  const ssize_t size = nghttp2_session_mem_send(engine_->session, &data);
  if (size > 0) {
    out_->Append(View(data, static_cast<size_t>(size)));
    return !done_;
  }
  if (size < 0) {
    Must(no_memory_ ? NGHTTP2_ERR_NOMEM : static_cast<int>(size));
    closing_ = done_ = true;
    WriteGoAwayOurselves(ErrorCode::kInternalError, out_);
    inbox_.Emit(H2ConnectionError{ErrorCode::kInternalError, nghttp2_strerror(static_cast<int>(size))});
  }
  return paused_ && !done_;
}

size_t Session::Pull(size_t max_bytes, OutputBuffer* out, std::vector<H2Event>* events) {
  if (IsSilent()) return 0;
  const size_t start = out->size();
  inbox_.Open(events);
  early_.MovePrefix(early_.size(), out);
  caused_frames_ = 0;
  QueueFinalGoAway();
  out_ = out;
  out_limit_ = max_bytes > SIZE_MAX - start ? SIZE_MAX : start + max_bytes;
  while (!done_ && out->size() < out_limit_ && PullOnce()) {
  }
  out_ = nullptr;
  EmitDrained();
  inbox_.Close();
  return out->size() - start;
}

// Pulls all frames but DATA into early_. (A frame that turns out to be void lets the engine go on to a DATA frame: it
// is kept in its place.) But no more than a peer that does not read may make us hold: heads that stay with the engine
// keep their streams open, and so the peer from opening others.
void Session::FlushControlFrames(size_t early_bytes_max) {
  QueueFinalGoAway();
  out_ = &early_;
  out_limit_ = 0;
  while (!done_ && engine_->QueuedFrames() > 0 && early_.size() < early_bytes_max && PullOnce()) {
  }
  out_ = nullptr;
  if (caused_frames_ > options_.queued_control_frames_max) {
    Fail({ErrorCode::kEnhanceYourCalm,
          absl::StrCat("peer: expected it to read; ", caused_frames_, " resets, window updates and the like wait, ",
                       "more than H2Options::queued_control_frames_max (", options_.queued_control_frames_max, ")"),
          {},
          H2Limit::kQueuedControlFrames});
  }
}

void Session::EmitDrained() {
  for (StreamId id : drained_) {
    const StreamState* const stream = streams_.Find(id);
    // Whatever the connection's window is: whether a stream waits for that is found when it tries to send.
    if (stream != nullptr && !stream->Silent() && StreamWindow(*stream) > 0) inbox_.Emit(H2WindowUpdated{id});
  }
  drained_.clear();
}

bool Session::HasOutput() const {
  if (IsSilent()) return false;
  if (!early_.empty()) return true;
  return !done_ && (drain_ == Drain::kFinalDue || nghttp2_session_want_write(engine_->session) != 0);
}

absl::StatusOr<StreamId> Session::SubmitRequest(const HeaderList& fields, EndStream end_stream) {
  const uint32_t next_id = NextStreamId();
  StreamState* const stream = streams_.Add(static_cast<StreamId>(next_id));
  stream->head = fields;
  engine_->head.Set(0, fields);
  nghttp2_data_provider body{{.ptr = stream}, &Callbacks::Caught<&Callbacks::ReadData>::Call};
  const int32_t id = nghttp2_submit_request(engine_->session, nullptr, engine_->head.data(), engine_->head.size(),
                                            end_stream == EndStream::kYes ? nullptr : &body, nullptr);
  if (id < 0) {
    streams_.Erase(stream);
    return LibraryError("request", id);
  }
  assert(id == stream->id);
  ++open_streams_;
  meter_.NoteStreamOpenedByUs(id);
  return id;
}

absl::Status Session::SubmitResponse(StreamState* stream, int status, const HeaderList& fields, EndStream end_stream) {
  stream->head = fields;
  engine_->head.Set(status, fields);
  nghttp2_data_provider body{{.ptr = stream}, &Callbacks::Caught<&Callbacks::ReadData>::Call};
  const int code = nghttp2_submit_response(engine_->session, stream->id, engine_->head.data(), engine_->head.size(),
                                           end_stream == EndStream::kYes ? nullptr : &body);
  return code == 0 ? absl::OkStatus() : LibraryError("response", code);
}

absl::Status Session::SubmitInterimResponse(StreamState* stream, int status, const HeaderList& fields) {
  // Copied by the engine: the next head may be queued before this one has left.
  EngineFields head;
  head.Set(status, fields);
  head.LetCopy();
  const int code = nghttp2_submit_headers(engine_->session, NGHTTP2_FLAG_NONE, stream->id, nullptr, head.data(),
                                          head.size(), nullptr);
  return code < 0 ? LibraryError("interim response", code) : absl::OkStatus();
}

bool Session::SubmitTrailers(const StreamState& stream) {
  EngineFields& fields = engine_->trailers;
  fields.Set(0, stream.trailers);
  const int code = nghttp2_submit_trailer(engine_->session, stream.id, fields.data(), fields.size());
  Must(code);
  return code == 0;
}

void Session::SendHeldTrailers(StreamState* stream) {
  // The engine asks for data, and so for the end, only while the windows are open. Trailers need none (RFC 9113 section
  // 5.2.1: "only DATA frames are subject to flow control"), and with no data left there is nothing to be overtaken.
  if (stream->queue.empty() && SubmitTrailers(*stream)) return;
  Resume(stream);
}

void Session::Resume(StreamState* stream) {
  if (!stream->send_deferred) return;
  stream->send_deferred = false;
  Must(nghttp2_session_resume_data(engine_->session, stream->id));
}

void Session::SubmitReset(StreamState* stream, ErrorCode code) {
  if (done_ || stream->closed) return;
  stream->reset = true;
  DropQueue(stream);
  Must(nghttp2_submit_rst_stream(engine_->session, NGHTTP2_FLAG_NONE, stream->id, static_cast<uint32_t>(code)));
}

bool Session::ResetIf(std::optional<ErrorCode> code, StreamId id) {
  return !code.has_value() || ResetByUs(streams_.Find(id), *code);
}

// The peer broke a rule that the engine does not know.
bool Session::ResetByUs(StreamState* stream, ErrorCode code) {
  ReturnHeldBytes(stream);
  inbox_.Reset(stream, code, ResetBy::kLocal);
  SubmitReset(stream, code);
  return meter_.ChargeGlitch();
}

void Session::SubmitPing(uint64_t opaque) {
  if (done_) return;
  uint8_t octets[8];
  StoreBigEndian(opaque, sizeof octets, octets);
  meter_.NotePingSent();
  Must(nghttp2_submit_ping(engine_->session, NGHTTP2_FLAG_NONE, octets));
}

void Session::NoteBlocked(StreamState* stream) {
  stream->send_blocked = true;
  if (ConnectionWindow() <= 0) connection_window_short_ = true;
}

void Session::DropQueue(StreamState* stream) {
  if (stream->queue.empty()) return;
  queued_bytes_ -= stream->queue.size();
  stream->queue.Clear();
  // The connection's window has room again for a stream that waits for it, and no frame will come to say so.
  if (std::exchange(connection_window_short_, false)) inbox_.ConnectionWindowOpened();
}

void Session::EraseIfDone(StreamState* stream) {
  if (!stream->closed || (!stream->removed && stream->announced)) return;
  inbox_.Forget(stream);
  streams_.Erase(stream);
}

// ---- receive windows -----------------------------------------------------------------------------------------------

// The application has taken bytes: the stream's window reopens.
void Session::Consume(StreamState* stream, size_t bytes) {
  bytes = std::min(bytes, stream->held_bytes);
  if (bytes == 0) return;
  Reopen(*stream, bytes);
  Withhold(stream, bytes);
}

void Session::Withhold(StreamState* stream, size_t bytes) {
  bytes = std::min(bytes, stream->held_bytes);
  stream->held_bytes -= bytes;
  held_bytes_ -= bytes;
  ReturnOwedBytes();
}

void Session::Reopen(const StreamState& stream, size_t bytes) {
  if (!stream.remote_ended && !done_) Must(nghttp2_session_consume_stream(engine_->session, stream.id, bytes));
}

void Session::ResizeStreamWindows(uint32_t bytes) {
  if (closing_) return;
  const nghttp2_settings_entry setting{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, bytes};
  Must(nghttp2_submit_settings(engine_->session, NGHTTP2_FLAG_NONE, &setting, 1));
}

size_t Session::ReceiveWindow(StreamId id) const {
  return static_cast<size_t>(std::max(0, nghttp2_session_get_stream_local_window_size(engine_->session, id)));
}

void Session::ReturnHeldBytes(StreamState* stream) {
  if (stream->held_bytes == 0) return;
  held_bytes_ -= std::exchange(stream->held_bytes, 0);
  ReturnOwedBytes();
}

// The connection's window gets back all that was received, less what is held beyond the limit.
void Session::ReturnOwedBytes() {
  const size_t beyond = held_bytes_ > options_.held_bytes_max ? held_bytes_ - options_.held_bytes_max : 0;
  const size_t kept = std::min(owed_bytes_, beyond);
  if (kept == owed_bytes_ || done_) return;
  Must(nghttp2_session_consume_connection(engine_->session, owed_bytes_ - kept));
  owed_bytes_ = kept;
}

// ---- the end -------------------------------------------------------------------------------------------------------

void Session::BeginDrain(const char* why) {
  if (draining_ || closing_) return;
  draining_ = true;
  drain_reason_ = why;
  if (options_.role == Role::kServer) {
    drain_ = Drain::kNoticeQueued;
    Must(nghttp2_submit_shutdown_notice(engine_->session));
    return;
  }
  // The engine sends GOAWAY before new requests, and after GOAWAY no request at all: those already accepted go first.
  FlushControlFrames(SIZE_MAX);
  Must(nghttp2_submit_goaway(engine_->session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, nullptr, 0));
}

void Session::FinishDrain() {
  if (options_.role == Role::kClient || closing_) return;
  draining_ = true;
  if (drain_ < Drain::kFinalDue) drain_ = Drain::kFinalDue;
}

// As late as possible: a stream that came since must be below the last id.
void Session::QueueFinalGoAway() {
  if (drain_ != Drain::kFinalDue || closing_) return;
  drain_ = Drain::kFinalQueued;
  Must(nghttp2_submit_goaway(engine_->session, NGHTTP2_FLAG_NONE,
                             nghttp2_session_get_last_proc_stream_id(engine_->session), NGHTTP2_NO_ERROR,
                             reinterpret_cast<const uint8_t*>(drain_reason_), std::strlen(drain_reason_)));
}

void Session::CloseConnection(ErrorCode code, std::string_view debug_data) {
  if (closing_) return;
  closing_ = true;
  for (StreamId id : streams_.SortedIds()) {
    StreamState* const stream = streams_.Find(id);
    stream->reset = true;
    DropQueue(stream);
  }
  const int queued = nghttp2_submit_goaway(
      engine_->session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(engine_->session),
      static_cast<uint32_t>(code), reinterpret_cast<const uint8_t*>(debug_data.data()), debug_data.size());
  if (queued == 0) return;
  done_ = true;
  WriteGoAwayOurselves(code, &early_);
}

// For an engine that can no longer do it (out of memory).
void Session::WriteGoAwayOurselves(ErrorCode code, OutputBuffer* out) {
  uint8_t frame[kFrameHeaderBytes + 8] = {0, 0, 8, NGHTTP2_GOAWAY};
  StoreBigEndian(static_cast<uint32_t>(nghttp2_session_get_last_proc_stream_id(engine_->session)), 4,
                 frame + kFrameHeaderBytes);
  StoreBigEndian(static_cast<uint32_t>(code), 4, frame + kFrameHeaderBytes + 4);
  out->Append(View(frame, sizeof frame));
}

// The engine may have stopped anywhere: from here on it is only asked and destroyed.
void Session::Abandon() noexcept {
  streams_.MarkReset();
  closing_ = done_ = abandoned_ = true;
  drain_ = Drain::kNone;
  out_ = nullptr;
  early_.Clear();
  drained_.clear();
  inbox_.Abandon();
}

bool Session::IsFinished() const {
  if (!early_.empty()) return false;
  if (done_) return true;
  return drain_ != Drain::kFinalDue && nghttp2_session_want_read(engine_->session) == 0 &&
         nghttp2_session_want_write(engine_->session) == 0;
}

// ---- figures -------------------------------------------------------------------------------------------------------

int64_t Session::ConnectionWindow() const {
  return nghttp2_session_get_remote_window_size(engine_->session) - static_cast<int64_t>(queued_bytes_);
}

int64_t Session::StreamWindow(const StreamState& stream) const {
  int64_t window = nghttp2_session_get_stream_remote_window_size(engine_->session, stream.id);
  if (window < 0) {
    // The engine opens a request's stream when its head leaves.
    window = nghttp2_session_get_remote_settings(engine_->session, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);
  }
  return window - static_cast<int64_t>(stream.queue.size());
}

inline size_t Session::FlowControlRoom(const StreamState& stream) const {
  return static_cast<size_t>(std::max<int64_t>(0, std::min(StreamWindow(stream), ConnectionWindow())));
}

size_t Session::SendRoom(const StreamState& stream) const {
  const size_t queued = std::min(stream.queue.size(), options_.send_queue_bytes_max);
  return std::min(FlowControlRoom(stream), options_.send_queue_bytes_max - queued);
}

size_t Session::SharedSendRoom(const StreamState& stream) const {
  return stream.queue.size() < options_.shared_queue_bytes_max ? FlowControlRoom(stream) : 0;
}

uint32_t Session::NextStreamId() const { return nghttp2_session_get_next_stream_id(engine_->session); }

uint32_t Session::PeerMaxConcurrentStreams() const {
  return nghttp2_session_get_remote_settings(engine_->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

uint32_t Session::PeerMaxHeaderListBytes() const {
  return nghttp2_session_get_remote_settings(engine_->session, NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE);
}

bool Session::PeerTakesExtendedConnect() const {
  return nghttp2_session_get_remote_settings(engine_->session, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

// ---- HPACK for tools -----------------------------------------------------------------------------------------------

struct HeaderDecoder::Inflater {
  nghttp2_hd_inflater* inflater = nullptr;
  Inflater() { nghttp2_hd_inflate_new(&inflater); }
  ~Inflater() { nghttp2_hd_inflate_del(inflater); }
};

HeaderDecoder::HeaderDecoder() : inflater_(std::make_unique<Inflater>()) {}
HeaderDecoder::~HeaderDecoder() = default;

absl::Status HeaderDecoder::Decode(std::string_view bytes, Part part, HeaderList* fields) {
  const int last = part == Part::kLast ? 1 : 0;
  const auto* in = reinterpret_cast<const uint8_t*>(bytes.data());
  size_t left = bytes.size();
  while (true) {
    nghttp2_nv field;
    int flags = 0;
    const ssize_t read = nghttp2_hd_inflate_hd2(inflater_->inflater, &field, &flags, in, left, last);
    if (read < 0) return LibraryError("header block", static_cast<int>(read));
    in += read;
    left -= static_cast<size_t>(read);
    const bool emitted = (flags & NGHTTP2_HD_INFLATE_EMIT) != 0;
    if (emitted) fields->Add(View(field.name, field.namelen), View(field.value, field.valuelen));
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0 || (!emitted && left == 0)) break;
  }
  if (last != 0) nghttp2_hd_inflate_end_headers(inflater_->inflater);
  return absl::OkStatus();
}

bool EngineIsAvailable() { return nghttp2_version(NGHTTP2_VERSION_NUM) != nullptr; }

}  // namespace weir::transport
