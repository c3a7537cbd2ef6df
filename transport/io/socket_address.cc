#include "weir/transport/io/socket_address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace weir::transport {
namespace {

static_assert(sizeof(sockaddr_storage) <= 128);

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kUnixAbstract = "unix-abstract:";

absl::Status Unexpected(std::string_view text) {
  return absl::InvalidArgumentError(
      "address: expected a numeric host and a port such as \"127.0.0.1:50051\" or \"[::1]:50051\", or "
      "\"unix:/path\" or \"unix-abstract:name\", got \"" +
      std::string(text) + "\"");
}

std::optional<uint16_t> ParsePort(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

std::optional<uint32_t> ParseScope(const std::string& name) {
  if (const uint32_t index = ::if_nametoindex(name.c_str())) return index;
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (name.empty() || error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

absl::StatusOr<SocketAddress> FromUnixName(std::string_view text, std::string_view name, bool abstract) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // A path ends with a zero byte, an abstract name begins with one.
  const size_t name_max = sizeof(address.sun_path) - 1;
  if (name.empty() || name.size() > name_max) {
    return absl::InvalidArgumentError("address: expected a Unix socket's name of 1 to " + std::to_string(name_max) +
                                      " bytes, got " + std::to_string(name.size()) + " in \"" + std::string(text) +
                                      "\"");
  }
  memcpy(address.sun_path + (abstract ? 1 : 0), name.data(), name.size());
  return SocketAddress::FromRaw(&address, static_cast<uint32_t>(offsetof(sockaddr_un, sun_path) + name.size() + 1));
}

template <typename T>
T As(const SocketAddress& address) {
  T result{};
  memcpy(&result, address.raw(), std::min<size_t>(sizeof(T), address.raw_length()));
  return result;
}

std::string UnixName(const SocketAddress& address) {
  const auto un = As<sockaddr_un>(address);
  const size_t length = address.raw_length() - std::min<size_t>(address.raw_length(), offsetof(sockaddr_un, sun_path));
  return std::string(un.sun_path, std::min(length, sizeof(un.sun_path)));
}

}  // namespace

absl::StatusOr<SocketAddress> SocketAddress::Parse(std::string_view text) {
  if (text.starts_with(kUnix)) return FromUnixName(text, text.substr(kUnix.size()), false);
  if (text.starts_with(kUnixAbstract)) return FromUnixName(text, text.substr(kUnixAbstract.size()), true);
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return Unexpected(text);
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool has_colon = host.find(':') != host.npos;
  const std::optional<uint16_t> port = ParsePort(text.substr(colon + 1));
  // "::1:80" could mean two things; "[1.2.3.4]:80" is no address at all.
  if (!port || bracketed != has_colon) return Unexpected(text);
  absl::StatusOr<SocketAddress> address = FromHostAndPort(host, *port);
  if (!address.ok()) return Unexpected(text);
  return address;
}

absl::StatusOr<SocketAddress> SocketAddress::FromHostAndPort(std::string_view host, uint16_t port) {
  const size_t percent = host.find('%');
  const std::string number(host.substr(0, percent));
  sockaddr_in v4{};
  if (percent == host.npos && ::inet_pton(AF_INET, number.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    return FromRaw(&v4, sizeof(v4));
  }
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET6, number.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    if (percent != host.npos) {
      const std::optional<uint32_t> scope = ParseScope(std::string(host.substr(percent + 1)));
      if (!scope) return Unexpected(host);
      v6.sin6_scope_id = *scope;
    }
    return FromRaw(&v6, sizeof(v6));
  }
  return Unexpected(host);
}

SocketAddress SocketAddress::FromRaw(const void* sockaddr, uint32_t length) {
  SocketAddress result;
  result.length_ = std::min<uint32_t>(length, sizeof(result.storage_));
  memcpy(result.storage_, sockaddr, result.length_);
  return result;
}

std::string SocketAddress::ToString() const {
  char text[INET6_ADDRSTRLEN] = {};
  if (family() == AF_INET) {
    const auto v4 = As<sockaddr_in>(*this);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    return std::string(text) + ":" + std::to_string(port());
  }
  if (family() == AF_INET6) {
    const auto v6 = As<sockaddr_in6>(*this);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    const std::string scope = v6.sin6_scope_id == 0 ? "" : "%" + std::to_string(v6.sin6_scope_id);
    return "[" + std::string(text) + scope + "]:" + std::to_string(port());
  }
  if (family() == AF_UNIX) {
    const std::string name = UnixName(*this);
    if (!name.empty() && name[0] == '\0') return std::string(kUnixAbstract) + name.substr(1);
    return std::string(kUnix) + UnixPath();
  }
  return "unknown";
}

uint16_t SocketAddress::port() const {
  if (family() == AF_INET) return ntohs(As<sockaddr_in>(*this).sin_port);
  if (family() == AF_INET6) return ntohs(As<sockaddr_in6>(*this).sin6_port);
  return 0;
}

bool SocketAddress::is_unix() const { return family() == AF_UNIX; }

std::string SocketAddress::UnixPath() const {
  if (!is_unix()) return "";
  return std::string(UnixName(*this).c_str());  // up to the first zero byte
}

int SocketAddress::family() const {
  if (length_ < sizeof(sa_family_t)) return AF_UNSPEC;
  sa_family_t family = AF_UNSPEC;
  memcpy(&family, storage_, sizeof(family));
  return family;
}

bool operator==(const SocketAddress& a, const SocketAddress& b) {
  return a.length_ == b.length_ && memcmp(a.storage_, b.storage_, a.length_) == 0;
}

}  // namespace weir::transport
