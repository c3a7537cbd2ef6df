#include "weir/transport/h2/connection.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/transport/h2/field_rules.h"
#include "weir/transport/h2/session.h"

namespace weir::transport {
namespace {

// Largest header block we send, whatever the peer would take.
constexpr uint32_t kSendHeaderListBytesMax = 64 * 1024;
constexpr uint32_t kStreamIdMax = 0x7fffffff;

absl::Status Misuse(StreamId stream_id, std::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat("stream ", stream_id, ": ", std::string(what)));
}

// Why our half may not send. `what` names the frame.
absl::Status NotOpenForSending(const StreamState* stream, StreamId stream_id, std::string_view what) {
  if (stream == nullptr || stream->removed || !stream->announced) {
    return absl::NotFoundError(absl::StrCat(std::string(what), " for stream ", stream_id, ": there is no such stream"));
  }
  if (stream->reset) return absl::CancelledError(absl::StrCat("stream ", stream_id, " was reset"));
  return Misuse(stream_id, absl::StrCat(std::string(what), " after the end of our half"));
}

bool IsOpenForSending(const StreamState* stream) {
  return stream != nullptr && stream->announced && !stream->Silent() && !stream->local_ended;
}

}  // namespace

H2Connection::H2Connection(H2Options options) : options_(options), session_(std::make_unique<Session>(options_)) {}
H2Connection::~H2Connection() = default;

void H2Connection::InitiateConnection() { session_->Start(); }

void H2Connection::AdvanceTime(MonotonicTime now) { session_->meter().AdvanceTime(now); }

void H2Connection::ReceiveData(std::string_view bytes, std::vector<H2Event>* events) {
  session_->Receive(bytes, events);
}

void H2Connection::ConsumeData(StreamId stream_id, size_t bytes) {
  if (StreamState* const stream = session_->streams().Find(stream_id)) session_->Consume(stream, bytes);
}

void H2Connection::WithholdData(StreamId stream_id, size_t bytes) {
  if (StreamState* const stream = session_->streams().Find(stream_id)) session_->Withhold(stream, bytes);
}

void H2Connection::ReopenStream(StreamId stream_id, size_t bytes) {
  if (const StreamState* const stream = session_->streams().Find(stream_id)) session_->Reopen(*stream, bytes);
}

void H2Connection::ResizeStreamWindows(uint32_t bytes) { session_->ResizeStreamWindows(bytes); }

size_t H2Connection::DataToSend(size_t max_bytes, OutputBuffer* out, std::vector<H2Event>* events) {
  return session_->Pull(max_bytes, out, events);
}

bool H2Connection::HasDataToSend() const { return session_->HasOutput(); }

// May `fields` be sent? A list that is still the one checked last may, if the peer still takes as much.
inline absl::Status H2Connection::CheckBlock(BlockKind kind, const HeaderList& fields, HeaderList* checked) {
  const uint32_t bytes_max = std::min(kSendHeaderListBytesMax, session_->PeerMaxHeaderListBytes());
  const bool known = fields.SharesBufferWith(*checked) && !fields.empty() && ListSize(kind, fields) <= bytes_max;
  return known ? absl::OkStatus() : CheckNewBlock(kind, fields, bytes_max, checked);
}

absl::Status H2Connection::CheckNewBlock(BlockKind kind, const HeaderList& fields, uint32_t bytes_max,
                                         HeaderList* checked) {
  absl::Status legal = CheckFields(kind, fields, bytes_max);
  if (legal.ok()) *checked = fields;
  return legal;
}

absl::StatusOr<StreamId> H2Connection::SendRequestHeaders(const HeaderList& fields, EndStream end_stream) {
  if (options_.role == Role::kServer) return absl::FailedPreconditionError("request head: a server sends none");
  if (session_->draining() || session_->closing()) {
    return absl::UnavailableError("request head: the connection is draining; open the stream on another one");
  }
  if (session_->NextStreamId() > kStreamIdMax) {
    return absl::UnavailableError("request head: no stream id is left; open the stream on another connection");
  }
  if (!CanOpenStream()) {
    return absl::ResourceExhaustedError(absl::StrCat("request head: the peer allows ", PeerMaxConcurrentStreams(),
                                                     " concurrent streams and all are in use"));
  }
  absl::Status checked = CheckBlock(BlockKind::kRequest, fields, &checked_head_);
  if (!checked.ok()) return checked;
  if (fields.Find(":protocol").has_value() && !session_->PeerTakesExtendedConnect()) {
    return absl::FailedPreconditionError(
        "request head: :protocol needs SETTINGS_ENABLE_CONNECT_PROTOCOL, which the peer has not announced");
  }
  absl::StatusOr<StreamId> id = session_->SubmitRequest(fields, end_stream);
  if (!id.ok()) return id;
  StreamState* const stream = session_->streams().Find(*id);
  stream->announced = true;
  stream->head_sent = true;
  stream->head_request = fields[0].value == "HEAD";
  stream->local_ended = end_stream == EndStream::kYes;
  ++session_->inbox().active_streams;
  return id;
}

absl::Status H2Connection::SendResponseHeaders(StreamId stream_id, int status, const HeaderList& fields,
                                               EndStream end_stream) {
  if (options_.role == Role::kClient) return absl::FailedPreconditionError("response head: a client sends none");
  StreamState* const stream = session_->streams().Find(stream_id);
  if (!IsOpenForSending(stream)) return NotOpenForSending(stream, stream_id, "response head");
  if (stream->head_sent) return Misuse(stream_id, "second response head");
  if (status < 100 || status > 999 || status == 101) {
    return absl::InvalidArgumentError(
        absl::StrCat("response head: expected a status of 100 to 999 and not 101, got ", status));
  }
  absl::Status checked = CheckBlock(BlockKind::kResponse, fields, &checked_head_);
  if (!checked.ok()) return checked;
  if (status < 200) {
    if (end_stream == EndStream::kYes) return Misuse(stream_id, "an interim response cannot end the stream");
    return session_->SubmitInterimResponse(stream, status, fields);
  }
  checked = session_->SubmitResponse(stream, status, fields, end_stream);
  if (!checked.ok()) return checked;
  stream->head_sent = true;
  stream->local_ended = end_stream == EndStream::kYes;
  return absl::OkStatus();
}

// The two forms of SendData differ in how much of `data` is accepted and how that is queued.
template <typename Append>
size_t H2Connection::QueueData(StreamId stream_id, size_t size, EndStream end_stream,
                               size_t (Session::*room)(const StreamState&) const, Append append) {
  StreamState* const stream = session_->streams().Find(stream_id);
  if (!CanSendData(stream)) return 0;
  const size_t accepted = size == 0 ? 0 : std::min(size, ((*session_).*room)(*stream));
  if (accepted > 0) {
    append(accepted, &stream->queue);
    session_->NoteQueued(accepted);
  }
  if (accepted < size) {
    session_->NoteBlocked(stream);
  } else if (end_stream == EndStream::kYes) {
    stream->local_ended = true;
  }
  if (accepted > 0 || stream->local_ended) session_->Resume(stream);
  return accepted;
}

bool H2Connection::CanSendData(const StreamState* stream) const {
  return stream != nullptr && stream->head_sent && !stream->local_ended && !stream->Silent() && !stream->closed;
}

size_t H2Connection::SendData(StreamId stream_id, std::string_view data, EndStream end_stream) {
  return QueueData(stream_id, data.size(), end_stream, &Session::SendRoom,
                   [data](size_t accepted, OutputBuffer* queue) { queue->Append(data.substr(0, accepted)); });
}

size_t H2Connection::SendData(StreamId stream_id, const SharedBytes& data, EndStream end_stream) {
  // The queue copies what is not worth a reference.
  const bool copied = data.bytes.size() < OutputBuffer::kShareBytesMin;
  return QueueData(stream_id, data.bytes.size(), end_stream, copied ? &Session::SendRoom : &Session::SharedSendRoom,
                   [&data](size_t accepted, OutputBuffer* queue) {
                     queue->Append(SharedBytes{data.owner, data.bytes.substr(0, accepted)});
                   });
}

char* H2Connection::ReserveData(StreamId stream_id, size_t bytes) {
  StreamState* const stream = session_->streams().Find(stream_id);
  if (!CanSendData(stream) || session_->SendRoom(*stream) < bytes) return nullptr;
  session_->NoteQueued(bytes);
  session_->Resume(stream);
  return stream->queue.Extend(bytes);
}

absl::Status H2Connection::SendTrailers(StreamId stream_id, const HeaderList& fields) {
  StreamState* const stream = session_->streams().Find(stream_id);
  if (!IsOpenForSending(stream)) return NotOpenForSending(stream, stream_id, "trailers");
  if (!stream->head_sent) return Misuse(stream_id, "trailers before the head");
  absl::Status checked = CheckBlock(BlockKind::kTrailers, fields, &checked_trailers_);
  if (!checked.ok()) return checked;
  stream->trailers = fields;
  stream->trailers_held = true;
  stream->local_ended = true;
  session_->SendHeldTrailers(stream);
  return absl::OkStatus();
}

void H2Connection::ResetStream(StreamId stream_id, ErrorCode error_code) {
  StreamState* const stream = session_->streams().Find(stream_id);
  if (stream == nullptr || stream->removed) return;
  session_->ReturnHeldBytes(stream);
  if (stream->reset || stream->closed) return;
  session_->SubmitReset(stream, error_code);
}

void H2Connection::ResetStreamAfterEnd(StreamId stream_id, ErrorCode error_code) {
  StreamState* const stream = session_->streams().Find(stream_id);
  if (stream == nullptr || stream->Silent() || stream->closed || stream->remote_ended) return;
  if (stream->end_sent) {
    ResetStream(stream_id, error_code);
  } else {
    stream->reset_after_end = error_code;
  }
}

void H2Connection::SendPing(uint64_t opaque) { session_->SubmitPing(opaque); }
void H2Connection::BeginDrain(const char* why) { session_->BeginDrain(why); }
void H2Connection::FinishDrain() { session_->FinishDrain(); }
void H2Connection::CloseConnection(ErrorCode error_code, std::string_view debug_data) {
  session_->CloseConnection(error_code, debug_data);
}
void H2Connection::Abandon() noexcept { session_->Abandon(); }
bool H2Connection::IsAbandoned() const { return session_->abandoned(); }
bool H2Connection::IsDraining() const { return session_->draining(); }
bool H2Connection::IsClosed() const { return session_->goaway_received(); }
bool H2Connection::IsFinished() const { return session_->IsFinished(); }

size_t H2Connection::LocalFlowControlWindow(StreamId stream_id) const {
  const StreamState* const stream = session_->streams().Find(stream_id);
  if (!IsOpenForSending(stream) || stream->closed) return 0;
  return session_->SendRoom(*stream);
}

bool H2Connection::IsConnectionWindowUsedUp() const { return session_->ConnectionWindow() <= 0; }

bool H2Connection::StreamEnded(StreamId stream_id) const {
  const StreamState* const stream = session_->streams().Find(stream_id);
  return stream == nullptr || stream->Silent() || stream->remote_ended || !stream->announced;
}

bool H2Connection::IsReset(StreamId stream_id) const {
  const StreamState* const stream = session_->streams().Find(stream_id);
  return stream == nullptr || stream->reset;
}

void H2Connection::SetStreamData(StreamId stream_id, void* data) {
  StreamState* const stream = session_->streams().Find(stream_id);
  if (stream != nullptr && !stream->removed) stream->user_data = data;
}

void* H2Connection::StreamData(StreamId stream_id) const {
  const StreamState* const stream = session_->streams().Find(stream_id);
  return stream == nullptr ? nullptr : stream->user_data;
}

void H2Connection::RemoveStream(StreamId stream_id) {
  StreamState* const stream = session_->streams().Find(stream_id);
  if (stream == nullptr || stream->removed || !stream->announced) return;
  session_->ReturnHeldBytes(stream);
  const bool open = !stream->closed && !stream->reset && !(stream->remote_ended && stream->local_ended);
  if (open) {
    // A server's complete response is not cut off because the client still talks.
    if (options_.role == Role::kServer && stream->local_ended) {
      ResetStreamAfterEnd(stream_id, stream->reset_after_end.value_or(ErrorCode::kCancel));
    } else {
      session_->SubmitReset(stream, ErrorCode::kCancel);
    }
  }
  stream->removed = true;
  stream->user_data = nullptr;
  --session_->inbox().active_streams;
  session_->EraseIfDone(stream);
}

size_t H2Connection::ActiveStreamCount() const { return session_->inbox().active_streams; }

bool H2Connection::CanOpenStream() const {
  return options_.role == Role::kClient && !session_->draining() && !session_->closing() &&
         session_->NextStreamId() <= kStreamIdMax && session_->open_streams() < session_->PeerMaxConcurrentStreams();
}

uint32_t H2Connection::PeerMaxConcurrentStreams() const { return session_->PeerMaxConcurrentStreams(); }

size_t H2Connection::HeldBytes() const { return session_->held_bytes_; }
size_t H2Connection::ReceiveWindow(StreamId stream_id) const { return session_->ReceiveWindow(stream_id); }
size_t H2Connection::QueuedBytes() const { return session_->queued_bytes(); }
MonotonicTime H2Connection::HeaderBlockSince() const { return session_->meter().header_block_since(); }

const H2Counters& H2Connection::counters() const { return session_->meter().counters(); }

bool IsH2Available() { return EngineIsAvailable(); }

}  // namespace weir::transport
