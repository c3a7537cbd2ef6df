// What went wrong with a TLS connection, in words that the reader can act on.
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "weir/transport/h2/text.h"
#include "weir/transport/io/tls_handshake.h"

namespace weir::transport {
namespace {

constexpr int kCiphersShown = 4;
// Content types of TLS records: change_cipher_spec, alert, handshake, application_data (RFC 8446 section 5.1).
constexpr char kFirstContentType = 20;
constexpr char kLastContentType = 23;
constexpr char kSettingsFrame = 4;  // at octet 3 of an HTTP/2 frame (RFC 9113 section 4.1)

bool IsPlaintext(std::string_view first_bytes) {
  return !first_bytes.empty() && (first_bytes[0] < kFirstContentType || first_bytes[0] > kLastContentType);
}

bool IsHttpRequest(std::string_view first_bytes) {
  static constexpr std::array<std::string_view, 9> kMethods = {"PRI ", "GET ", "POST", "PUT ", "HEAD",
                                                               "DELE", "OPTI", "PATC", "CONN"};
  return std::any_of(kMethods.begin(), kMethods.end(),
                     [first_bytes](std::string_view method) { return first_bytes.starts_with(method); });
}

std::string DescribePlaintext(TlsRole role, std::string_view first_bytes) {
  constexpr std::string_view kAdvice = "; use TLS on both sides or on none";
  std::string got = Quote(first_bytes);
  if (role == TlsRole::kServer) {
    if (first_bytes.starts_with("PRI ")) {
      got = "plaintext HTTP/2";
    } else if (IsHttpRequest(first_bytes)) {
      got = "plaintext HTTP/1";
    }
    return absl::StrCat("expected a TLS handshake, got ", got, ": the client does not use TLS", std::string(kAdvice));
  }
  if (first_bytes.starts_with("HTTP/")) {
    got = "plaintext HTTP/1";
  } else if (first_bytes.size() > 3 && first_bytes[0] == 0 && first_bytes[3] == kSettingsFrame) {
    got = "plaintext HTTP/2";
  }
  return absl::StrCat("expected a TLS handshake, got ", got, ": this port of the server is plaintext",
                      std::string(kAdvice));
}

std::string DescribeEnd(const TlsHandshake& handshake, std::string_view first_bytes) {
  const std::string peer = handshake.context->role() == TlsRole::kClient ? "the server" : "the client";
  if (handshake.done) {
    return absl::StrCat(peer, " closed the connection without TLS's close_notify: what it sent last may be lost");
  }
  if (first_bytes.empty()) {
    return absl::StrCat(peer, " closed the connection without a word",
                        handshake.context->role() == TlsRole::kClient ? "; does this port speak TLS?" : "");
  }
  return absl::StrCat(peer, " closed the connection in the middle of the handshake");
}

// What an alert of the peer tells about us (RFC 8446 section 6.2).
std::string MeaningOf(int alert, const TlsContext& context) {
  const bool client = context.role() == TlsRole::kClient;
  const std::string own =
      context.own_subject().empty() ? "our certificate" : "our certificate " + Quote(context.own_subject());
  switch (alert) {
    case SSL_AD_HANDSHAKE_FAILURE:
    case SSL_AD_INSUFFICIENT_SECURITY:
      return client ? "no cipher suite or key in common: expected TLS 1.3, or TLS 1.2 with ECDHE and AEAD (RFC 9113 "
                      "section 9.2.2)"
                    : "no cipher suite or key in common";
    case SSL_AD_PROTOCOL_VERSION:
      return absl::StrCat("no protocol version in common: we speak TLS ",
                          context.min_version() == TlsVersion::k13 ? "1.3" : "1.2 and 1.3");
    case SSL_AD_NO_APPLICATION_PROTOCOL:
      return "ALPN: it does not speak \"h2\" on this port";
    case SSL_AD_CERTIFICATE_REQUIRED:
      return "it requires a client certificate; set TlsChannelOptions::key_pair";
    case SSL_AD_UNKNOWN_CA:
      return absl::StrCat("it does not trust the issuer of ", own);
    case SSL_AD_CERTIFICATE_EXPIRED:
      return absl::StrCat(own, " has expired, or its clock is wrong");
    case SSL_AD_CERTIFICATE_REVOKED:
      return absl::StrCat(own, " was revoked");
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_UNKNOWN:
      if (client && context.own_subject().empty())
        return "it expects a client certificate; set TlsChannelOptions::key_pair";
      return absl::StrCat("it does not accept ", own);
    case SSL_AD_UNRECOGNIZED_NAME:
      return "it does not serve the host that was asked for";
    case SSL_AD_ACCESS_DENIED:
      return absl::StrCat("it denies access to the owner of ", own);
    default:
      return "";
  }
}

// OpenSSL 3.0 knows the others.
const char* AlertName(int alert) {
  return alert == SSL_AD_CERTIFICATE_REQUIRED ? "certificate required" : SSL_alert_desc_string_long(alert);
}

std::string DescribeAlert(int alert, const TlsContext& context) {
  const std::string meaning = MeaningOf(alert, context);
  return absl::StrCat(context.role() == TlsRole::kClient ? "the server" : "the client",
                      " refused the connection: ", meaning, meaning.empty() ? "" : " ", "(alert ", alert, ", ",
                      AlertName(alert), ")");
}

std::string DescribeNoSharedCipher(const SSL* ssl) {
  std::string offers;
  const STACK_OF(SSL_CIPHER)* const ciphers = SSL_get_client_ciphers(ssl);
  const int count = sk_SSL_CIPHER_num(ciphers);
  for (int i = 0; i < std::min(count, kCiphersShown); ++i) {
    absl::StrAppend(&offers, i == 0 ? "" : ", ", SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, i)));
  }
  if (count > kCiphersShown) absl::StrAppend(&offers, " and ", count - kCiphersShown, " more");
  return absl::StrCat(
      "cipher suites: expected one with ECDHE and AEAD (RFC 9113 section 9.2.2) that our certificate's "
      "key can serve, the client offers ",
      offers.empty() ? "none that is known" : offers);
}

}  // namespace

std::string DescribeTlsFailure(const SSL* ssl, std::string_view first_bytes, bool input_ended) {
  const TlsHandshake& handshake = TlsHandshake::Of(ssl);
  const TlsContext& context = *handshake.context;
  if (!handshake.problem.empty()) return handshake.problem;
  if (!handshake.done && IsPlaintext(first_bytes)) return DescribePlaintext(context.role(), first_bytes);
  if (input_ended) return DescribeEnd(handshake, first_bytes);
  const unsigned long error = ERR_peek_error();
  const int reason = ERR_GET_REASON(error);
  // The reason is SSL_AD_REASON_OFFSET and the alert's number for alerts that were received (openssl/ssl.h: "offset to
  // get SSL_R_... value from SSL_AD_...").
  if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
    return DescribeAlert(reason - SSL_AD_REASON_OFFSET, context);
  }
  switch (reason) {
    case SSL_R_NO_SHARED_CIPHER:
      return DescribeNoSharedCipher(ssl);
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return "client certificate: expected one that is issued by (" + context.trusted() + "), the client sent none";
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return absl::StrCat("protocol version: expected TLS ",
                          context.min_version() == TlsVersion::k13 ? "1.3" : "1.2 or newer",
                          ", the server chose an older one");
    default: {
      const char* const text = ERR_reason_error_string(error);
      return text == nullptr ? "the TLS library gives no reason" : text;
    }
  }
}

std::string HintAtRefusal(const SSL* ssl) {
  const TlsHandshake& handshake = TlsHandshake::Of(ssl);
  const bool reason_came = ERR_GET_REASON(ERR_peek_error()) >= SSL_AD_REASON_OFFSET;
  if (handshake.context->role() != TlsRole::kClient || !handshake.done || reason_came) return "";
  const std::string& own = handshake.context->own_subject();
  if (own.empty()) return "; does it require a client certificate (TlsChannelOptions::key_pair)?";
  return absl::StrCat("; does it accept our certificate ", Quote(own), "?");
}

std::string_view AnswerToPlaintext(std::string_view first_bytes) {
  if (!IsHttpRequest(first_bytes)) return "";
  return "HTTP/1.1 400 This port speaks TLS\r\n"
         "Content-Type: text/plain\r\n"
         "Content-Length: 56\r\n"
         "Connection: close\r\n"
         "\r\n"
         "This port speaks TLS only; the request was in plaintext\n";
}

std::string MissingAlpn(const SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl, &name, &length);
  if (std::string_view(reinterpret_cast<const char*>(name), length) == "h2") return "";
  return "ALPN: expected \"h2\", the server chose no protocol: it speaks TLS, but not HTTP/2 on this port";
}

}  // namespace weir::transport
