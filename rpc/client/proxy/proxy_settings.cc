#include "weir/rpc/client/proxy/proxy_settings.h"

#include <charconv>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "weir/rpc/wire/text_codec.h"

namespace weir {
namespace {

// RFC 9110, section 4.2.1.
constexpr uint16_t kDefaultPort = 80;

struct Setting {
  std::string name;
  std::string value;
};

// The first that is set, as grpc++ looks for them.
std::optional<Setting> FirstOf(std::initializer_list<const char*> names, const Environment& environment) {
  for (const char* name : names) {
    if (const char* value = environment(name); value != nullptr) return Setting{.name = name, .value = value};
  }
  return std::nullopt;
}

// Without what stands before an '@': that is a secret.
absl::Status Invalid(const Setting& setting, std::string_view problem) {
  const size_t at = setting.value.rfind('@');
  const std::string shown =
      at == std::string::npos ? setting.value : absl::StrCat("(user and password)", setting.value.substr(at));
  return absl::InvalidArgumentError(absl::StrCat(
      setting.name, ": expected http://[user:password@]host[:port], got \"", absl::CHexEscape(shown), "\": ",
      std::string(problem), "; set grpc_proxy to another one or to nothing, or ChannelOptions::use_proxy to false"));
}

absl::StatusOr<uint16_t> ParsePort(const Setting& setting, std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0 || port > 65535) {
    return Invalid(setting, "the port is a number from 1 to 65535");
  }
  return static_cast<uint16_t>(port);
}

absl::StatusOr<ProxySettings> Parse(const Setting& setting) {
  constexpr std::string_view kScheme = "http://";
  std::string_view rest = setting.value;
  if (rest.starts_with(kScheme)) {
    rest.remove_prefix(kScheme.size());
  } else if (rest.find("://") != rest.npos) {
    return Invalid(setting, "other kinds of proxy are not supported");
  }
  ProxySettings proxy;
  if (const size_t at = rest.rfind('@'); at != rest.npos) {
    // RFC 7617; what a URI has to escape is meant as it was before.
    const std::string user = wire::PercentDecode(rest.substr(0, at));
    proxy.authorization = absl::StrCat("Basic ", absl::Base64Escape(user));
    rest.remove_prefix(at + 1);
  }
  rest = rest.substr(0, rest.find_first_of("/?#"));
  std::string_view host = rest;
  std::string_view port;
  if (rest.starts_with('[')) {
    const size_t bracket = rest.find(']');
    if (bracket == rest.npos) return Invalid(setting, "\"[\" without \"]\"");
    host = rest.substr(1, bracket - 1);
    port = rest.substr(bracket + 1);
  } else if (const size_t colon = rest.find(':'); colon != rest.npos) {
    host = rest.substr(0, colon);
    port = rest.substr(colon);
  }
  if (host.empty()) return Invalid(setting, "the host is missing");
  if (host.find_first_of(" \t\r\n,") != host.npos) return Invalid(setting, "this is no host name");
  proxy.host = std::string(host);
  proxy.port = kDefaultPort;
  if (port.empty()) return proxy;
  const absl::StatusOr<uint16_t> number = ParsePort(setting, port.substr(1));
  if (!number.ok() || port.front() != ':')
    return number.ok() ? Invalid(setting, "expected \":port\"") : number.status();
  proxy.port = *number;
  return proxy;
}

}  // namespace

absl::StatusOr<std::optional<ProxySettings>> FindProxy(const std::string& option, const Environment& environment) {
  std::optional<Setting> setting;
  if (!option.empty()) {
    setting = Setting{.name = "ChannelOptions::http_proxy", .value = option};
  } else {
    setting = FirstOf({"grpc_proxy", "https_proxy", "http_proxy"}, environment);
  }
  if (!setting.has_value() || setting->value.empty()) return std::nullopt;
  absl::StatusOr<ProxySettings> proxy = Parse(*setting);
  if (!proxy.ok()) return proxy.status();
  std::optional<Setting> exceptions = FirstOf({"no_grpc_proxy", "no_proxy"}, environment);
  if (exceptions.has_value()) proxy->no_proxy = NoProxy(std::move(exceptions->value));
  return *std::move(proxy);
}

}  // namespace weir
