#include "weir/transport/io/connection_driver.h"

#include <algorithm>
#include <array>
#include <new>
#include <string>
#include <utility>
#include <variant>

#include "weir/transport/io/frame_tracer.h"

namespace weir::transport {
namespace {

constexpr size_t kPiecesMax = 64;               // of one writev
constexpr size_t kWriteBytesPerPass = 1 << 20;  // then other connections have their turn
constexpr int kPullsPerPass = 64;               // for a sink that goes on for ever with little
constexpr size_t kEventsKept = 256;

// What a driver needs only while it works, so that an idle connection owns none of it. A cache, not state: a nested use
// finds it empty and makes its own.
struct Scratch {
  std::vector<H2Event> events;
  OutputBuffer output;
};
thread_local Scratch scratch;

class EventsLease {
 public:
  EventsLease() { events_.swap(scratch.events); }
  ~EventsLease() {
    events_.clear();
    if (events_.capacity() <= kEventsKept) events_.swap(scratch.events);
  }
  EventsLease(const EventsLease&) = delete;
  EventsLease& operator=(const EventsLease&) = delete;

  std::vector<H2Event>& operator*() { return events_; }

 private:
  std::vector<H2Event> events_;
};

ConnectionDriver::Milliseconds Limit(std::chrono::nanoseconds limit) {
  using Milliseconds = ConnectionDriver::Milliseconds;
  return limit < Milliseconds::max() ? std::chrono::duration_cast<Milliseconds>(limit) : Milliseconds::max();
}

MonotonicTime After(MonotonicTime since, ConnectionDriver::Milliseconds limit) {
  if (since == MonotonicTime::max() || limit == ConnectionDriver::Milliseconds::max()) return MonotonicTime::max();
  return since + limit;
}

std::string InWords(ConnectionDriver::Milliseconds time) {
  const auto count = time.count();
  return count % 1000 == 0 ? std::to_string(count / 1000) + " s" : std::to_string(count) + " ms";
}

size_t BodyBytes(const std::vector<H2Event>& events) {
  size_t bytes = 0;
  for (const H2Event& event : events) {
    if (const auto* body = std::get_if<H2BodyReceived>(&event)) bytes += body->body.flow_controlled_bytes;
  }
  return bytes;
}

}  // namespace

ConnectionDriver::ConnectionDriver(EventLoop& loop, std::unique_ptr<ByteStream> stream, H2Connection& connection,
                                   EventSink& sink, std::string name, ConnectionDriverOptions options)
    : loop_(loop),
      stream_(std::move(stream)),
      connection_(connection),
      sink_(sink),
      name_(std::move(name)),
      tracer_(FrameTracer::Create(loop, connection.options().role, name_, options)),
      write_timeout_(Limit(options.write_timeout)),
      header_block_timeout_(Limit(options.header_block_timeout)),
      timer_(loop, [this] { OnTimer(); }) {
  stream_->SetAcknowledgeTimeout(options.acknowledge_timeout);
}

ConnectionDriver::~ConnectionDriver() {
  if (destroyed_ != nullptr) *destroyed_ = true;
}

absl::Status ConnectionDriver::Start() {
  connection_.InitiateConnection();
  state_ = State::kOpen;
  last_read_ = loop_.Now();
  absl::Status started = stream_->Start(this);
  if (!started.ok()) {
    state_ = State::kClosed;
    return started;
  }
  RequestFlush();
  return absl::OkStatus();
}

void ConnectionDriver::Close(absl::Status reason) {
  if (state_ == State::kNew) input_ended_ = output_failed_ = true;
  BeginClose(std::move(reason));
}

void ConnectionDriver::OnReadable() {
  readable_ = true;
  if (state_ != State::kOpen) return RequestFlush();
  try {
    (void)ReadLoop();
  } catch (const std::bad_alloc&) {
    OnNoMemory();
  }
}

void ConnectionDriver::OnWritable() {
  if (!write_blocked_) return;
  write_blocked_ = false;
  RequestFlush();
}

void ConnectionDriver::OnTimer() {
  if (state_ == State::kOpen) {
    try {
      if (CloseIfOverdue()) return;
      WatchTime();
      (void)ReadLoop();
    } catch (const std::bad_alloc&) {
      OnNoMemory();
    }
    return;
  }
  if (state_ == State::kFlushing && close_reason_.ok()) {
    close_reason_ = Lost("connection to " + stream_->PeerName() + ": closed while the peer took no output, " +
                         std::to_string(output_.size()) + " bytes lost");
  }
  input_ended_ = output_failed_ = true;  // no longer waited for
  RequestFlush();
}

// Ends the connection if the peer has let us wait too long.
bool ConnectionDriver::CloseIfOverdue() {
  if (After(stalled_since_, write_timeout_) <= loop_.Now()) {
    overdue_ = Overdue::kWrite;
    input_ended_ = output_failed_ = true;
    BeginClose(Lost("write to " + stream_->PeerName() + ": expected the peer to read, it took nothing for " +
                    InWords(write_timeout_) + " (write_timeout)"));
    return true;
  }
  if (After(connection_.HeaderBlockSince(), header_block_timeout_) <= loop_.Now()) {
    overdue_ = Overdue::kHeaderBlock;
    const std::string what =
        "header block: expected its end within " + InWords(header_block_timeout_) + " (header_block_timeout)";
    connection_.CloseConnection(ErrorCode::kEnhanceYourCalm, what);
    BeginClose(Lost("connection to " + stream_->PeerName() + " failed: " + what));
    return true;
  }
  return false;
}

// One timer for all of it. Whether the stream takes output again is seen when it is due: nothing is set or cancelled
// meanwhile.
void ConnectionDriver::WatchTime() {
  const MonotonicTime due =
      std::min(After(stalled_since_, write_timeout_), After(connection_.HeaderBlockSince(), header_block_timeout_));
  if (due != MonotonicTime::max() && (!timer_.IsSet() || due < timer_.due())) timer_.Set(due);
}

void ConnectionDriver::OnEndOfTurn() {
  if (state_ == State::kNew || state_ == State::kClosed) return;
  try {
    if (Flush() == Alive::kNo) return;
  } catch (const std::bad_alloc&) {
    OnNoMemory();
  }
  if (state_ == State::kOpen) {
    if (input_ended_) {
      BeginClose(ReasonOfEnd());
    } else if (connection_.IsAbandoned()) {
      OnNoMemory();
    } else if (AllWritten() && connection_.IsFinished()) {
      BeginClose(absl::OkStatus());
    } else if (readable_ && MayRead()) {
      timer_.Set(loop_.Now());  // what this turn's share did not cover
    }
  }
  if (state_ != State::kOpen) AdvanceClose();
}

// ---- input ----------------------------------------------------------------------------------------------------------

bool ConnectionDriver::MayRead() const { return state_ == State::kOpen && unanswered_bytes_ <= kUnansweredBytesMax; }

ConnectionDriver::Alive ConnectionDriver::ReadLoop() {
  size_t share = kReadBytesPerTurn;
  while (readable_ && share > 0 && MayRead()) {
    std::span<char> buffer = loop_.ReadBuffer();
    buffer = buffer.first(std::min(buffer.size(), share));
    const IoResult result = stream_->Read(buffer);
    switch (result.kind) {
      case IoResult::Kind::kDone:
        share -= result.bytes;
        if (Receive({buffer.data(), result.bytes}) == Alive::kNo) return Alive::kNo;
        break;
      case IoResult::Kind::kWouldBlock:
        readable_ = false;
        break;
      case IoResult::Kind::kEnd:
        readable_ = false;
        input_ended_ = true;  // what is queued in answer to the last bytes is written first
        break;
      case IoResult::Kind::kError:
        readable_ = false;
        input_ended_ = output_failed_ = true;
        BeginClose(Lost(std::string(result.error.message())));
        break;
    }
  }
  RequestFlush();
  return Alive::kYes;
}

ConnectionDriver::Alive ConnectionDriver::Receive(std::string_view bytes) {
  received_any_ = true;
  last_read_ = loop_.Now();
  if (tracer_) tracer_->Received(bytes);
  EventsLease events;
  connection_.AdvanceTime(last_read_);
  connection_.ReceiveData(bytes, &*events);
  const bool block_open = connection_.HeaderBlockSince() != MonotonicTime::max();
  if (block_open != block_open_) [[unlikely]] {
    block_open_ = block_open;
    timer_.Cancel();  // if it was for the next read: the end of the turn sets it again
    WatchTime();
  }
  if (write_blocked_) unanswered_bytes_ += bytes.size() - std::min(bytes.size(), BodyBytes(*events));
  return Deliver(*events);
}

ConnectionDriver::Alive ConnectionDriver::Deliver(std::vector<H2Event>& events) {
  if (events.empty()) return Alive::kYes;
  absl::Status fatal;
  if (const auto* error = std::get_if<H2ConnectionError>(&events.back())) {
    fatal = absl::UnavailableError("connection to " + stream_->PeerName() + " failed: " + error->reason + " [" +
                                   ToString(error->error_code) + "]");
    limit_ = error->limit;
  }
  bool destroyed = false;
  bool no_memory = false;
  destroyed_ = &destroyed;
  try {
    sink_.OnEvents(events);
  } catch (const std::bad_alloc&) {
    no_memory = true;
  }
  if (destroyed) return Alive::kNo;
  destroyed_ = nullptr;
  if (no_memory) OnNoMemory();
  if (!fatal.ok()) BeginClose(std::move(fatal));
  return Alive::kYes;
}

// ---- output ---------------------------------------------------------------------------------------------------------

ConnectionDriver::Alive ConnectionDriver::Flush() {
  size_t taken = 0;
  int pulls = 0;
  const bool was_stuck = !output_.empty();
  while (!write_blocked_ && !output_failed_) {
    if (output_.empty()) {
      if (!connection_.HasDataToSend()) break;
      if (taken >= kWriteBytesPerPass || ++pulls > kPullsPerPass) {
        RequestFlush();
        break;
      }
      if (Pull() == Alive::kNo) return Alive::kNo;
      taken += output_.size();
    }
    if (!output_.empty() && WriteOutput() == Alive::kNo) return Alive::kNo;
  }
  if (output_.empty() && (was_stuck || pulls > 0)) scratch.output = std::move(output_);
  if (!write_blocked_) unanswered_bytes_ = 0;
  if (was_stuck || write_blocked_) [[unlikely]]
    sink_.OnOutputHeld();
  return Alive::kYes;
}

ConnectionDriver::Alive ConnectionDriver::Pull() {
  output_ = std::move(scratch.output);
  EventsLease events;
  connection_.DataToSend(kPullBytes, &output_, state_ == State::kOpen ? &*events : nullptr);
  if (tracer_ && !output_.empty()) tracer_->Sent(output_.Flatten());
  return Deliver(*events);
}

ConnectionDriver::Alive ConnectionDriver::WriteOutput() {
  std::array<std::string_view, kPiecesMax> pieces;
  const size_t count = output_.Gather(pieces);
  const IoResult result = stream_->Write(std::span(pieces).first(count));
  switch (result.kind) {
    case IoResult::Kind::kDone:
      stalled_since_ = MonotonicTime::max();
      output_.RemovePrefix(result.bytes);
      unanswered_bytes_ -= std::min(unanswered_bytes_, result.bytes);
      return Alive::kYes;
    case IoResult::Kind::kWouldBlock:
      write_blocked_ = true;
      if (stalled_since_ != MonotonicTime::max() || state_ != State::kOpen) return Alive::kYes;
      stalled_since_ = loop_.Now();
      WatchTime();
      return Alive::kYes;
    default:
      return OnWriteError(result.error);
  }
}

ConnectionDriver::Alive ConnectionDriver::OnWriteError(const absl::Status& error) {
  output_failed_ = true;
  write_blocked_ = false;
  output_ = OutputBuffer();
  unanswered_bytes_ = 0;
  if (state_ != State::kOpen) return Alive::kYes;
  // What the peer said before it closed counts: its GOAWAY tells which streams it never processed.
  readable_ = true;
  if (ReadLoop() == Alive::kNo) return Alive::kNo;
  BeginClose(Lost(std::string(error.message())));
  return Alive::kYes;
}

bool ConnectionDriver::AllWritten() const {
  return output_failed_ || (!write_blocked_ && output_.empty() && !connection_.HasDataToSend());
}

// ---- the end --------------------------------------------------------------------------------------------------------

void ConnectionDriver::BeginClose(absl::Status reason) {
  if (state_ != State::kNew && state_ != State::kOpen) return;
  state_ = State::kFlushing;
  close_reason_ = std::move(reason);
  timer_.Set(loop_.Now() + kCloseTime);
  RequestFlush();
}

// Something of this connection is half done, perhaps a frame: nothing more of it is read or written.
void ConnectionDriver::OnNoMemory() {
  connection_.Abandon();
  output_ = OutputBuffer();
  write_blocked_ = false;
  input_ended_ = output_failed_ = true;
  RequestFlush();
  if (state_ != State::kOpen) return;
  BeginClose(absl::ResourceExhaustedError("connection to " + stream_->PeerName() + ": out of memory"));
}

void ConnectionDriver::AdvanceClose() {
  if (state_ == State::kFlushing && AllWritten()) {
    if (!output_failed_) stream_->ShutdownWrite();
    state_ = State::kLingering;
  }
  if (state_ == State::kLingering) {
    DrainInput();
    if (input_ended_ || output_failed_) ReportClosed();
  }
}

void ConnectionDriver::DrainInput() {
  size_t share = kReadBytesPerTurn;
  while (readable_ && !input_ended_ && share > 0) {
    std::span<char> buffer = loop_.ReadBuffer();
    buffer = buffer.first(std::min(buffer.size(), share));
    const IoResult result = stream_->Read(buffer);
    share -= result.bytes;
    if (result.kind == IoResult::Kind::kWouldBlock) readable_ = false;
    if (result.kind == IoResult::Kind::kEnd || result.kind == IoResult::Kind::kError) input_ended_ = true;
  }
  if (readable_ && !input_ended_) RequestFlush();
}

void ConnectionDriver::ReportClosed() {
  state_ = State::kClosed;
  timer_.Cancel();
  const absl::Status reason = close_reason_;
  sink_.OnClosed(reason);  // may destroy us
}

absl::Status ConnectionDriver::ReasonOfEnd() const {
  const std::string what = "connection to " + stream_->PeerName() + " closed by peer";
  if (!received_any_) return Lost(what + " before it sent anything");
  if (connection_.ActiveStreamCount() > 0) return Lost(what);
  return absl::OkStatus();
}

absl::Status ConnectionDriver::Lost(std::string_view what) const {
  std::string text(what);
  if (const size_t streams = connection_.ActiveStreamCount()) {
    text += " while " + std::to_string(streams) + (streams == 1 ? " stream" : " streams") + " open";
  }
  return absl::UnavailableError(text);
}

}  // namespace weir::transport
