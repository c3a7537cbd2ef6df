// SocketAddress: a numeric IPv4 or IPv6 address with a port, or a Unix socket. A value.
//
//   127.0.0.1:50051   [::1]:50051   [fe80::1%eth0]:50051   unix:/run/x.sock   unix-abstract:name
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace weir::transport {

class SocketAddress {
 public:
  SocketAddress() = default;  // no address: ToString() is "unknown"

  // Parses "host:port" with a numeric host, "unix:PATH" or "unix-abstract:NAME"; errors say what was expected.
  static absl::StatusOr<SocketAddress> Parse(std::string_view text);

  // The same in two parts; the host without brackets.
  static absl::StatusOr<SocketAddress> FromHostAndPort(std::string_view host, uint16_t port);

  // Copies a struct sockaddr.
  static SocketAddress FromRaw(const void* sockaddr, uint32_t length);

  std::string ToString() const;
  uint16_t port() const;  // 0 for a Unix socket
  bool is_unix() const;
  std::string UnixPath() const;  // of the file; empty if there is none

  int family() const;  // AF_INET, AF_INET6, AF_UNIX; AF_UNSPEC if there is no address
  const void* raw() const { return storage_; }
  uint32_t raw_length() const { return length_; }

  friend bool operator==(const SocketAddress& a, const SocketAddress& b);

 private:
  alignas(8) unsigned char storage_[128] = {};  // a sockaddr_storage
  uint32_t length_ = 0;
};

}  // namespace weir::transport
