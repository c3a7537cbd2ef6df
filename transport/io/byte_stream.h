// ByteStream: a connected, reliable, two-way flow of bytes: TCP, a Unix socket, TLS over either, or memory.
//
// Non-blocking and readiness-driven: Read and Write do what they can now; the observer is told when more is possible.
// Belongs to one loop's thread. Destroying it closes it.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "weir/transport/io/peer_identity.h"

namespace weir::transport {

struct IoResult {
  enum class Kind { kDone, kWouldBlock, kEnd, kError };
  Kind kind = Kind::kDone;
  size_t bytes = 0;    // kDone: how many, at least 1
  absl::Status error;  // kError: what failed, with the peer and the system's reason
};

class ByteStreamObserver {
 public:
  virtual void OnReadable() = 0;
  virtual void OnWritable() = 0;

 protected:
  ~ByteStreamObserver() = default;
};

class ByteStream {
 public:
  virtual ~ByteStream() = default;

  // Starts notifications. Once, before the first Read. Readiness that exists already is reported too.
  virtual absl::Status Start(ByteStreamObserver* observer) = 0;

  virtual IoResult Read(std::span<char> buffer) = 0;                     // kEnd: the peer has closed its half
  virtual IoResult Write(std::span<const std::string_view> pieces) = 0;  // gathers; may take less than all

  // How long what was written may stay unacknowledged by the peer's system before the stream fails (TCP_USER_TIMEOUT);
  // max(): as long as the system's default says. Before Start. Streams without such a thing ignore it.
  virtual void SetAcknowledgeTimeout(std::chrono::nanoseconds) {}

  // No more writes; the peer sees the end after all that was written.
  virtual void ShutdownWrite() = 0;

  virtual std::string PeerName() const = 0;  // "127.0.0.1:50051", "unix:/run/x.sock", "memory:3"
  virtual std::string LocalName() const = 0;

  // What is written stays on this machine: a Unix socket, memory.
  virtual bool IsLocal() const { return false; }

  // TLS. The identity is there when the first byte can be read, and stays as it is.
  virtual bool IsEncrypted() const { return false; }
  virtual const PeerIdentity& peer_identity() const {
    static const PeerIdentity nobody;
    return nobody;
  }
};

}  // namespace weir::transport
