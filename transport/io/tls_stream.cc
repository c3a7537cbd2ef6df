#include "weir/transport/io/tls_stream.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/transport/io/tls_names.h"

namespace weir::transport {
namespace {

// One record's (RFC 8446 section 5.1: "MUST NOT exceed 2^14 bytes").
constexpr size_t kRecordBytes = 16 * 1024;
constexpr size_t kDroppedBytesMax = 256 * 1024;

// Small pieces become one record here.
thread_local std::array<char, kRecordBytes> gathered;

}  // namespace

TlsStream::TlsStream(EventLoop& loop, std::unique_ptr<ByteStream> plain, std::shared_ptr<TlsContext> context,
                     std::string_view host, TlsStreamOptions options)
    : loop_(loop),
      wire_(std::move(plain)),
      handshake_(std::move(context), host),
      ssl_(handshake_.context->NewConnection(handshake_.host)),
      options_(std::move(options)),
      timer_(loop, [this] { OnTimer(); }) {
  if (ssl_ == nullptr) return;
  SSL_set_app_data(ssl_.get(), &handshake_);
  BIO* const bio = wire_.MakeBio().release();
  SSL_set_bio(ssl_.get(), bio, bio);  // consumes one reference: both are the same, and none was set before
  if (handshake_.context->role() == TlsRole::kServer) return;
  if (const SslSessionPtr session = handshake_.context->sessions().Take(handshake_.host)) {
    SSL_set_session(ssl_.get(), session.get());
  }
}

TlsStream::~TlsStream() {
  if (destroyed_ != nullptr) *destroyed_ = true;
  // Or OpenSSL makes the session of a connection that just ends unfit for resumption, as TLS 1.0 wanted it.
  if (state_ == State::kOpen) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

absl::Status TlsStream::Start(ByteStreamObserver* observer) {
  if (ssl_ == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        "TLS with ", PeerName(), ": expected a host name or address to verify, got \"", handshake_.host, "\""));
  }
  observer_ = observer;
  state_ = State::kHandshaking;
  timer_.Set(loop_.Now() + options_.handshake_timeout);
  return wire_.stream().Start(this);
}

// ---- handshake ------------------------------------------------------------------------------------------------------

void TlsStream::OnReadable() {
  if (state_ == State::kHandshaking) return Handshake();
  if (state_ == State::kRefusing) return DropInput();
  if (state_ != State::kOpen) return;
  if (!std::exchange(write_wants_input_, false)) return observer_->OnReadable();
  Tell(true, true);
}

void TlsStream::OnWritable() {
  Flush();
  if (state_ == State::kHandshaking) return Handshake();
  if (state_ != State::kOpen || wire_.queued_bytes() > 0) return;
  const bool readable = std::exchange(read_waits_, false);
  const bool writable = std::exchange(write_waits_, false);
  Tell(readable, writable);
}

void TlsStream::Handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) return OnHandshakeDone();
  if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ) return Flush();
  std::string problem(wire_.read_error().message());
  if (problem.empty()) problem = DescribeTlsFailure(ssl_.get(), wire_.first_bytes(), wire_.input_ended());
  ERR_clear_error();
  Refuse(problem);
}

void TlsStream::OnHandshakeDone() {
  if (handshake_.context->role() == TlsRole::kClient) {
    if (const std::string problem = MissingAlpn(ssl_.get()); !problem.empty()) {
      SSL_shutdown(ssl_.get());
      return Refuse(problem);
    }
  }
  handshake_.done = true;
  if (const X509* certificate = SSL_get0_peer_certificate(ssl_.get())) identity_ = IdentityOf(*certificate);
  state_ = State::kOpen;
  timer_.Cancel();
  Flush();
  Tell(true, true);
}

void TlsStream::Refuse(const std::string& problem) {
  failure_ = Failure("TLS handshake with", problem);
  state_ = State::kRefusing;
  const bool server = handshake_.context->role() == TlsRole::kServer;
  if (const std::string_view answer = server ? AnswerToPlaintext(wire_.first_bytes()) : ""; !answer.empty()) {
    wire_.DropQueued();
    wire_.Queue(answer);
  }
  shutdown_wanted_ = true;
  Flush();
  timer_.Set(loop_.Now() + kRefusalTime);
  // A connection without a byte is somebody's look whether the port is open.
  if (options_.on_refused && !wire_.first_bytes().empty()) options_.on_refused(failure_);
  DropInput();
}

void TlsStream::DropInput() {
  while (!wire_.input_ended() && wire_.read_error().ok() && dropped_bytes_ < kDroppedBytesMax) {
    const IoResult result = wire_.stream().Read(loop_.ReadBuffer());
    if (result.kind == IoResult::Kind::kWouldBlock) return;
    if (result.kind != IoResult::Kind::kDone) break;
    dropped_bytes_ += result.bytes;
  }
  Fail();
}

void TlsStream::OnTimer() {
  if (state_ == State::kOpen) return OnReadable();  // Read has paused, or has read what Write waits for
  if (state_ == State::kHandshaking) {
    failure_ =
        Failure("TLS handshake with",
                absl::StrCat("not finished within ",
                             std::chrono::duration_cast<std::chrono::milliseconds>(options_.handshake_timeout).count(),
                             " ms: the peer ",
                             wire_.first_bytes().empty() ? "has not said a word" : "has stopped in the middle of it"));
    if (options_.on_refused && !wire_.first_bytes().empty()) options_.on_refused(failure_);
  }
  Fail();
}

void TlsStream::Fail() {
  state_ = State::kFailed;
  timer_.Cancel();
  Tell(true, true);
}

void TlsStream::Tell(bool readable, bool writable) {
  bool destroyed = false;
  destroyed_ = &destroyed;
  if (readable) observer_->OnReadable();
  if (writable && !destroyed) observer_->OnWritable();
  if (destroyed) return;
  destroyed_ = nullptr;
}

// ---- data -----------------------------------------------------------------------------------------------------------

IoResult TlsStream::Read(std::span<char> buffer) {
  if (state_ == State::kFailed) return {.kind = IoResult::Kind::kError, .error = failure_};
  if (state_ != State::kOpen) return {.kind = IoResult::Kind::kWouldBlock};
  if (read_ended_) return EndOfInput();
  if (timer_.IsSet()) return {.kind = IoResult::Kind::kWouldBlock};  // paused
  if (wire_.queued_bytes() > kUnansweredBytesMax) {
    read_waits_ = true;
    return {.kind = IoResult::Kind::kWouldBlock};
  }
  ERR_clear_error();
  size_t filled = 0;
  wire_.LimitInput(kReadAheadBytesMax, kUnansweredBytesMax);
  while (filled < buffer.size()) {
    size_t count = 0;
    const int result = SSL_read_ex(ssl_.get(), buffer.data() + filled, buffer.size() - filled, &count);
    filled += count;
    wire_.AllowInput(count);
    if (result == 1) continue;
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ) break;
    const bool ended = error == SSL_ERROR_ZERO_RETURN;
    const std::string hint = data_came_ || filled > 0 ? "" : HintAtRefusal(ssl_.get());
    if (ended && hint.empty()) {
      read_ended_ = true;
      break;
    }
    failure_ = wire_.read_error();
    if (failure_.ok()) {
      failure_ = Failure("TLS with", ended ? "the server closed the connection"
                                           : DescribeTlsFailure(ssl_.get(), wire_.first_bytes(), wire_.input_ended()));
    }
    if (!hint.empty()) failure_ = absl::Status(failure_.code(), absl::StrCat(failure_.message(), hint));
    ERR_clear_error();
    state_ = State::kFailed;
    break;
  }
  // By a timer even if something stays queued: as long as that is not too much, reading does not wait for it.
  const bool paused = wire_.UnlimitInput();
  const bool may_write = write_wants_input_ && !SSL_in_init(ssl_.get());
  if ((paused || may_write) && state_ == State::kOpen) timer_.Set(loop_.Now());
  Flush();  // alerts, and answers to a KeyUpdate
  if (filled > 0) {
    data_came_ = true;
    return {.kind = IoResult::Kind::kDone, .bytes = filled};
  }
  if (state_ == State::kFailed) return {.kind = IoResult::Kind::kError, .error = failure_};
  return read_ended_ ? EndOfInput() : IoResult{.kind = IoResult::Kind::kWouldBlock};
}

// The end is told when what was written before has left, because the reader closes the stream then.
IoResult TlsStream::EndOfInput() {
  if (!shutdown_wanted_ || wire_.queued_bytes() == 0) return {.kind = IoResult::Kind::kEnd};
  read_waits_ = true;
  return {.kind = IoResult::Kind::kWouldBlock};
}

IoResult TlsStream::Write(std::span<const std::string_view> pieces) {
  if (state_ == State::kFailed) return {.kind = IoResult::Kind::kError, .error = failure_};
  if (state_ != State::kOpen) return {.kind = IoResult::Kind::kWouldBlock};
  if (!wire_.write_error().ok()) return {.kind = IoResult::Kind::kError, .error = wire_.write_error()};
  Flush();
  if (wire_.queued_bytes() > 0) {
    write_waits_ = true;
    return {.kind = IoResult::Kind::kWouldBlock};
  }
  size_t taken = 0;
  size_t waiting = 0;  // in `gathered`
  Encrypted done = Encrypted::kDone;
  for (std::string_view piece : pieces) {
    while (!piece.empty() && wire_.queued_bytes() < kQueuedBytesMax && done == Encrypted::kDone) {
      if (waiting == 0 && piece.size() >= kRecordBytes) {
        done = Encrypt(piece.substr(0, kRecordBytes), &taken);
        piece.remove_prefix(kRecordBytes);
        continue;
      }
      const size_t count = std::min(piece.size(), kRecordBytes - waiting);
      std::copy_n(piece.data(), count, gathered.data() + waiting);
      piece.remove_prefix(count);
      waiting += count;
      if (waiting < kRecordBytes) continue;
      done = Encrypt({gathered.data(), std::exchange(waiting, 0)}, &taken);
    }
  }
  if (waiting > 0 && done == Encrypted::kDone) done = Encrypt({gathered.data(), waiting}, &taken);
  if (done == Encrypted::kFailed) return {.kind = IoResult::Kind::kError, .error = failure_};
  Flush();
  if (!wire_.write_error().ok()) return {.kind = IoResult::Kind::kError, .error = wire_.write_error()};
  write_wants_input_ = done == Encrypted::kLater;
  if (write_wants_input_ && taken == 0) return {.kind = IoResult::Kind::kWouldBlock};
  return {.kind = IoResult::Kind::kDone, .bytes = taken};
}

TlsStream::Encrypted TlsStream::Encrypt(std::string_view bytes, size_t* encrypted) {
  ERR_clear_error();
  size_t count = 0;
  // All or nothing: without SSL_MODE_ENABLE_PARTIAL_WRITE, and the wire takes whatever comes.
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
  if (result == 1) {
    *encrypted += bytes.size();
    return Encrypted::kDone;
  }
  if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ) return Encrypted::kLater;
  failure_ = Failure("TLS with", DescribeTlsFailure(ssl_.get(), wire_.first_bytes(), wire_.input_ended()));
  ERR_clear_error();
  state_ = State::kFailed;
  return Encrypted::kFailed;
}

void TlsStream::Flush() {
  wire_.Flush();
  if (!shutdown_wanted_ || wire_.queued_bytes() > 0) return;
  shutdown_wanted_ = false;
  wire_.stream().ShutdownWrite();
}

void TlsStream::ShutdownWrite() {
  if (state_ == State::kOpen) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // close_notify
    ERR_clear_error();
  }
  shutdown_wanted_ = true;
  Flush();
}

absl::Status TlsStream::Failure(std::string_view what, std::string_view problem) const {
  return absl::UnavailableError(absl::StrCat(std::string(what), " ", PeerName(), ": ", std::string(problem)));
}

}  // namespace weir::transport
