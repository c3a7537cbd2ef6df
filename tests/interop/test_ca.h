// IssueByTestCa: a certificate for a server that was given none, by a CA made for it.
#pragma once

#include "absl/status/statusor.h"
#include "weir/transport/io/tls_options.h"

namespace weir::interop {

// For localhost, 127.0.0.1, ::1 and *.test.google.fr (the names of gRPC's interop tests). Leaves the CA's certificate
// at TestCaPath(), in the place of the last server's.
absl::StatusOr<transport::TlsKeyPair> IssueByTestCa();

}  // namespace weir::interop
