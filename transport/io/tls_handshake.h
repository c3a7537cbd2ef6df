// TlsHandshake: what our callbacks inside OpenSSL know and find out about one connection, and how its failure is told.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "weir/transport/io/tls_context.h"

namespace weir::transport {

// The application data of an SSL.
struct TlsHandshake {
  TlsHandshake(std::shared_ptr<TlsContext> c, std::string_view h) : context(std::move(c)), host(h) {}
  static TlsHandshake& Of(const SSL* ssl) { return *static_cast<TlsHandshake*>(SSL_get_app_data(ssl)); }

  const std::shared_ptr<TlsContext> context;
  const std::string host;  // whom a client wants to reach
  std::string problem;     // what a callback has refused, and why; the first counts
  bool done = false;
};

// Callbacks of OpenSSL.
int OnVerifyTlsCertificate(int ok, X509_STORE_CTX* store);
int OnTlsClientHello(SSL* ssl, int* alert, void*);
int OnSelectTlsAlpn(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_length, const unsigned char* offered,
                    unsigned int offered_length, void*);

// After a failed handshake or read, with OpenSSL's queue of errors as it was left: the reason as text, for instance
// "the server's certificate is not for ...". `first_bytes`: of what the peer sent.
std::string DescribeTlsFailure(const SSL* ssl, std::string_view first_bytes, bool input_ended);
// What to add to the failure of a connection on which no data has come; empty: it was refused with a reason, or is a
// server's. With TLS 1.3 a client has done its part before the server has looked at its certificate (RFC 8446 section
// 2), and not every server sends an alert when it does not like it.
std::string HintAtRefusal(const SSL* ssl);

// What a server answers in plaintext to a peer that speaks plaintext HTTP, so that it can tell its user; else "".
std::string_view AnswerToPlaintext(std::string_view first_bytes);

// A client's check after the handshake: "" or why the connection is of no use: no ALPN "h2".
std::string MissingAlpn(const SSL* ssl);

}  // namespace weir::transport
