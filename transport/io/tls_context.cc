#include "weir/transport/io/tls_context.h"

#include <openssl/err.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "weir/transport/io/tls_handshake.h"
#include "weir/transport/io/tls_key_log.h"
#include "weir/transport/io/tls_names.h"
#include "weir/transport/io/tls_pem.h"

namespace weir::transport {
namespace {

// TLS 1.2: ephemeral key exchange and AEAD, or HTTP/2 prohibits it (RFC 9113 section 9.2.2 and appendix A). TLS 1.3 has
// no others.
constexpr char kCiphersOfTls12[] = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!PSK";

absl::Status Failed(std::string_view what) {
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  absl::Status status =
      absl::InvalidArgumentError(absl::StrCat("TLS: ", std::string(what), ": ", reason == nullptr ? "failed" : reason));
  ERR_clear_error();
  return status;
}

int OnNewSession(SSL* ssl, SSL_SESSION* session) {
  const TlsHandshake& handshake = TlsHandshake::Of(ssl);
  handshake.context->sessions().Put(handshake.host, SslSessionPtr(session));
  return 1;  // it is ours now
}

bool IsAddress(const std::string& host) {
  const std::unique_ptr<ASN1_OCTET_STRING, OpenSslDeleter<ASN1_OCTET_STRING_free>> address(a2i_IPADDRESS(host.c_str()));
  return address != nullptr;
}

}  // namespace

absl::StatusOr<std::shared_ptr<TlsContext>> TlsContext::Make(const TlsConfig& config) {
  std::shared_ptr<TlsContext> made(new TlsContext(config.role, config.min_version));
  ERR_clear_error();
  if (absl::Status status = made->SetUp(config); !status.ok()) return status;
  return made;
}

absl::Status TlsContext::SetUp(const TlsConfig& config) {
  const bool server = role_ == TlsRole::kServer;
  context_.reset(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()));
  SSL_CTX* const context = context_.get();
  if (context == nullptr) return Failed("new context");
  SSL_CTX_set_min_proto_version(context, min_version_ == TlsVersion::k13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  if (SSL_CTX_set_cipher_list(context, kCiphersOfTls12) != 1) return Failed("cipher suites of TLS 1.2");
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_PRIORITIZE_CHACHA);
  // Idle connections own no buffers; and the chain that is sent is the one that was given, not one made of the roots.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_read_ahead(context, 1);  // a record and more with one read
  SetUpKeyLog(context);
  if (absl::Status status = UseKeyPair(config.key_pair); !status.ok()) return status;
  if (absl::Status status = UseRoots(config); !status.ok()) return status;
  if (absl::Status status = UseRevocationLists(config.revocation_lists); !status.ok()) return status;
  if (server) {
    SSL_CTX_set_client_hello_cb(context, OnTlsClientHello, nullptr);
    SSL_CTX_set_alpn_select_cb(context, OnSelectTlsAlpn, nullptr);
    // Sessions are in the tickets that clients keep, under keys that this context made for itself.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    static constexpr unsigned char kSessionContext[] = "weir";
    SSL_CTX_set_session_id_context(context, kSessionContext, sizeof(kSessionContext));
  } else {
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(kAlpnH2.data()), kAlpnH2.size());
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, OnNewSession);
  }
  return absl::OkStatus();
}

absl::Status TlsContext::UseKeyPair(const TlsKeyPair& pair) {
  if (pair.empty()) {
    if (role_ == TlsRole::kClient) return absl::OkStatus();
    return absl::InvalidArgumentError("TLS: expected key_pair with certificate_chain and private_key, got none");
  }
  if (pair.certificate_chain.empty() || pair.private_key.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("TLS: expected key_pair with certificate_chain and private_key, got no ",
                     pair.private_key.empty() ? "private_key" : "certificate_chain"));
  }
  const absl::StatusOr<PemText> chain_text = ReadPem(pair.certificate_chain, "certificate chain");
  if (!chain_text.ok()) return chain_text.status();
  absl::StatusOr<std::vector<CertificatePtr>> chain = ParseCertificates(*chain_text);
  if (!chain.ok()) return chain.status();
  const absl::StatusOr<PemText> key_text = ReadPem(pair.private_key, "private key");
  if (!key_text.ok()) return key_text.status();
  const absl::StatusOr<KeyPtr> key = ParsePrivateKey(*key_text);
  if (!key.ok()) return key.status();

  X509* const own = chain->front().get();
  own_subject_ = SubjectOf(*own);
  if (X509_check_private_key(own, key->get()) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError(absl::StrCat("TLS ", key_text->name, ": expected the key of \"", own_subject_,
                                                   "\", the first certificate of ", chain_text->name,
                                                   ", got another one's"));
  }
  if (SSL_CTX_use_certificate(context_.get(), own) != 1) return Failed(chain_text->name);
  if (SSL_CTX_use_PrivateKey(context_.get(), key->get()) != 1) return Failed(key_text->name);
  for (size_t i = 1; i < chain->size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context_.get(), (*chain)[i].get()) != 1) return Failed(chain_text->name);
  }
  return absl::OkStatus();
}

absl::Status TlsContext::UseRoots(const TlsConfig& config) {
  int mode = SSL_VERIFY_PEER;
  if (role_ == TlsRole::kServer) {
    if (config.client_certificates == TlsClientCertificates::kIgnore) return absl::OkStatus();
    if (config.client_certificates == TlsClientCertificates::kRequire) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    if (config.roots.empty()) {
      return absl::InvalidArgumentError(
          "TLS: expected client_roots, because client certificates are asked for, got none");
    }
  }
  SSL_CTX_set_verify(context_.get(), mode, OnVerifyTlsCertificate);
  // A root in the list is trusted whether or not it signed itself.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context_.get()),
                              X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  if (config.roots.empty()) {
    trusted_ = "the system's roots";
    return SSL_CTX_set_default_verify_paths(context_.get()) == 1 ? absl::OkStatus() : Failed(trusted_);
  }
  const absl::StatusOr<PemText> text = ReadPem(config.roots, role_ == TlsRole::kServer ? "client roots" : "roots");
  if (!text.ok()) return text.status();
  const absl::StatusOr<std::vector<CertificatePtr>> roots = ParseCertificates(*text);
  if (!roots.ok()) return roots.status();
  for (const CertificatePtr& root : *roots) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), root.get()) != 1) return Failed(text->name);
    // So that a client with several certificates can choose.
    if (role_ == TlsRole::kServer) SSL_CTX_add_client_CA(context_.get(), root.get());
  }
  trusted_ = absl::StrCat(text->name, ", ", roots->size(), roots->size() == 1 ? " certificate" : " certificates");
  return absl::OkStatus();
}

absl::Status TlsContext::UseRevocationLists(const TlsPem& lists) {
  if (lists.empty()) return absl::OkStatus();
  if (role_ == TlsRole::kServer && SSL_CTX_get_verify_mode(context_.get()) == SSL_VERIFY_NONE) {
    return absl::InvalidArgumentError(
        "TLS: expected client_certificates kRequest or kRequire with client_revocation_lists, got kIgnore");
  }
  const absl::StatusOr<PemText> text = ReadPem(lists, "revocation lists");
  if (!text.ok()) return text.status();
  const absl::StatusOr<std::vector<RevocationListPtr>> parsed = ParseRevocationLists(*text);
  if (!parsed.ok()) return parsed.status();
  for (const RevocationListPtr& list : *parsed) {
    if (X509_STORE_add_crl(SSL_CTX_get_cert_store(context_.get()), list.get()) != 1) return Failed(text->name);
  }
  // Not only the end of the chain: whoever had the key of a revoked intermediate one could issue new ends.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context_.get()), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  revocation_lists_ = text->name;
  return absl::OkStatus();
}

SslPtr TlsContext::NewConnection(const std::string& host) const {
  SslPtr ssl(SSL_new(context_.get()));
  if (ssl == nullptr) return nullptr;
  if (role_ == TlsRole::kServer) {
    SSL_set_accept_state(ssl.get());
    return ssl;
  }
  SSL_set_connect_state(ssl.get());
  bool verified_name = false;
  if (IsAddress(host)) {
    verified_name = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), host.c_str()) == 1;
  } else {
    // RFC 9525 section 6: no common names, "*" for a whole label only. An address is not sent as SNI (RFC 6066 section
    // 3).
    SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    verified_name = !host.empty() && SSL_set1_host(ssl.get(), host.c_str()) == 1 &&
                    SSL_set_tlsext_host_name(ssl.get(), host.c_str()) == 1;
  }
  if (!verified_name) return nullptr;
  return ssl;
}

}  // namespace weir::transport
