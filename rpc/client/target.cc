#include "weir/rpc/client/target.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/strings/str_cat.h"

namespace weir {
namespace {

constexpr uint16_t kDefaultPort = 443;
constexpr uint16_t kDnsPort = 53;
// A path is no legal :authority, and some servers refuse it. gRPC has this for unix: (naming); a file: of addresses is
// no more a name of the service than a socket is.
constexpr char kNoAuthority[] = "localhost";

bool ConsumePrefix(std::string_view* text, std::string_view prefix) {
  if (text->substr(0, prefix.size()) != prefix) return false;
  text->remove_prefix(prefix.size());
  return true;
}

std::string Text(const absl::Status& status) { return std::string(status.message()); }

absl::Status Invalid(std::string_view text, std::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat(
      "target: expected host:port, dns:///host:port, dns://server/host:port, ipv4:address:port, ipv6:[address]:port, "
      "unix:path, unix-abstract:name or file:path, got \"",
      std::string(text), "\": ", std::string(problem)));
}

struct HostAndPort {
  std::string host;
  uint16_t port = 0;

  std::string ToString() const {
    const bool brackets = host.find(':') != std::string::npos;
    return absl::StrCat(brackets ? "[" : "", host, brackets ? "]" : "", ":", port);
  }
};

// Of `rest`, a part of `text`.
absl::StatusOr<HostAndPort> ParseHostAndPort(std::string_view text, std::string_view rest,
                                             uint16_t default_port = kDefaultPort) {
  HostAndPort result;
  result.port = default_port;
  if (ConsumePrefix(&rest, "[")) {
    const size_t bracket = rest.find(']');
    if (bracket == std::string_view::npos) return Invalid(text, "\"[\" without \"]\"");
    result.host = std::string(rest.substr(0, bracket));
    rest.remove_prefix(bracket + 1);
    if (!rest.empty() && rest.front() != ':') return Invalid(text, "expected \":port\" after \"]\"");
  } else {
    const size_t colon = rest.find(':');
    if (colon != rest.rfind(':')) return Invalid(text, "write an IPv6 address in brackets");
    result.host = std::string(rest.substr(0, colon));
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon);
  }
  if (result.host.empty()) return Invalid(text, "the host is missing");
  if (result.host.find_first_of("/ \t\r\n@?#,") != std::string::npos) return Invalid(text, "this is no host name");
  if (rest.empty()) return result;
  rest.remove_prefix(1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), port);
  if (error != std::errc() || end != rest.data() + rest.size() || port == 0 || port > 65535) {
    return Invalid(text, "the port is a number from 1 to 65535");
  }
  result.port = static_cast<uint16_t>(port);
  return result;
}

absl::StatusOr<Target> ParseUnix(std::string_view text, std::string_view rest, Target target) {
  if (target.scheme == "unix" && ConsumePrefix(&rest, "//") && (rest.empty() || rest.front() != '/')) {
    return Invalid(text, "unix:// is followed by an absolute path");
  }
  if (rest.empty()) return Invalid(text, target.scheme == "unix" ? "the path is missing" : "the name is missing");
  const auto address = transport::SocketAddress::Parse(absl::StrCat(target.scheme, ":", std::string(rest)));
  if (!address.ok()) return Invalid(text, Text(address.status()));
  target.addresses.push_back(*address);
  target.authority = kNoAuthority;
  return target;
}

// "a:p,b:p"
absl::StatusOr<Target> ParseAddresses(std::string_view text, std::string_view rest, Target target) {
  while (true) {
    const size_t comma = rest.find(',');
    const absl::StatusOr<HostAndPort> part = ParseHostAndPort(text, rest.substr(0, comma));
    if (!part.ok()) return part.status();
    const auto address = transport::SocketAddress::FromHostAndPort(part->host, part->port);
    const bool has_colon = part->host.find(':') != std::string::npos;
    if (!address.ok() || has_colon != (target.scheme == "ipv6")) {
      return Invalid(text, absl::StrCat("\"", part->host, "\" is no ", target.scheme == "ipv6" ? "IPv6" : "IPv4",
                                        " address; names are for dns:"));
    }
    if (target.addresses.empty()) target.authority = part->ToString();
    target.addresses.push_back(*address);
    if (comma == std::string_view::npos) return target;
    rest.remove_prefix(comma + 1);
  }
}

absl::StatusOr<Target> ParseFile(std::string_view text, std::string_view rest, Target target) {
  if (ConsumePrefix(&rest, "//") && (rest.empty() || rest.front() != '/')) {
    return Invalid(text, "file:// is followed by an absolute path");
  }
  if (rest.empty()) return Invalid(text, "the path is missing");
  target.path = std::string(rest);
  target.authority = kNoAuthority;
  return target;
}

// The authority of a dns: target (gRPC naming): who is to be asked.
absl::StatusOr<transport::SocketAddress> ParseDnsServer(std::string_view text, std::string_view authority) {
  const absl::StatusOr<HostAndPort> part = ParseHostAndPort(text, authority, kDnsPort);
  if (!part.ok()) return part.status();
  const auto address = transport::SocketAddress::FromHostAndPort(part->host, part->port);
  if (!address.ok()) return Invalid(text, absl::StrCat("\"", part->host, "\" is no address of a DNS server"));
  return *address;
}

absl::StatusOr<Target> ParseHost(std::string_view text, std::string_view rest, Target target) {
  if (target.scheme != "http" && ConsumePrefix(&rest, "//")) {
    const size_t slash = rest.find('/');
    if (slash == std::string_view::npos) {
      return Invalid(text, absl::StrCat(target.scheme, ":// is followed by [server]/host:port"));
    }
    if (slash != 0 && target.scheme == "passthrough") return Invalid(text, "expected passthrough:///host:port");
    if (slash != 0) {
      const auto server = ParseDnsServer(text, rest.substr(0, slash));
      if (!server.ok()) return server.status();
      target.dns_server = *server;
    }
    rest.remove_prefix(slash + 1);
  }
  if (target.scheme == "http") ConsumePrefix(&rest, "//");
  const absl::StatusOr<HostAndPort> part = ParseHostAndPort(text, rest);
  if (!part.ok()) return part.status();
  target.authority = part->ToString();
  const auto numeric = transport::SocketAddress::FromHostAndPort(part->host, part->port);
  if (numeric.ok()) {
    target.addresses.push_back(*numeric);
    return target;
  }
  target.host = part->host;
  target.port = part->port;
  return target;
}

// Of a scheme of the program: the endpoint of scheme://authority/endpoint (naming), if that may be one.
std::string AuthorityOf(std::string_view rest) {
  if (ConsumePrefix(&rest, "//")) rest.remove_prefix(std::min(rest.find('/'), rest.size()));
  ConsumePrefix(&rest, "/");
  constexpr std::string_view kLegal = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:[]";
  const bool legal = !rest.empty() && rest.find_first_not_of(kLegal) == std::string_view::npos;
  return legal ? std::string(rest) : kNoAuthority;
}

}  // namespace

absl::StatusOr<Target> Target::Parse(std::string_view text, const NameResolvers& schemes) {
  Target target;
  target.text = std::string(text);
  const size_t colon = text.find(':');
  target.scheme = std::string(text.substr(0, colon));
  const std::string_view rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  if (colon != std::string_view::npos && schemes.contains(target.scheme)) {
    target.path = std::string(rest);
    target.authority = AuthorityOf(rest);
    return target;
  }
  if (text.starts_with("http://")) return ParseHost(text, rest, std::move(target));
  if (colon != std::string_view::npos) {
    if (target.scheme == "unix" || target.scheme == "unix-abstract") return ParseUnix(text, rest, std::move(target));
    if (target.scheme == "ipv4" || target.scheme == "ipv6") return ParseAddresses(text, rest, std::move(target));
    if (target.scheme == "dns" || target.scheme == "passthrough") return ParseHost(text, rest, std::move(target));
    // "file:1" is a host, as "greeter:1" is.
    if (target.scheme == "file" && rest.find('/') != std::string_view::npos) {
      return ParseFile(text, rest, std::move(target));
    }
  }
  target.scheme = "dns";
  return ParseHost(text, text, std::move(target));
}

std::string_view HostOf(std::string_view authority) {
  if (ConsumePrefix(&authority, "[")) return authority.substr(0, authority.find(']'));
  return authority.substr(0, authority.find(':'));
}

}  // namespace weir
