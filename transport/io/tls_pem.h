// Certificates and keys out of PEM text. Errors (INVALID_ARGUMENT) name the file, the line and what is wrong with it,
// and never quote the text, which may be a private key.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "weir/transport/io/tls_handles.h"
#include "weir/transport/io/tls_options.h"

namespace weir::transport {

struct PemText {
  std::string name;  // in errors: "private key /etc/tls/key.pem"
  std::string text;
};

// `what`: "private key".
absl::StatusOr<PemText> ReadPem(const TlsPem& pem, std::string_view what);

// At least one, in order.
absl::StatusOr<std::vector<CertificatePtr>> ParseCertificates(const PemText& pem);

// At least one, in order.
absl::StatusOr<std::vector<RevocationListPtr>> ParseRevocationLists(const PemText& pem);

absl::StatusOr<KeyPtr> ParsePrivateKey(const PemText& pem);

}  // namespace weir::transport
