// Why a certificate was refused, told with its names and dates.
#include <openssl/x509_vfy.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/transport/h2/text.h"
#include "weir/transport/io/tls_handshake.h"
#include "weir/transport/io/tls_names.h"

namespace weir::transport {
namespace {

std::string Now() {
  const std::unique_ptr<ASN1_TIME, OpenSslDeleter<ASN1_TIME_free>> now(X509_gmtime_adj(nullptr, 0));
  return TimeText(now.get());
}

std::string DescribeRefusal(X509_STORE_CTX* store, const TlsHandshake& handshake) {
  const bool from_server = handshake.context->role() == TlsRole::kClient;
  const int error = X509_STORE_CTX_get_error(store);
  const X509* const certificate = X509_STORE_CTX_get_current_cert(store);
  const bool issuer = X509_STORE_CTX_get_error_depth(store) > 0;
  const std::string whose =
      absl::StrCat(from_server ? "the server's certificate" : "the client's certificate", issuer ? "'s issuer" : "");
  if (certificate == nullptr) return absl::StrCat(whose, " is not valid: ", X509_verify_cert_error_string(error));
  const std::string which = absl::StrCat(whose, " ", Quote(SubjectOf(*certificate)));
  const std::string trusted = absl::StrCat("trusted: ", handshake.context->trusted());
  switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return absl::StrCat("wrong host: expected a certificate for ", Quote(handshake.host), ", got one for ",
                          HostNamesOf(*certificate),
                          "; connect by such a name, or set ChannelOptions::authority to it");
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return absl::StrCat(which, " expired on ", TimeText(X509_get0_notAfter(certificate)), " (it is ", Now(),
                          " on this machine); renew it");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return absl::StrCat(which, " is not valid before ", TimeText(X509_get0_notBefore(certificate)), " (it is ", Now(),
                          " on this machine); set the clock that is wrong");
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return absl::StrCat(which, " is self-signed and not trusted itself (", trusted, ")");
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return absl::StrCat("unknown issuer: the root ", Quote(SubjectOf(*certificate)), ", which the ",
                          from_server ? "server" : "client", " sent with its certificate, is not trusted (", trusted,
                          ")");
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return absl::StrCat("unknown issuer: ", which, " was issued by ", Quote(IssuerOf(*certificate)),
                          ", which is not trusted (", trusted, "); if that is an intermediate one, the ",
                          from_server ? "server" : "client", " must send its certificate too");
    case X509_V_ERR_INVALID_PURPOSE:
      return absl::StrCat(which, " may not be used by a ", from_server ? "server" : "client",
                          ": its extended key usage lacks ", from_server ? "serverAuth" : "clientAuth");
    case X509_V_ERR_CERT_REVOKED:
      return absl::StrCat(which, " was revoked by its issuer ", Quote(IssuerOf(*certificate)), " (",
                          handshake.context->revocation_lists(), ")");
    case X509_V_ERR_UNABLE_TO_GET_CRL:
      return absl::StrCat(which, " cannot be checked: expected a revocation list of its issuer ",
                          Quote(IssuerOf(*certificate)), " in ", handshake.context->revocation_lists(), ", got none");
    case X509_V_ERR_CRL_HAS_EXPIRED:
      return absl::StrCat(which, " cannot be checked: the revocation list of its issuer ",
                          Quote(IssuerOf(*certificate)), " in ", handshake.context->revocation_lists(),
                          " is past its nextUpdate (it is ", Now(), " on this machine); get the next one");
    default:
      return absl::StrCat(which, " was refused: ", X509_verify_cert_error_string(error));
  }
}

}  // namespace

int OnVerifyTlsCertificate(int ok, X509_STORE_CTX* store) {
  if (ok == 1) return 1;
  const auto* ssl = static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  TlsHandshake& handshake = TlsHandshake::Of(ssl);
  if (handshake.problem.empty()) handshake.problem = DescribeRefusal(store, handshake);
  return 0;
}

}  // namespace weir::transport
