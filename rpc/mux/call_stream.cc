#include "weir/rpc/mux/call_stream.h"

#include <algorithm>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/core/why.h"
#include "weir/rpc/mux/stream_multiplexer.h"
#include "weir/rpc/wire/compressed_message.h"
#include "weir/rpc/wire/status_mapping.h"

namespace weir::mux {
namespace {

using transport::EndStream;

// A message from this size on is encoded into a buffer of its own and handed to the transport by reference.
constexpr size_t kByReferenceBytes = 4096;

// Window is given back in portions of at least this much, or a quarter of the window if that is less.
constexpr size_t kReturnBytes = 4096;

// The status of a call whose own head or trailers the transport refused.
absl::Status Unsendable(const absl::Status& refused) {
  const auto code = absl::IsOutOfRange(refused) ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kInternal;
  return absl::Status(code, absl::StrCat("the server's metadata cannot be sent: ", refused.message()));
}

// More than the peer takes, or a field that HTTP/2 has not.
bool IsUnsendable(const absl::Status& sent) {
  return !sent.ok() && (absl::IsOutOfRange(sent) || absl::IsInvalidArgument(sent));
}

}  // namespace

CallStream::CallStream(StreamMultiplexer& mux, transport::StreamId id, const wire::Protocol& protocol)
    : mux_(mux), id_(id), protocol_(protocol), reader_(mux.options_.max_receive_message_bytes) {}

bool CallStream::is_server() const { return mux_.acceptor_ != nullptr; }
transport::H2Connection& CallStream::connection() const { return mux_.connection_; }
std::string_view CallStream::peer() const { return mux_.options_.peer; }

// ---- receiving ------------------------------------------------------------------------------------------------------

// What the application takes, it gets; what stays is kept beyond the read, counted, and charged to the peer's window.
inline void CallStream::HandOver() {
  Deliver();
  reader_.Keep();
  if (reader_.buffered_bytes() != counted_held_) [[unlikely]]
    CountHeld();
  ReturnWindow();
}

void CallStream::WantMessage() try {
  wanted_ = true;
  if (delivering_) return;  // the loop in Deliver goes on
  HandOver();
  if (mux_.ration_ != nullptr && wanted_) [[unlikely]]
    mux_.OnMessageAwaited(id_);
} catch (const std::bad_alloc&) {
  mux_.OnNoMemory();
  throw;
}

Metadata CallStream::DecodeMetadata(const transport::HeaderList& fields) const {
  return protocol_.DecodeMetadata(fields, connection().options().header_fields_max);
}

void CallStream::OnResponseHead(const transport::H2ResponseReceived& event) {
  if (event.interim()) return;
  wire::DecodedResponse decoded = protocol_.DecodeResponse(event.response, event.end_stream);
  if (decoded.final_status.has_value()) {
    if (!event.end_stream) return Abort(*std::move(decoded.final_status));
    return EndReceiving(*std::move(decoded.final_status), DecodeMetadata(event.response.fields));
  }
  if (!decoded.encoding.empty()) {
    absl::StatusOr<const Compressor*> found = wire::OfResponse(mux_.options_.compressors, decoded.encoding);
    if (!found.ok()) return Abort(found.status());
    decompressor_ = *found;
  }
  receiving_ = Half::kBody;
  if (observer_ != nullptr) observer_->OnInitialMetadata(DecodeMetadata(event.response.fields));
}

size_t CallStream::CountStall() {
  const bool shut = mux_.ration_ != nullptr && mux_.ration_->IsShut(id_);
  const bool waits = observer_ != nullptr && wanted_ && reader_.buffered_bytes() > 0 && !shut;
  stalls_ = waits && stalls_ < UINT8_MAX ? stalls_ + 1 : 0;
  return stalls_;
}

void CallStream::OnBody(const transport::BodyReceived& body) {
  stalls_ = 0;
  unreturned_bytes_ += body.flow_controlled_bytes;
  if (observer_ == nullptr) return ReturnWindow();
  reader_.Feed(body.data);
  if (!body.more) {
    if (!is_server()) {
      reader_.Keep();
      // Why(): said by this side, not by the server.
      return EndReceiving(
          WithWhy(
              absl::UnknownError("the server ended the stream without trailers: expected grpc-status after the last "
                                 "message, got END_STREAM on DATA"),
              Why()),
          Metadata());
    }
    receiving_ = Half::kEnding;
  }
  HandOver();
}

// Whole messages that are read in the turn in which they come are never held.
void CallStream::CountHeld() {
  if (removed_) return;
  const auto held = static_cast<uint32_t>(std::min<size_t>(reader_.buffered_bytes(), UINT32_MAX));
  mux_.CountReceived(size_t{held} - std::exchange(counted_held_, held));
}

// How much waits to be sent is for a client's application to say, but a server's clients would say it.
void CallStream::Backlog::Count(size_t change) {
  bytes += change;
  if (mux.acceptor_ != nullptr) mux.CountAnswers(change);
}

void CallStream::OnTrailers(const transport::HeaderList& fields) {
  if (is_server()) return OnRequestEnd();  // trailers of a request carry nothing for gRPC
  EndReceiving(protocol_.DecodeTrailers(fields), DecodeMetadata(fields));
}

void CallStream::OnRequestEnd() { EndReceiving(absl::OkStatus(), Metadata()); }

void CallStream::EndReceiving(absl::Status status, Metadata trailing) {
  receiving_ = Half::kEnding;
  end_status_ = std::move(status);
  end_trailing_ = std::move(trailing);
  Deliver();
  // The server has finished: it reads no more, even if what it sent waits for its reader here.
  if (!is_server() && observer_ != nullptr) StopSending();
}

void CallStream::Deliver() {
  if (delivering_) return;
  if (reader_.buffered_bytes() != 0) DeliverMessages();
  if (receiving_ == Half::kEnding && !waits_for_turn_) DeliverEnd();
}

void CallStream::OnTurn() {
  waits_for_turn_ = false;
  try {
    HandOver();
  } catch (const std::bad_alloc&) {
    // The connection may be lost already, and tell nobody any more.
    mux_.OnNoMemory();
    OnReset(OutOfMemory());
  }
}

void CallStream::DeliverMessages() {
  delivering_ = true;
  wire::Envelope envelope;
  while (observer_ != nullptr && wanted_ && reader_.buffered_bytes() != 0) {
    if (decompressor_ != nullptr && !mux_.MayDecompress(*this)) break;
    const wire::EnvelopeReader::Cut cut = reader_.Next(&envelope);
    if (cut == wire::EnvelopeReader::Cut::kNeedMore) break;
    if (cut == wire::EnvelopeReader::Cut::kError) {
      Abort(reader_.error());
      break;
    }
    wanted_ = false;
    expected_ = false;
    if (mux_.ration_ != nullptr) [[unlikely]]
      mux_.OnMessageTaken(id_);
    const bool more = envelope.compressed ? DeliverDecompressed(envelope.payload)
                                          : observer_->OnMessage(ReceivedMessage{.bytes = envelope.payload});
    if (more) wanted_ = true;
  }
  delivering_ = false;
}

bool CallStream::DeliverDecompressed(const transport::ChunkedBytes& payload) {
  // What it may keep for the next one.
  constexpr size_t kKeptBytesMax = 64 * 1024;
  // Taken away meanwhile: whoever gets the message may make another stream of the connection deliver one.
  std::string message = std::exchange(mux_.decompressed_, {});
  std::string room;
  absl::Status status = wire::Decompress(payload.Flat(&room), decompressor_, reader_.message_bytes_max(), &message);
  mux_.decompressed_bytes_ += message.size();  // also if they are too many
  if (!status.ok()) {
    Abort(std::move(status));
    return false;
  }
  const bool more = observer_->OnMessage(ReceivedMessage{.bytes = std::string_view(message), .was_compressed = true});
  if (message.capacity() <= kKeptBytesMax) mux_.decompressed_ = std::move(message);
  return more;
}

// The end comes after every message, and only if the last one is whole.
void CallStream::DeliverEnd() {
  if (observer_ == nullptr) return;
  if (reader_.buffered_bytes() != 0) {
    if (!wanted_) return;
    if (end_status_.ok()) return Abort(reader_.AtEnd());
  }
  receiving_ = Half::kEnded;
  StreamObserver* observer = observer_;
  if (!is_server()) {
    observer_ = nullptr;
    mux_.Remove(*this);
  }
  observer->OnEnd(std::move(end_status_), std::move(end_trailing_));
}

void CallStream::ReturnWindow() {
  // While the application waits, or will in any case, all that is held belongs to the message it waits for: the peer
  // must be able to send the rest of it. Otherwise what is held stays charged to the peer's window.
  const bool whole_may_come = expected_ && reader_.buffered_bytes() <= reader_.message_bytes_max();
  const bool open = observer_ == nullptr || (wanted_ && !waits_for_turn_) || whole_may_come;
  const size_t held = open ? 0 : std::min(reader_.buffered_bytes(), unreturned_bytes_);
  const size_t due = unreturned_bytes_ - held;
  const size_t portion = std::min<size_t>(kReturnBytes, connection().options().stream_window_bytes / 4);
  mux_.withheld_bytes_ += due - withheld_bytes_;  // modulo 2^n
  withheld_bytes_ = due;
  if (due >= portion) {
    if (due != 0) ReturnNow(due);
  } else if (mux_.withheld_bytes_ >= connection().options().connection_window_bytes / 4) {
    // A little of each of many streams is much of the connection's window, which is for all of them.
    mux_.ReturnWithheld();
  }
}

void CallStream::ReturnWithheld() {
  if (withheld_bytes_ != 0) ReturnNow(withheld_bytes_);
}

void CallStream::ReturnNow(size_t due) {
  unreturned_bytes_ -= due;
  mux_.withheld_bytes_ -= std::exchange(withheld_bytes_, 0);
  const bool partial = reader_.buffered_bytes() != 0 && observer_ != nullptr;
  if (!partial || !mux_.Withhold(id_, due, wanted_)) connection().ConsumeData(id_, due);
  mux_.host_.RequestFlush();
}

void CallStream::OnRemoved() {
  unreturned_bytes_ = 0;
  mux_.withheld_bytes_ -= std::exchange(withheld_bytes_, 0);
  if (counted_held_ != 0) mux_.CountReceived(size_t{0} - std::exchange(counted_held_, 0));
  if (mux_.ration_ != nullptr) mux_.ration_->OnRemoved(id_);
}

void CallStream::Abort(absl::Status status) {
  StreamObserver* observer = observer_;
  if (is_server()) {
    FinishNow(status);
  } else {
    Cancel(status);
  }
  if (observer != nullptr) observer->OnReset(std::move(status));
}

void CallStream::OnLost(const absl::Status& status) {
  // A reset that follows the end takes nothing back (RFC 9113 section 8.1): messages that wait are still delivered.
  if (is_server() || receiving_ != Half::kEnding) OnReset(status);
}

void CallStream::OnReset(const absl::Status& status) {
  StreamObserver* observer = std::exchange(observer_, nullptr);
  mux_.Remove(*this);
  if (observer != nullptr) observer->OnReset(status);
}

// ---- sending --------------------------------------------------------------------------------------------------------

void CallStream::SendHead(const Metadata& initial, const Compressor* compressor) {
  if (sending_ != Half::kHead) return;
  if (is_server()) {
    const bool plain = initial.empty() && compressor == nullptr && decompressor_ == nullptr;
    if (!plain) {
      wire::ResponseHead head;
      if (compressor != nullptr) head.encoding = compressor->name();
      // gRPC compression.md: "if it receives a message compressed in an undisclosed but supported encoding, it MUST
      // include said encoding in the response's grpc-accept-encoding header". Other clients have not asked.
      if (decompressor_ != nullptr) head.accept_encoding = mux_.accept_encoding();
      head.metadata = &initial;
      mux_.scratch_.Clear();
      protocol_.EncodeResponseHead(head, &mux_.scratch_);
    }
    const transport::HeaderList& head = plain ? mux_.plain_head_ : mux_.scratch_;
    const absl::Status sent = connection().SendResponseHeaders(id_, 200, head, EndStream::kNo);
    // More than the peer takes, or a field that HTTP/2 has not: the call cannot go on without it.
    if (IsUnsendable(sent)) return Abort(Unsendable(sent));
  }
  sending_ = Half::kBody;
}

void CallStream::SendInitialMetadata(const Metadata& initial, const Compressor* compressor) try {
  SendHead(initial, compressor);
  mux_.host_.RequestFlush();
} catch (const std::bad_alloc&) {
  mux_.OnNoMemory();
  throw;
}

char* CallStream::Reserve(size_t bytes) try {
  if (sending_ == Half::kHead) SendHead(Metadata(), nullptr);
  if (sending_ != Half::kBody || bytes >= kByReferenceBytes || backlog_ != nullptr) return nullptr;
  mux_.host_.RequestFlush();
  return connection().ReserveData(id_, bytes);
} catch (const std::bad_alloc&) {
  mux_.OnNoMemory();
  throw;
}

bool CallStream::SendMessage(transport::SharedBytes framed) try {
  const size_t bytes = framed.bytes.size();
  if (sending_ == Half::kHead) SendHead(Metadata(), nullptr);
  mux_.host_.RequestFlush();
  if (backlog_ == nullptr) {
    const size_t accepted = connection().SendData(id_, framed, EndStream::kNo);
    framed.bytes.remove_prefix(accepted);
    if (framed.bytes.empty()) return true;
    backlog_ = std::make_unique<Backlog>(mux_);
    backlog_->cut_bytes = accepted;
  }
  backlog_->messages.push_back(std::move(framed));
  backlog_->Count(bytes);
  WaitForWindow();
  return false;
} catch (const std::bad_alloc&) {
  mux_.OnNoMemory();
  throw;
}

// Returns true if nothing is left of the backlog's messages.
bool CallStream::SendBacklog() {
  std::vector<transport::SharedBytes>& messages = backlog_->messages;
  size_t done = 0;
  bool progress = false;
  for (; done < messages.size(); ++done) {
    transport::SharedBytes& rest = messages[done];
    const size_t accepted = connection().SendData(id_, rest, EndStream::kNo);
    rest.bytes.remove_prefix(accepted);
    backlog_->cut_bytes += accepted;
    mux_.NoteTaken(accepted);
    progress |= accepted > 0;
    if (!rest.bytes.empty()) break;
    backlog_->Count(0 - std::exchange(backlog_->cut_bytes, 0));
  }
  if (progress && backlog_->watch != nullptr) backlog_->watch->OnProgress();
  messages.erase(messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(done));
  return messages.empty();
}

void CallStream::WaitForWindow() {
  if (connection().IsConnectionWindowUsedUp()) mux_.blocked_.insert(id_);
}

void CallStream::OnWindow() {
  if (backlog_ == nullptr) return;
  mux_.host_.RequestFlush();
  if (!SendBacklog()) return WaitForWindow();
  const std::unique_ptr<Backlog> sent = std::move(backlog_);
  mux_.blocked_.erase(id_);
  if (sending_ == Half::kEnding) return SendEnd(sent->trailers);
  if (observer_ != nullptr) observer_->OnWritable();
}

// Client: the server has ended the call, and messages of it wait for their reader.
void CallStream::StopSending() {
  backlog_.reset();
  mux_.blocked_.erase(id_);
  sending_ = Half::kEnded;
  observer_->OnSendingEnd();
}

void CallStream::HalfClose() try {
  if (sending_ == Half::kEnding || sending_ == Half::kEnded) return;
  sending_ = Half::kEnding;
  if (backlog_ == nullptr) SendEnd(transport::HeaderList());
} catch (const std::bad_alloc&) {
  mux_.OnNoMemory();
  throw;
}

bool CallStream::Finish(const absl::Status& status, const Metadata& trailing) try {
  mux_.host_.RequestFlush();
  if (sending_ == Half::kHead) {
    mux_.scratch_.Clear();
    protocol_.EncodeTrailersOnly(status, trailing, mux_.accept_encoding(), &mux_.scratch_);
    absl::Status sent = connection().SendResponseHeaders(id_, 200, mux_.scratch_, EndStream::kYes);
    if (IsUnsendable(sent)) {
      transport::HeaderList shorter;
      if (protocol_.ShortenTrailers(mux_.scratch_, &shorter)) {
        sent = connection().SendResponseHeaders(id_, 200, shorter, EndStream::kYes);
      }
    }
    if (IsUnsendable(sent)) SendWhyUnsendable(Unsendable(sent));
    sending_ = Half::kEnded;
    LeaveObserver();
    return true;
  }
  if (sending_ != Half::kBody) return true;
  sending_ = Half::kEnding;
  const bool plain = status.ok() && trailing.empty();
  if (!plain) {
    mux_.scratch_.Clear();
    protocol_.EncodeTrailers(status, trailing, &mux_.scratch_);
  }
  const transport::HeaderList& trailers = plain ? mux_.ok_trailers_ : mux_.scratch_;
  if (backlog_ == nullptr) {
    SendTrailers(trailers);
    return true;
  }
  backlog_->trailers = trailers;
  observer_ = nullptr;
  ReturnWindow();
  return false;
} catch (const std::bad_alloc&) {
  mux_.OnNoMemory();
  throw;
}

void CallStream::WatchSending(std::unique_ptr<SendingWatch> watch) { backlog_->watch = std::move(watch); }

// gRPC's status_ordering.md: the status comes after all messages, but cancellation and deadline may overtake them.
void CallStream::FinishNow(const absl::Status& error) {
  if (backlog_ != nullptr) {
    // Trailers behind half a message would make it look like our fault to some clients.
    if (backlog_->cut_bytes > 0) return Cancel(error);
    backlog_.reset();
    mux_.blocked_.erase(id_);
  }
  Finish(error, Metadata());
}

void CallStream::Refuse(int http_status, const absl::Status& status) try {
  if (http_status == 200) return FinishNow(status);
  mux_.scratch_.Clear();
  protocol_.EncodeTrailersOnly(status, Metadata(), mux_.accept_encoding(), &mux_.scratch_);
  connection().SendResponseHeaders(id_, http_status, mux_.scratch_, EndStream::kYes).IgnoreError();
  sending_ = Half::kEnded;
  LeaveObserver();
} catch (const std::bad_alloc&) {
  mux_.OnNoMemory();
  throw;
}

bool CallStream::AnswerPage(std::string_view text, const absl::Status& status) try {
  transport::HeaderList head;
  head.Add("content-type", "text/plain; charset=utf-8");
  connection().SendResponseHeaders(id_, 200, head, EndStream::kNo).IgnoreError();
  sending_ = Half::kBody;
  SendMessage(transport::SharedBytes{nullptr, text});
  return Finish(status, Metadata());
} catch (const std::bad_alloc&) {
  mux_.OnNoMemory();
  throw;
}

void CallStream::SendEnd(const transport::HeaderList& trailers) {
  sending_ = Half::kEnded;
  mux_.host_.RequestFlush();
  if (!is_server()) {
    connection().SendData(id_, std::string_view(), EndStream::kYes);
    return;
  }
  SendTrailers(trailers);
}

void CallStream::SendTrailers(const transport::HeaderList& trailers) {
  sending_ = Half::kEnded;
  absl::Status sent = connection().SendTrailers(id_, trailers);
  if (IsUnsendable(sent)) {
    transport::HeaderList shorter;
    if (protocol_.ShortenTrailers(trailers, &shorter)) sent = connection().SendTrailers(id_, shorter);
  }
  if (IsUnsendable(sent)) SendWhyUnsendable(Unsendable(sent));
  LeaveObserver();
}

// In place of the last block, without what the application added; to a peer that does not take even that, without a
// text.
void CallStream::SendWhyUnsendable(const absl::Status& why) {
  for (const absl::Status& status : {why, absl::Status(why.code(), "")}) {
    absl::Status sent;
    mux_.scratch_.Clear();
    if (sending_ == Half::kHead) {
      protocol_.EncodeTrailersOnly(status, Metadata(), mux_.accept_encoding(), &mux_.scratch_);
      sent = connection().SendResponseHeaders(id_, 200, mux_.scratch_, EndStream::kYes);
    } else {
      protocol_.EncodeTrailers(status, Metadata(), &mux_.scratch_);
      sent = connection().SendTrailers(id_, mux_.scratch_);
    }
    if (!IsUnsendable(sent)) return;
  }
}

// Server: the response is complete. What the client still sends is not wanted any more.
void CallStream::LeaveObserver() {
  observer_ = nullptr;
  if (receiving_ == Half::kHead || receiving_ == Half::kBody) {
    // A server that is done before its client says so by RST_STREAM(NO_ERROR) (RFC 9113 section 8.1).
    connection().ResetStreamAfterEnd(id_, transport::ErrorCode::kNoError);
  }
  mux_.Remove(*this);
}

void CallStream::Cancel(const absl::Status& status) try {
  observer_ = nullptr;
  connection().ResetStream(id_, wire::ResetFromStatus(status));
  mux_.host_.RequestFlush();
  mux_.Remove(*this);
} catch (const std::bad_alloc&) {
  mux_.OnNoMemory();
  throw;
}

}  // namespace weir::mux
