#include "tests/interop/test_ca.h"

#include <stdio.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/interop/cases/test_ca_path.h"
#include "weir/tests/support/test_certificates.h"

namespace weir::interop {

absl::StatusOr<transport::TlsKeyPair> IssueByTestCa() {
  testing::TestAuthority authority("weir interop test CA");
  const testing::TestCertificate certificate = authority.Issue(
      {.common_name = "weir interop server", .names = "DNS:localhost,DNS:*.test.google.fr,IP:127.0.0.1,IP:::1"});
  // Renamed into place: a client never reads a half of it.
  const std::string path = TestCaPath();
  const std::string draft = absl::StrCat(path, ".", getpid());
  std::ofstream file(draft);
  file << authority.certificate();
  file.close();
  if (!file || rename(draft.c_str(), path.c_str()) != 0) {
    return absl::UnavailableError(absl::StrCat("test CA: expected to write ", path, ", could not; set TMPDIR"));
  }
  return transport::TlsKeyPair{transport::TlsPem::Memory(certificate.chain),
                               transport::TlsPem::Memory(certificate.key)};
}

}  // namespace weir::interop
