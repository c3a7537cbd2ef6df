#include "weir/rpc/mux/stream_multiplexer.h"

#include <new>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/why.h"
#include "weir/rpc/wire/status_mapping.h"

namespace weir::mux {

StreamMultiplexer::StreamMultiplexer(transport::H2Connection& connection, Host& host, CallAcceptor* acceptor,
                                     MultiplexerOptions options)
    : connection_(connection),
      host_(host),
      acceptor_(acceptor),
      options_(std::move(options)),
      memory_(options_.memory, options_.loop_memory) {
  if (acceptor_ == nullptr) return;
  wire::Grpc().EncodeResponseHead(wire::ResponseHead(), &plain_head_);
  wire::Grpc().EncodeTrailers(absl::OkStatus(), Metadata(), &ok_trailers_);
}

StreamMultiplexer::~StreamMultiplexer() {
  ration_.reset();  // the host is going, too, and is told nothing more
  while (first_ != nullptr) delete std::exchange(first_, first_->next_);
  Sweep();
}

// ---- the table ------------------------------------------------------------------------------------------------------

CallStream* StreamMultiplexer::Find(transport::StreamId id) {
  return static_cast<CallStream*>(connection_.StreamData(id));
}

CallStream& StreamMultiplexer::Create(transport::StreamId id, const wire::Protocol& protocol) {
  auto* const stream = new CallStream(*this, id, protocol);
  stream->previous_ = last_;
  (last_ == nullptr ? first_ : last_->next_) = stream;
  last_ = stream;
  ++stream_count_;
  connection_.SetStreamData(id, stream);
  return *stream;
}

void StreamMultiplexer::Remove(CallStream& stream) {
  if (stream.removed_) return;
  stream.removed_ = true;
  (stream.previous_ == nullptr ? first_ : stream.previous_->next_) = stream.next_;
  (stream.next_ == nullptr ? last_ : stream.next_->previous_) = stream.previous_;
  --stream_count_;
  stream.next_ = std::exchange(removed_, &stream);
  if (!blocked_.empty()) blocked_.erase(stream.id());
  stream.OnRemoved();
  connection_.RemoveStream(stream.id());
  host_.RequestFlush();
  if (acceptor_ == nullptr) host_.OnPlaceFree();
}

// A copy: whoever is told something may end others.
std::vector<CallStream*> StreamMultiplexer::InOrder() const {
  std::vector<CallStream*> all;
  all.reserve(stream_count_);
  for (CallStream* stream = first_; stream != nullptr; stream = stream->next_) all.push_back(stream);
  return all;
}

// ---- events ---------------------------------------------------------------------------------------------------------

void StreamMultiplexer::OnEvents(std::span<transport::H2Event> events) {
  for (transport::H2Event& event : events) {
    if (auto* body = std::get_if<transport::H2BodyReceived>(&event)) {
      if (CallStream* stream = Find(body->stream_id)) stream->OnBody(body->body);
    } else if (auto* request = std::get_if<transport::H2RequestReceived>(&event)) {
      OnRequest(*request);
    } else if (auto* response = std::get_if<transport::H2ResponseReceived>(&event)) {
      if (CallStream* stream = Find(response->stream_id)) stream->OnResponseHead(*response);
    } else if (auto* trailers = std::get_if<transport::H2TrailersReceived>(&event)) {
      if (CallStream* stream = Find(trailers->stream_id)) stream->OnTrailers(trailers->fields);
    } else if (auto* reset = std::get_if<transport::H2StreamReset>(&event)) {
      OnStreamReset(*reset);
    } else if (auto* window = std::get_if<transport::H2WindowUpdated>(&event)) {
      OnWindowUpdated(window->stream_id);
    } else if (auto* away = std::get_if<transport::H2GoAway>(&event)) {
      goaway_ = std::make_unique<transport::H2GoAway>(std::move(*away));
      const bool was_draining = std::exchange(draining_, true);
      if (!was_draining && acceptor_ == nullptr) {
        const Why why{.by = Why::By::kPeer, .http2 = absl::StrCat("GOAWAY ", wire::Describe(*goaway_))};
        host_.OnDraining(WithWhy(absl::UnavailableError(absl::StrCat(options_.peer, " sent ", why.http2)), why));
      }
      // A client that says GOAWAY only announces that it will not accept pushed streams: its calls go on.
      if (acceptor_ != nullptr) draining_ = was_draining;
    } else if (auto* settings = std::get_if<transport::H2SettingsReceived>(&event)) {
      OnSettings(*settings);
    } else if (auto* too_large = std::get_if<transport::H2RequestTooLarge>(&event)) {
      OnRequestTooLarge(*too_large);
    } else if (auto* tunnel = std::get_if<transport::H2WebSocketRequest>(&event)) {
      connection_.SendResponseHeaders(tunnel->stream_id, 501, {}, transport::EndStream::kYes).IgnoreError();
      connection_.ResetStreamAfterEnd(tunnel->stream_id, transport::ErrorCode::kNoError);
      connection_.RemoveStream(tunnel->stream_id);
      host_.RequestFlush();
    } else if (std::holds_alternative<transport::H2ConnectionError>(event)) {
      failed_ = true;  // OnClosed follows
    }
    // H2PingAcked belongs to the connection's owner.
  }
  // Top of the loop's stack: no method of a stream can be running.
  Sweep();
}

void StreamMultiplexer::Sweep() {
  while (removed_ != nullptr) delete std::exchange(removed_, removed_->next_);
}

size_t StreamMultiplexer::ended_count() const {
  size_t count = 0;
  for (const CallStream* stream = removed_; stream != nullptr; stream = stream->next_) ++count;
  return count;
}

void StreamMultiplexer::CountReceived(size_t change) noexcept {
  memory_.ChangeReceived(change);
  OnCounted(change);
}

void StreamMultiplexer::CountAnswers(size_t change) noexcept {
  memory_.ChangeAnswers(change);
  OnCounted(change);
}

void StreamMultiplexer::CountOutput(size_t bytes) noexcept {
  const size_t before = std::exchange(output_bytes_, bytes);
  // What is done about memory may end with a flush, and each flush comes here: a socket that takes nothing would keep
  // the loop busy.
  if (bytes == before) return;
  if (bytes < before) NoteTaken(before - bytes);
  CountAnswers(bytes - before);
}

void StreamMultiplexer::NoteTaken(size_t bytes) noexcept {
  memory_.NoteTaken(bytes);
  if (ration_ != nullptr) host_.OnMemory();
}

bool StreamMultiplexer::Withhold(transport::StreamId id, size_t bytes, bool awaited) {
  if (ration_ == nullptr || !ration_->Withhold(id, bytes, awaited)) return false;
  host_.OnMemory();  // perhaps it is its turn
  return true;
}

void StreamMultiplexer::OnMessageAwaited(transport::StreamId id) {
  ration_->OnAwaited(id);
  host_.OnMemory();
}

void StreamMultiplexer::OnMessageTaken(transport::StreamId id) {
  ration_->OnTaken(id);
  host_.OnMemory();
}

void StreamMultiplexer::OnCounted(size_t change) noexcept {
  const bool more = change <= SIZE_MAX / 2;
  if (ration_ != nullptr || (more && memory_.is_short())) host_.OnMemory();
}

void StreamMultiplexer::RationWindows(transport::MonotonicTime now) try {
  if (ration_ == nullptr) {
    if (!memory_.is_short()) return;
    memory_.Note(MemoryAct::kRationed);
    ration_ = std::make_unique<WindowRation>(connection_, memory_);
  }
  ration_->Update(now);
  if (ration_->is_over()) ration_.reset();
  host_.RequestFlush();
} catch (const std::bad_alloc&) {
  OnNoMemory();
  throw;
}

void StreamMultiplexer::OnNoMemory() noexcept {
  connection_.Abandon();
  host_.RequestFlush();
}

void StreamMultiplexer::OnRequest(transport::H2RequestReceived& event) {
  // In the same read. Nobody waits for its answer, and a read has room for thousands of these (CVE-2023-44487).
  if (connection_.IsReset(event.stream_id)) [[unlikely]]
    return connection_.RemoveStream(event.stream_id);
  CallStream& stream = Create(event.stream_id, wire::Grpc());
  const bool end_stream = event.end_stream;
  acceptor_->OnRequest(stream, wire::Grpc(), std::move(event.request));
  if (end_stream) stream.OnRequestEnd();
}

// It costs the call, not the connection, which others share.
void StreamMultiplexer::OnRequestTooLarge(const transport::H2RequestTooLarge& event) {
  CallStream& stream = Create(event.stream_id, wire::Grpc());
  stream.Refuse(200, wire::TooLarge("metadata of the request", event.head, connection_.options()));
  if (event.end_stream) stream.OnRequestEnd();
}

void StreamMultiplexer::OnStreamReset(const transport::H2StreamReset& event) {
  CallStream* stream = Find(event.stream_id);
  if (stream == nullptr) return;
  const absl::Status status =
      event.too_large.fields == 0
          ? wire::StatusFromReset(event, goaway_.get())
          : WithWhy(wire::TooLarge("metadata that the peer sent", event.too_large, connection_.options()), Why());
  if (acceptor_ == nullptr) return stream->OnLost(status);
  stream->OnLost(WithWhy(absl::CancelledError(status.message()), *WhyOf(status)));
}

void StreamMultiplexer::OnSettings(const transport::H2SettingsReceived& event) {
  for (const auto& [id, value] : event.settings) {
    if (id == transport::kSettingsInitialWindowSize) stream_windows_changed_ = true;  // H2WindowUpdated{0} follows
  }
  if (acceptor_ == nullptr && !draining_) host_.OnPlaceFree();
}

void StreamMultiplexer::OnWindowUpdated(transport::StreamId id) {
  if (id == 0) return OnConnectionWindow();
  if (CallStream* stream = Find(id)) stream->OnWindow();
}

// Costs what it sends, and one stream more: each stream that is tried goes, unless the connection's window is used up.
void StreamMultiplexer::OnConnectionWindow() {
  if (std::exchange(stream_windows_changed_, false)) {
    for (CallStream* stream = first_; stream != nullptr; stream = stream->next_) {
      if (stream->HasBacklog()) blocked_.insert(blocked_.end(), stream->id());
    }
  }
  while (!blocked_.empty() && !connection_.IsConnectionWindowUsedUp()) {
    CallStream* const stream = Find(blocked_.extract(blocked_.begin()).value());
    if (stream != nullptr) stream->OnWindow();
  }
}

bool StreamMultiplexer::MayDecompress(CallStream& stream) {
  if (decompressed_bytes_ < kDecompressedBytesPerTurn && !stream.waits_for_turn_) return true;
  if (!std::exchange(stream.waits_for_turn_, true)) {
    waiting_for_turn_.push_back(stream.id());
    host_.RequestTurn();
  }
  return false;
}

void StreamMultiplexer::OnTurn() try {
  decompressed_bytes_ = 0;
  size_t next = 0;
  for (; next < waiting_for_turn_.size() && decompressed_bytes_ < kDecompressedBytesPerTurn; ++next) {
    if (CallStream* stream = Find(waiting_for_turn_[next])) stream->OnTurn();  // may have it wait again
  }
  waiting_for_turn_.erase(waiting_for_turn_.begin(), waiting_for_turn_.begin() + static_cast<std::ptrdiff_t>(next));
  if (!waiting_for_turn_.empty()) host_.RequestTurn();
  Sweep();
} catch (const std::bad_alloc&) {
  OnNoMemory();
}

void StreamMultiplexer::ReturnWithheld() {
  for (CallStream* stream : InOrder()) stream->ReturnWithheld();
}

// ---- calls ----------------------------------------------------------------------------------------------------------

const transport::HeaderList& StreamMultiplexer::EncodeRequest(const wire::Protocol& protocol,
                                                              const wire::RequestHead& head) {
  const bool plain = !head.timeout.has_value() && head.encoding.empty() && head.previous_attempts == 0 &&
                     (head.metadata == nullptr || head.metadata->empty());
  if (plain && plain_request_.Is(head)) return plain_request_.fields;
  scratch_.Clear();
  protocol.EncodeRequest(head, &scratch_);
  if (plain) {
    plain_request_ = {std::string(head.scheme), std::string(head.path), std::string(head.authority),
                      std::string(head.user_agent), scratch_};
  }
  return scratch_;
}

absl::StatusOr<MessageStream*> StreamMultiplexer::Open(const wire::Protocol& protocol, const wire::RequestHead& head,
                                                       StreamObserver& observer) try {
  absl::StatusOr<transport::StreamId> id =
      connection_.SendRequestHeaders(EncodeRequest(protocol, head), transport::EndStream::kNo);
  if (!id.ok()) return id.status();
  CallStream& stream = Create(*id, protocol);
  stream.Bind(observer);
  host_.RequestFlush();
  // RFC 9113 section 5.1.1: "A client that is unable to establish a new stream identifier can establish a new
  // connection for new streams." Before that happens, so that no call sees it.
  if (*id >= transport::H2Connection::kStreamIdTired) BeginDrain();
  return static_cast<MessageStream*>(&stream);
} catch (const std::bad_alloc&) {
  OnNoMemory();
  throw;
}

// ---- the end --------------------------------------------------------------------------------------------------------

void StreamMultiplexer::BeginDrain(const char* why) try {
  if (std::exchange(draining_, true)) return;
  connection_.BeginDrain(why);
  host_.RequestFlush();
  host_.OnDraining(absl::UnavailableError("draining"));
} catch (const std::bad_alloc&) {
  OnNoMemory();
  throw;
}

absl::Status StreamMultiplexer::EndReason(const absl::Status& reason) const {
  if (WhyOf(reason).has_value()) return reason;  // this side closed it
  Why why{.by = failed_ ? Why::By::kUs : Why::By::kNetwork};
  if (goaway_ == nullptr) return WithWhy(reason, why);
  why.http2 = absl::StrCat("GOAWAY ", wire::Describe(*goaway_));
  return WithWhy(absl::Status(reason.code(), absl::StrCat(reason.message(), "; it had sent ", why.http2)), why);
}

size_t StreamMultiplexer::CancelStalled(size_t stalls_max, const absl::Status& reason) try {
  if (connection_.HeldBytes() > connection_.options().held_bytes_max) return 0;
  size_t cancelled = 0;
  for (CallStream* stream : InOrder()) {
    if (stream->removed_ || stream->CountStall() <= stalls_max) continue;
    connection_.ResetStream(stream->id(), transport::ErrorCode::kCancel);
    stream->OnReset(reason);
    ++cancelled;
  }
  host_.RequestFlush();
  return cancelled;
} catch (const std::bad_alloc&) {
  OnNoMemory();
  throw;
}

void StreamMultiplexer::CancelAll(const absl::Status& reason) try {
  for (CallStream* stream : InOrder()) {
    // Each may have gone with the one before; then it is kept in removed_, and this does nothing.
    if (stream->removed_) continue;
    connection_.ResetStream(stream->id(), wire::ResetFromStatus(reason.code()));
    stream->OnReset(reason);
  }
  host_.RequestFlush();
} catch (const std::bad_alloc&) {
  OnNoMemory();
  throw;
}

// Without a list, which takes memory. Whoever is told may end others: each time the first that has not been told.
void StreamMultiplexer::OnClosed(const absl::Status& reason) {
  draining_ = true;
  transport::StreamId told = 0;
  CallStream* stream = first_;
  while (stream != nullptr) {
    if (stream->id() <= told) {
      stream = stream->next_;
      continue;
    }
    told = stream->id();
    stream->OnLost(reason);
    stream = first_;
  }
}

}  // namespace weir::mux
