// A server's look at the ClientHello: what can be refused there is refused with the alert that says so, and with a
// text.
#include <openssl/tls1.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "weir/transport/h2/text.h"
#include "weir/transport/io/tls_handshake.h"

namespace weir::transport {
namespace {

constexpr size_t kOffersShown = 4;

// The content of an extension, or nullopt.
std::optional<std::string_view> Extension(SSL* ssl, unsigned type) {
  const unsigned char* data = nullptr;
  size_t length = 0;
  if (SSL_client_hello_get0_ext(ssl, type, &data, &length) != 1) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(data), length);
}

unsigned Octet(std::string_view text, size_t at) { return static_cast<unsigned char>(text[at]); }

// The newest version offered (RFC 8446 section 4.2.1); values that only keep servers tolerant (RFC 8701) do not count.
unsigned BestVersion(SSL* ssl) {
  unsigned best = std::min<unsigned>(SSL_client_hello_get0_legacy_version(ssl), TLS1_2_VERSION);
  const std::string_view list = Extension(ssl, TLSEXT_TYPE_supported_versions).value_or("");
  for (size_t i = 1; i + 1 < list.size(); i += 2) {
    const unsigned version = Octet(list, i) << 8 | Octet(list, i + 1);
    if (version <= TLS1_3_VERSION) best = std::max(best, version);
  }
  return best;
}

std::string VersionName(unsigned version) {
  if (version < TLS1_VERSION) return "SSL 3.0";
  return absl::StrCat("TLS 1.", version - TLS1_VERSION);
}

// "" if "h2" is among the protocols offered (RFC 7301 section 3.1), else what was offered.
std::string OtherAlpn(SSL* ssl) {
  const std::optional<std::string_view> extension = Extension(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation);
  if (!extension.has_value()) return "none";
  std::string offers;
  size_t count = 0;
  std::string_view rest = extension->substr(std::min<size_t>(extension->size(), 2));
  while (!rest.empty()) {
    const std::string_view name = rest.substr(1, Octet(rest, 0));
    rest.remove_prefix(1 + name.size());
    if (name == "h2") return "";
    if (++count <= kOffersShown) absl::StrAppend(&offers, offers.empty() ? "" : ", ", Quote(name));
  }
  return offers.empty() ? "none" : offers;
}

}  // namespace

int OnTlsClientHello(SSL* ssl, int* alert, void*) {
  TlsHandshake& handshake = TlsHandshake::Of(ssl);
  const bool only_13 = handshake.context->min_version() == TlsVersion::k13;
  if (const unsigned best = BestVersion(ssl); best < (only_13 ? TLS1_3_VERSION : TLS1_2_VERSION)) {
    handshake.problem = absl::StrCat("protocol version: expected TLS ", only_13 ? "1.3" : "1.2 or newer",
                                     ", the client offers at most ", VersionName(best));
    *alert = SSL_AD_PROTOCOL_VERSION;
    return SSL_CLIENT_HELLO_ERROR;
  }
  if (const std::string offers = OtherAlpn(ssl); !offers.empty()) {
    handshake.problem = absl::StrCat("ALPN: expected \"h2\", the client offers ", offers,
                                     "; a gRPC client offers it, other programs need to be told to use HTTP/2");
    *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
    return SSL_CLIENT_HELLO_ERROR;
  }
  return SSL_CLIENT_HELLO_SUCCESS;
}

int OnSelectTlsAlpn(SSL*, const unsigned char** chosen, unsigned char* chosen_length, const unsigned char* offered,
                    unsigned int offered_length, void*) {
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, chosen_length, reinterpret_cast<const unsigned char*>(kAlpnH2.data()),
                            kAlpnH2.size(), offered, offered_length) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace weir::transport
