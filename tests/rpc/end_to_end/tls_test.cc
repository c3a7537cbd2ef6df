// What a program sees of TLS: identities, refusals, files that change. That calls work over it as over anything else is
// shown by the other tests here, which run over TLS too.
#include <sys/socket.h>

#include <memory>
#include <string>
#include <utility>

#include "weir/rpc/client/connected_fd.h"
#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Answers with what it knows of its client.
class WhoService final : public bench::EchoService {
 public:
  Task<absl::StatusOr<bench::Payload>> Unary(ServerContext& context, const bench::Payload&) override {
    const PeerIdentity& identity = context.peer_identity();
    if (identity.empty()) co_return Body("nobody");
    std::string text = identity.subject;
    for (const std::string& name : identity.dns_names) text += " dns=" + name;
    for (const std::string& name : identity.uris) text += " uri=" + name;
    for (const std::string& name : identity.emails) text += " email=" + name;
    for (const std::string& name : identity.ip_addresses) text += " ip=" + name;
    co_return Body(text);
  }
};

class TlsTest : public ::testing::Test {
 protected:
  void Serve(const ServerCredentials& credentials) {
    server_.AddService(service_);
    const absl::Status listening = server_.Listen("127.0.0.1:0", credentials);
    ASSERT_TRUE(listening.ok()) << listening;
  }

  // The answer to a call on a new channel, or its status as text.
  std::string Ask(const ChannelCredentials& credentials, ChannelOptions options = {}) {
    Channel channel("127.0.0.1:" + std::to_string(server_.port()), credentials, std::move(options));
    const absl::StatusOr<bench::Payload> reply = bench::EchoClient(channel).Unary(Body("who am I?")).Wait();
    return reply.ok() ? reply->body() : reply.status().ToString();
  }

  WhoService service_;
  Server server_;
};

TlsChannelOptions WithCertificate(const TestCertificate& certificate) {
  TlsChannelOptions options = TlsOfChannel();
  options.key_pair = {TlsPem::Memory(certificate.chain), TlsPem::Memory(certificate.key)};
  return options;
}

TlsServerOptions Asking(TlsClientCertificates how) {
  TlsServerOptions options = TlsOfServer();
  options.client_certificates = how;
  options.client_roots = TlsPem::Memory(TheAuthority().certificate());
  options.log = [](std::string_view) {};
  return options;
}

TEST_F(TlsTest, TheHandlerSeesWhoTheClientHasProvenToBe) {
  Serve(TlsServerCredentials(Asking(TlsClientCertificates::kRequire)));
  const TestCertificate certificate = TheAuthority().Issue(
      {.common_name = "payments",
       .names = "DNS:pay.example,URI:spiffe://example.org/payments,email:pay@example.org,IP:10.0.0.7,IP:2001:db8::1"});
  const ChannelCredentials credentials = TlsChannelCredentials(WithCertificate(certificate));
  const std::string who =
      "CN=payments dns=pay.example uri=spiffe://example.org/payments email=pay@example.org ip=10.0.0.7 ip=2001:db8::1";
  EXPECT_EQ(Ask(credentials), who);
  EXPECT_EQ(Ask(credentials), who) << "on a session that was resumed, too";
}

TEST_F(TlsTest, AClientWithoutCertificateIsNobodyWhereNoneIsRequired) {
  Serve(TlsServerCredentials(Asking(TlsClientCertificates::kRequest)));
  EXPECT_EQ(Ask(TlsChannelCredentials(TlsOfChannel())), "nobody");
}

TEST_F(TlsTest, AClientWithoutCertificateIsToldThatOneIsRequired) {
  Serve(TlsServerCredentials(Asking(TlsClientCertificates::kRequire)));
  EXPECT_THAT(Ask(TlsChannelCredentials(TlsOfChannel())),
              AllOf(StartsWith("UNAVAILABLE: "),
                    HasSubstr("the server refused the connection: it requires a client certificate; set "
                              "TlsChannelOptions::key_pair (alert 116, certificate required)")));
}

TEST_F(TlsTest, ACertificateThatIsNotTrustedIsRefusedEvenWhereNoneIsRequired) {
  Serve(TlsServerCredentials(Asking(TlsClientCertificates::kRequest)));
  const TestCertificate certificate = TestAuthority("Other CA").Issue({.common_name = "intruder"});
  EXPECT_THAT(Ask(TlsChannelCredentials(WithCertificate(certificate))),
              HasSubstr("the server refused the connection: it does not trust the issuer of our certificate "
                        "\"CN=intruder\" (alert 48, unknown CA)"));
}

TEST_F(TlsTest, TheAuthorityOfTheChannelIsTheNameThatIsVerified) {
  Serve(TlsServerCredentials(TlsOfServer()));
  ChannelOptions options;
  options.authority = "localhost:1234";
  EXPECT_EQ(Ask(TlsChannelCredentials(TlsOfChannel()), options), "nobody");
  options.authority = "db.example";
  EXPECT_THAT(Ask(TlsChannelCredentials(TlsOfChannel()), options),
              HasSubstr("wrong host: expected a certificate for \"db.example\", got one for DNS:localhost, "
                        "IP:127.0.0.1; connect by such a name, or set ChannelOptions::authority to it"));
}

TEST_F(TlsTest, PlaintextAndTlsMixedUpIsToldToTheClient) {
  Serve(TlsServerCredentials(Asking(TlsClientCertificates::kIgnore)));
  EXPECT_THAT(Ask(InsecureChannelCredentials()),
              AllOf(StartsWith("UNAVAILABLE: "), HasSubstr("got \"HTTP/1.1 400 This port speaks TLS\"")));
  Server plain;
  ASSERT_TRUE(plain.Listen("127.0.0.1:0", InsecureServerCredentials()).ok());
  Channel channel("127.0.0.1:" + std::to_string(plain.port()), TlsChannelCredentials(TlsOfChannel()));
  EXPECT_THAT(
      bench::EchoClient(channel).Unary(Body("x")).Wait().status().ToString(),
      HasSubstr("expected a TLS handshake, got plaintext HTTP/2: this port of the server is plaintext; use TLS on "
                "both sides or on none"));
}

TEST_F(TlsTest, OptionsThatCannotBeUsedFailListenAndEveryCall) {
  TlsServerOptions server_options;
  EXPECT_EQ(server_.Listen("127.0.0.1:0", TlsServerCredentials(server_options)).ToString(),
            "INVALID_ARGUMENT: TLS: expected key_pair with certificate_chain and private_key, got none");
  TlsChannelOptions options;
  options.roots = TlsPem::File("/no/such/ca.pem");
  Channel channel("127.0.0.1:1", TlsChannelCredentials(options));
  EXPECT_EQ(bench::EchoClient(channel).Unary(Body("?")).Wait().status().message(),
            "/bench.Echo/Unary to 127.0.0.1:1: TLS roots /no/such/ca.pem: No such file or directory");
}

TEST_F(TlsTest, DescriptorsOfOthersAreSecuredToo) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  server_.AddService(service_);
  ASSERT_TRUE(server_.AddConnection(fds[0], TlsServerCredentials(TlsOfServer())).ok());
  {
    Channel channel(ConnectedFd(fds[1], TlsChannelCredentials(TlsOfChannel())));
    const absl::StatusOr<bench::Payload> reply = bench::EchoClient(channel).Unary(Body("?")).Wait();
    EXPECT_TRUE(reply.ok()) << reply.status();
  }
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  ASSERT_TRUE(server_.AddConnection(fds[0], TlsServerCredentials(Asking(TlsClientCertificates::kIgnore))).ok());
  Channel plain(ConnectedFd(fds[1], InsecureChannelCredentials()));
  EXPECT_THAT(bench::EchoClient(plain).Unary(Body("?")).Wait().status().ToString(),
              HasSubstr("got \"HTTP/1.1 400 This port speaks TLS\""));
}

TEST_F(TlsTest, TheSystemsRootsDoNotTrustATestAuthority) {
  Serve(TlsServerCredentials(Asking(TlsClientCertificates::kIgnore)));
  EXPECT_THAT(
      Ask(TlsCredentials()),
      HasSubstr("unknown issuer: the server's certificate \"CN=echo server\" was issued by \"CN=Test CA\", which "
                "is not trusted (trusted: the system's roots)"));
}

}  // namespace
}  // namespace weir::testing
