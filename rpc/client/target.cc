#include "weir/rpc/client/target.h"

#include <charconv>

#include "absl/strings/str_cat.h"

namespace weir {
namespace {

constexpr uint16_t kDefaultPort = 443;
// A path or a name is no legal :authority, and some servers refuse it.
constexpr char kUnixAuthority[] = "localhost";

bool ConsumePrefix(std::string_view* text, std::string_view prefix) {
  if (text->substr(0, prefix.size()) != prefix) return false;
  text->remove_prefix(prefix.size());
  return true;
}

absl::Status Invalid(std::string_view text, std::string_view problem) {
  return absl::InvalidArgumentError(
      absl::StrCat("target: expected host:port, dns:///host:port, ipv4:address:port, ipv6:[address]:port, "
                   "unix:path or unix-abstract:name, got \"",
                   std::string(text), "\": ", std::string(problem)));
}

}  // namespace

absl::StatusOr<Target> Target::Parse(std::string_view text) {
  Target target;
  target.text = std::string(text);
  std::string_view rest = text;
  if (ConsumePrefix(&rest, "unix:")) {
    if (ConsumePrefix(&rest, "//") && (rest.empty() || rest.front() != '/')) {
      return Invalid(text, "unix:// is followed by an absolute path");
    }
    if (rest.empty()) return Invalid(text, "the path is missing");
    target.unix_address = absl::StrCat("unix:", std::string(rest));
    target.authority = kUnixAuthority;
    return target;
  }
  if (ConsumePrefix(&rest, "unix-abstract:")) {
    if (rest.empty()) return Invalid(text, "the name is missing");
    target.unix_address = std::string(text);
    target.authority = kUnixAuthority;
    return target;
  }
  if (ConsumePrefix(&rest, "dns:") && ConsumePrefix(&rest, "//")) {
    const size_t slash = rest.find('/');
    if (slash == std::string_view::npos) return Invalid(text, "dns:// is followed by [server]/host:port");
    if (slash != 0) return Invalid(text, "a DNS server of its own is not supported; leave it out: dns:///host:port");
    rest.remove_prefix(1);
  } else if (!ConsumePrefix(&rest, "ipv4:") && !ConsumePrefix(&rest, "ipv6:") &&
             !ConsumePrefix(&rest, "passthrough:///")) {
    ConsumePrefix(&rest, "http://");
  }
  if (ConsumePrefix(&rest, "[")) {
    const size_t bracket = rest.find(']');
    if (bracket == std::string_view::npos) return Invalid(text, "\"[\" without \"]\"");
    target.host = std::string(rest.substr(0, bracket));
    rest.remove_prefix(bracket + 1);
    if (!rest.empty() && rest.front() != ':') return Invalid(text, "expected \":port\" after \"]\"");
  } else {
    const size_t colon = rest.find(':');
    if (colon != rest.rfind(':')) return Invalid(text, "write an IPv6 address in brackets");
    target.host = std::string(rest.substr(0, colon));
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon);
  }
  if (target.host.empty()) return Invalid(text, "the host is missing");
  if (target.host.find_first_of("/ \t\r\n@?#") != std::string::npos) return Invalid(text, "this is no host name");
  target.port = kDefaultPort;
  if (!rest.empty()) {
    rest.remove_prefix(1);
    unsigned port = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), port);
    if (error != std::errc() || end != rest.data() + rest.size() || port == 0 || port > 65535) {
      return Invalid(text, "the port is a number from 1 to 65535");
    }
    target.port = static_cast<uint16_t>(port);
  }
  const bool brackets = target.host.find(':') != std::string::npos;
  target.authority = absl::StrCat(brackets ? "[" : "", target.host, brackets ? "]" : "", ":", target.port);
  return target;
}

std::string_view HostOf(std::string_view authority) {
  if (ConsumePrefix(&authority, "[")) return authority.substr(0, authority.find(']'));
  return authority.substr(0, authority.find(':'));
}

}  // namespace weir
