// The bad certificates, and TLS where it is not expected, as a caller hears of them: one row each. Every refusal is
// UNAVAILABLE with the reason, and no handler runs. What both sides' handshakes say in detail, and to the operator:
// tests/transport/io/tls_failure_test.cc.
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Refusal {
  std::string name;
  TestCertificateRequest server;  // of TheAuthority()
  bool server_of_another_issuer = false;
  bool server_asks = false;  // requires certificates of clients
  std::string authority = "localhost";
  // Of the client: none, one of TheAuthority(), one of another issuer.
  enum class Client { kNone, kOurs, kAnothers } client = Client::kNone;
  TestCertificateRequest client_certificate;
  std::string told;
};

std::ostream& operator<<(std::ostream& out, const Refusal& refusal) { return out << refusal.name; }

std::vector<Refusal> Refusals() {
  using Client = Refusal::Client;
  return {
      {.name = "Expired", .server = {.ends_in = -absl::Minutes(1)}, .told = "certificate \"CN=server\" expired on "},
      {.name = "NotYetValid",
       .server = {.begins_in = absl::Hours(1)},
       .told = "certificate \"CN=server\" is not valid before "},
      {.name = "UnknownIssuer",
       .server_of_another_issuer = true,
       .told = "unknown issuer: the server's certificate \"CN=server\" was issued by \"CN=Other CA\""},
      {.name = "SelfSigned", .server = {.self_signed = true}, .told = "is self-signed and not trusted itself"},
      {.name = "WrongHost",
       .authority = "db.example",
       .told = "wrong host: expected a certificate for \"db.example\", got one for DNS:localhost, IP:127.0.0.1"},
      {.name = "WrongPurpose",
       .server = {.usage = "clientAuth"},
       .told = "may not be used by a server: its extended key usage lacks serverAuth"},
      {.name = "ClientCertificateMissing",
       .server_asks = true,
       .told = "it requires a client certificate; set TlsChannelOptions::key_pair (alert 116, certificate required)"},
      {.name = "ClientCertificateOfAnotherIssuer",
       .server_asks = true,
       .client = Client::kAnothers,
       .client_certificate = {.common_name = "intruder"},
       .told = "it does not trust the issuer of our certificate \"CN=intruder\" (alert 48, unknown CA)"},
      {.name = "ClientCertificateExpired",
       .server_asks = true,
       .client = Client::kOurs,
       .client_certificate = {.common_name = "old", .ends_in = -absl::Minutes(1)},
       .told = "our certificate \"CN=old\" has expired, or its clock is wrong (alert 45, certificate expired)"},
      {.name = "ClientCertificateNotYetValid",
       .server_asks = true,
       .client = Client::kOurs,
       .client_certificate = {.common_name = "new", .begins_in = absl::Hours(1)},
       .told = "certificate \"CN=new\""},
      {.name = "ClientCertificateSelfSigned",
       .server_asks = true,
       .client = Client::kOurs,
       .client_certificate = {.common_name = "alone", .self_signed = true},
       .told = "certificate \"CN=alone\""},
      {.name = "ClientCertificateOfWrongPurpose",
       .server_asks = true,
       .client = Client::kOurs,
       .client_certificate = {.common_name = "other", .usage = "serverAuth"},
       .told = "certificate \"CN=other\""},
  };
}

class TlsRefusalTest : public ::testing::TestWithParam<Refusal> {};

TlsKeyPair KeyPairOf(const TestCertificate& certificate) {
  return {TlsPem::Memory(certificate.chain), TlsPem::Memory(certificate.key)};
}

TEST_P(TlsRefusalTest, IsUnavailableWithTheReasonAndNoHandlerRuns) {
  const Refusal& refusal = GetParam();
  TestAuthority other("Other CA");

  TlsServerOptions server_options;
  server_options.key_pair =
      KeyPairOf((refusal.server_of_another_issuer ? other : TheAuthority()).Issue(refusal.server));
  server_options.log = [](std::string_view) {};
  if (refusal.server_asks) {
    server_options.client_certificates = TlsClientCertificates::kRequire;
    server_options.client_roots = TlsPem::Memory(TheAuthority().certificate());
  }
  EchoService service;
  Server server;
  server.AddService(service);
  ASSERT_TRUE(server.Listen("127.0.0.1:0", TlsServerCredentials(server_options)).ok());

  TlsChannelOptions client_options = TlsOfChannel();
  if (refusal.client != Refusal::Client::kNone) {
    TestAuthority& issuer = refusal.client == Refusal::Client::kOurs ? TheAuthority() : other;
    client_options.key_pair = KeyPairOf(issuer.Issue(refusal.client_certificate));
  }
  ChannelOptions options;
  options.authority = refusal.authority;
  Channel channel("127.0.0.1:" + std::to_string(server.port()), TlsChannelCredentials(client_options), options);
  const absl::Status status = bench::EchoClient(channel).Unary(Body("x")).Wait().status();
  EXPECT_THAT(status.ToString(), AllOf(StartsWith("UNAVAILABLE: "), HasSubstr(refusal.told)));
  EXPECT_EQ(service.started.value(), 0);
}

INSTANTIATE_TEST_SUITE_P(All, TlsRefusalTest, ::testing::ValuesIn(Refusals()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace weir::testing
