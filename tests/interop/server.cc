// weir's interop server: gRPC's TestService, ORCA's out-of-band service, and Features.
//
//   server --port=0      prints "listening on 127.0.0.1:PORT"; SIGTERM or Features.Drain ends it with 0
#include "weir/rpc/server/server.h"

#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tests/interop/features_service.h"
#include "tests/interop/orca_service.h"
#include "tests/interop/test_ca.h"
#include "tests/interop/test_service.h"
#include "weir/rpc/server/tls_credentials.h"

ABSL_FLAG(int, port, 0, "0: any free one, see the first line of output");
ABSL_FLAG(std::string, address, "", "listen here instead of 127.0.0.1:PORT");
ABSL_FLAG(int, loop_threads, 0, "0: one per CPU");
ABSL_FLAG(bool, use_tls, false, "whether connections use TLS");
ABSL_FLAG(std::string, tls_cert_file, "", "PEM file with the server's certificate and its chain; empty: a test CA's");
ABSL_FLAG(std::string, tls_key_file, "", "PEM file with its private key");
ABSL_FLAG(std::string, tls_client_ca_file, "", "clients need a certificate that these issued; empty: they need none");

namespace {

absl::StatusOr<weir::TlsKeyPair> KeyPair() {
  const std::string chain = absl::GetFlag(FLAGS_tls_cert_file), key = absl::GetFlag(FLAGS_tls_key_file);
  if (chain.empty() && key.empty()) return weir::interop::IssueByTestCa();
  return weir::TlsKeyPair{weir::TlsPem::File(chain), weir::TlsPem::File(key)};
}

absl::StatusOr<weir::ServerCredentials> Credentials() {
  if (!absl::GetFlag(FLAGS_use_tls)) return weir::InsecureServerCredentials();
  weir::TlsServerOptions tls;
  absl::StatusOr<weir::TlsKeyPair> key_pair = KeyPair();
  if (!key_pair.ok()) return key_pair.status();
  tls.key_pair = *std::move(key_pair);
  if (const std::string roots = absl::GetFlag(FLAGS_tls_client_ca_file); !roots.empty()) {
    tls.client_certificates = weir::TlsClientCertificates::kRequire;
    tls.client_roots = weir::TlsPem::File(roots);
  }
  return weir::TlsServerCredentials(tls);
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("serves gRPC's interop cases with weir");
  absl::ParseCommandLine(argc, argv);

  weir::interop::LoadReport load;
  weir::interop::TestServiceImpl test_service(absl::StrCat("weir-", getpid()), load);
  weir::interop::OrcaServiceImpl orca(load);
  weir::interop::FeaturesServiceImpl features;
  weir::ServerOptions options;
  options.loop_threads = absl::GetFlag(FLAGS_loop_threads);
  options.max_concurrent_streams = 10'000;  // thousand_streams uses one connection
  options.drain_grace = absl::Seconds(15);
  weir::Server server(options);
  server.AddService(test_service);
  server.AddService(orca);
  server.AddService(features);

  std::string address = absl::GetFlag(FLAGS_address);
  if (address.empty()) address = absl::StrCat("127.0.0.1:", absl::GetFlag(FLAGS_port));
  const absl::StatusOr<weir::ServerCredentials> credentials = Credentials();
  const absl::Status listening = credentials.ok() ? server.Listen(address, *credentials) : credentials.status();
  if (!listening.ok()) {
    std::fprintf(stderr, "%s\n", listening.ToString().c_str());
    return 1;
  }
  std::printf("listening on 127.0.0.1:%d\n", server.port());
  std::fflush(stdout);

  const absl::Status drained = server.RunUntilSignal();
  if (drained.ok()) return 0;
  std::fprintf(stderr, "%s\n", drained.ToString().c_str());
  return 1;
}
