#include "weir/rpc/client/proxy/no_proxy.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>
#include <optional>

#include "absl/strings/match.h"

namespace weir {
namespace {

struct Address {
  size_t bytes = 0;  // 4 or 16
  unsigned char data[16] = {};
};

std::string_view WithoutBrackets(std::string_view text) {
  const bool brackets = text.size() > 1 && text.front() == '[' && text.back() == ']';
  return brackets ? text.substr(1, text.size() - 2) : text;
}

std::optional<Address> ParseAddress(std::string_view text) {
  const std::string terminated(WithoutBrackets(text));
  Address address;
  if (::inet_pton(AF_INET, terminated.c_str(), address.data) == 1) {
    address.bytes = 4;
  } else if (::inet_pton(AF_INET6, terminated.c_str(), address.data) == 1) {
    address.bytes = 16;
  } else {
    return std::nullopt;
  }
  return address;
}

bool SameBits(const Address& a, const Address& b, size_t bits) {
  if (a.bytes != b.bytes || bits > a.bytes * 8) return false;
  if (std::memcmp(a.data, b.data, bits / 8) != 0) return false;
  const size_t rest = bits % 8;
  return rest == 0 || (a.data[bits / 8] ^ b.data[bits / 8]) >> (8 - rest) == 0;
}

bool IsInRange(const Address& host, std::string_view entry) {
  const size_t slash = entry.find('/');
  const std::optional<Address> range = ParseAddress(entry.substr(0, slash));
  if (!range.has_value()) return false;
  if (slash == entry.npos) return SameBits(host, *range, range->bytes * 8);
  size_t bits = 0;
  const std::string_view digits = entry.substr(slash + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  return error == std::errc() && end == digits.data() + digits.size() && SameBits(host, *range, bits);
}

bool IsAtOrBelow(std::string_view host, std::string_view name) {
  if (name.starts_with('.')) name.remove_prefix(1);
  if (name.empty() || host.size() < name.size()) return false;
  const std::string_view end = host.substr(host.size() - name.size());
  if (!absl::EqualsIgnoreCase(absl::string_view(end.data(), end.size()), absl::string_view(name.data(), name.size()))) {
    return false;
  }
  return host.size() == name.size() || host[host.size() - name.size() - 1] == '.';
}

}  // namespace

bool NoProxy::Includes(std::string_view host) const {
  const std::optional<Address> address = ParseAddress(host);
  std::string_view rest = list_;
  while (!rest.empty()) {
    const size_t end = rest.find_first_of(", \t");
    const std::string_view entry = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    if (entry == "*") return true;
    if (address.has_value() ? IsInRange(*address, entry) : IsAtOrBelow(host, entry)) return true;
  }
  return false;
}

}  // namespace weir
