// TlsWire: the encrypted side of a TlsStream: an OpenSSL BIO over a ByteStream.
//
// Reading goes straight to the stream. What OpenSSL writes is queued, so that it never sees a full socket and
// everything that one turn produces leaves in one system call; the owner keeps the queue short by not encrypting more.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "weir/transport/io/byte_stream.h"
#include "weir/transport/io/tls_handles.h"

namespace weir::transport {

class TlsWire {
 public:
  // Of what the peer sends: enough to tell a peer that does not speak TLS what it speaks.
  static constexpr size_t kFirstBytes = 8;

  explicit TlsWire(std::unique_ptr<ByteStream> stream) : stream_(std::move(stream)) {}
  ~TlsWire();
  TlsWire(const TlsWire&) = delete;
  TlsWire& operator=(const TlsWire&) = delete;

  ByteStream& stream() { return *stream_; }
  const ByteStream& stream() const { return *stream_; }

  // Reads and writes this wire, which must outlive it.
  BioPtr MakeBio();

  void Queue(std::string_view bytes);
  void DropQueued();
  // Writes what is queued as far as the stream takes it.
  void Flush();
  size_t queued_bytes() const { return queue_.size() - head_; }

  // Until UnlimitInput, the BIO says that there is nothing to read after `bytes`, and while more than
  // `queued_bytes_max` are queued: OpenSSL itself reads on, and answers, for as long as records without data come.
  void LimitInput(size_t bytes, size_t queued_bytes_max);
  void AllowInput(size_t bytes) { input_bytes_max_ += bytes; }  // that many more
  // True if the limit was met: the stream has perhaps more, and will not say so again.
  bool UnlimitInput();

  const std::string& first_bytes() const { return first_bytes_; }
  bool input_ended() const { return input_ended_; }  // the stream's end, not close_notify
  const absl::Status& read_error() const { return read_error_; }
  const absl::Status& write_error() const { return write_error_; }

 private:
  static constexpr size_t kNoLimit = static_cast<size_t>(-1);

  static int BioRead(BIO* bio, char* buffer, size_t size, size_t* count);
  static int BioWrite(BIO* bio, const char* data, size_t size, size_t* count);
  static long BioControl(BIO* bio, int command, long number, void* pointer);
  static const BIO_METHOD* Method();

  const std::unique_ptr<ByteStream> stream_;
  std::string queue_;  // [head_, end): encrypted, not yet taken
  size_t head_ = 0;
  size_t input_bytes_ = 0;  // since LimitInput
  size_t input_bytes_max_ = kNoLimit;
  size_t input_queued_bytes_max_ = kNoLimit;
  bool input_limit_met_ = false;
  std::string first_bytes_;
  bool input_ended_ = false;
  absl::Status read_error_;
  absl::Status write_error_;
};

}  // namespace weir::transport
