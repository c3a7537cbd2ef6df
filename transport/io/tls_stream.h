// TlsStream: a ByteStream inside of TLS over another ByteStream.
//
//   kNew --Start--> kHandshaking ----------------> kOpen --error--> kFailed
//                        |  refused                                    ^
//                        +---------> kRefusing --peer closes, or 1 s---+
//
// Until the handshake is over, Read and Write would block. kRefusing: the alert that says why is on its way; closing
// with unread bytes would reset the connection, and the reset destroys the alert. close_notify is the end of each
// direction (RFC 8446 section 6.1): ShutdownWrite sends it, and an end without it is an error, because bytes may be
// missing.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "weir/transport/io/byte_stream.h"
#include "weir/transport/io/event_loop.h"
#include "weir/transport/io/peer_identity.h"
#include "weir/transport/io/tls_context.h"
#include "weir/transport/io/tls_handles.h"
#include "weir/transport/io/tls_handshake.h"
#include "weir/transport/io/tls_wire.h"

namespace weir::transport {

struct TlsStreamOptions {
  std::chrono::nanoseconds handshake_timeout = std::chrono::seconds(10);
  // Told once, before the observer, if the handshake fails after a byte has come; may be null.
  std::function<void(const absl::Status&)> on_refused;
};

class TlsStream final : public ByteStream, private ByteStreamObserver {
 public:
  // Encrypted and not taken by the stream below: no more is encrypted.
  static constexpr size_t kQueuedBytesMax = 128 * 1024;
  // No more is read either, because TLS itself answers some of it (KeyUpdate). Above what data alone can queue: two
  // peers that write and read must not wait for each other.
  static constexpr size_t kUnansweredBytesMax = 2 * kQueuedBytesMax;
  // By one Read, beyond what it delivers: then other connections have their turn. Records that carry no data (KeyUpdate
  // again) cost time, and OpenSSL asks for more until there is none.
  static constexpr size_t kReadAheadBytesMax = 32 * 1024;
  static constexpr std::chrono::milliseconds kRefusalTime{1000};

  // `host`: see StreamSecurity.
  TlsStream(EventLoop& loop, std::unique_ptr<ByteStream> plain, std::shared_ptr<TlsContext> context,
            std::string_view host, TlsStreamOptions options);
  ~TlsStream() override;

  absl::Status Start(ByteStreamObserver* observer) override;
  IoResult Read(std::span<char> buffer) override;
  IoResult Write(std::span<const std::string_view> pieces) override;
  void SetAcknowledgeTimeout(std::chrono::nanoseconds limit) override { wire_.stream().SetAcknowledgeTimeout(limit); }
  void ShutdownWrite() override;
  std::string PeerName() const override { return wire_.stream().PeerName(); }
  std::string LocalName() const override { return wire_.stream().LocalName(); }
  bool IsEncrypted() const override { return true; }
  const PeerIdentity& peer_identity() const override { return identity_; }

  bool was_resumed() const { return SSL_session_reused(ssl_.get()) == 1; }

 private:
  enum class State { kNew, kHandshaking, kOpen, kRefusing, kFailed };

  void OnReadable() override;
  void OnWritable() override;
  void OnTimer();

  void Handshake();
  void OnHandshakeDone();
  void Refuse(const std::string& problem);
  void DropInput();
  void Fail();
  void Flush();
  void Tell(bool readable, bool writable);

  IoResult EndOfInput();
  // kLater: OpenSSL writes nothing while a message for itself (a ticket, RFC 8446 section 4.6) has come in part.
  enum class Encrypted { kDone, kLater, kFailed };
  Encrypted Encrypt(std::string_view bytes, size_t* encrypted);
  absl::Status Failure(std::string_view what, std::string_view problem) const;

  EventLoop& loop_;
  TlsWire wire_;
  TlsHandshake handshake_;
  SslPtr ssl_;  // null: host cannot be verified
  const TlsStreamOptions options_;
  ByteStreamObserver* observer_ = nullptr;
  State state_ = State::kNew;
  bool data_came_ = false;
  bool read_ended_ = false;         // close_notify has come
  bool read_waits_ = false;         // until the queue is empty
  bool write_waits_ = false;        // the same
  bool write_wants_input_ = false;  // Encrypted::kLater
  bool shutdown_wanted_ = false;    // when the queue is empty
  bool* destroyed_ = nullptr;       // set while the observer runs
  absl::Status failure_;            // kRefusing, kFailed
  size_t dropped_bytes_ = 0;
  Timer timer_;
  PeerIdentity identity_;
};

}  // namespace weir::transport
