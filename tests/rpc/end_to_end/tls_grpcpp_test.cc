// The bad certificates, and TLS where it is not expected, between weir and grpc++, both ways. What weir's own two sides
// say: tls_refusals_test.cc.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <vector>

#include "tests/golden/greeter.grpc.pb.h"
#include "tests/golden/greeter.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/client/tls_credentials.h"
#include "weir/rpc/server/server.h"
#include "weir/rpc/server/tls_credentials.h"
#include "weir/tests/support/test_certificates.h"

namespace golden::greeter::v1 {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using weir::testing::TestAuthority;
using weir::testing::TestCertificate;
using weir::testing::TestCertificateRequest;

struct Pem {
  std::string chain;  // empty: none
  std::string key;
};

struct Row {
  std::string name;
  TestCertificateRequest server;
  bool server_of_another_issuer = false;
  std::string authority = "localhost";
  bool server_asks = false;  // requires certificates of clients
  bool client_of_another_issuer = false;
  bool client_has_one = false;
  TestCertificateRequest client;
  std::string client_says;  // weir's, of a server of grpc++
  std::string server_logs;  // weir's, of a client of grpc++
};

std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

// grpc++ 1.51 sends no alert for a certificate that it does not accept: it closes the connection, and whether that is
// an end or a reset is the network's matter. What it did not like is in its own log.
constexpr char kClosed[] = "TLS handshake with 127.0.0.1:";

std::vector<Row> Rows() {
  return {
      {.name = "Expired",
       .server = {.ends_in = -absl::Minutes(1)},
       .client_says = "the server's certificate \"CN=server\" expired on ",
       .server_logs = kClosed},
      {.name = "NotYetValid",
       .server = {.begins_in = absl::Hours(1)},
       .client_says = "the server's certificate \"CN=server\" is not valid before ",
       .server_logs = kClosed},
      {.name = "UnknownIssuer",
       .server_of_another_issuer = true,
       .client_says = "was issued by \"CN=Other CA\", which is not trusted",
       .server_logs = kClosed},
      {.name = "SelfSigned",
       .server = {.self_signed = true},
       .client_says = "is self-signed and not trusted itself",
       .server_logs = kClosed},
      {.name = "WrongPurpose",
       .server = {.usage = "clientAuth"},
       .client_says = "its extended key usage lacks serverAuth",
       .server_logs = kClosed},
      // grpc++ looks at the name when the handshake is over, and closes.
      {.name = "WrongHost",
       .authority = "db.example",
       .client_says = "wrong host: expected a certificate for \"db.example\"",
       .server_logs = ""},
      {.name = "ClientCertificateMissing",
       .server_asks = true,
       .client_says = "does it require a client certificate (TlsChannelOptions::key_pair)?",
       .server_logs = "client certificate: expected one that is issued by"},
      {.name = "ClientCertificateOfAnotherIssuer",
       .server_asks = true,
       .client_of_another_issuer = true,
       .client_has_one = true,
       .client = {.common_name = "intruder"},
       .client_says = "does it accept our certificate \"CN=intruder\"?",
       .server_logs = "was issued by \"CN=Other CA\", which is not trusted"},
      {.name = "ClientCertificateExpired",
       .server_asks = true,
       .client_has_one = true,
       .client = {.common_name = "old", .ends_in = -absl::Minutes(1)},
       .client_says = "does it accept our certificate \"CN=old\"?",
       .server_logs = "the client's certificate \"CN=old\" expired on "},
  };
}

HelloRequest Hello() {
  HelloRequest request;
  request.set_name("x");
  return request;
}

class GrpcGreeter final : public Greeter::Service {
  grpc::Status SayHello(grpc::ServerContext*, const HelloRequest*, HelloReply*) override { return grpc::Status::OK; }
};

class WeirGreeter final : public GreeterService {
  weir::Task<absl::StatusOr<HelloReply>> SayHello(weir::ServerContext&, const HelloRequest&) override {
    co_return HelloReply();
  }
};

class Log {
 public:
  void Add(std::string_view line) {
    std::lock_guard lock(mutex_);
    lines_ += std::string(line) + "\n";
  }
  std::string lines() {
    std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::string lines_;
};

weir::TlsKeyPair KeyPairOf(const Pem& pem) { return {weir::TlsPem::Memory(pem.chain), weir::TlsPem::Memory(pem.key)}; }

// Servers on a port of loopback, and calls to such a port. `server_roots` of clients; empty: none are asked for.
std::unique_ptr<grpc::Server> ServeByGrpcpp(GrpcGreeter& greeter, std::shared_ptr<grpc::ServerCredentials> credentials,
                                            int* port) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", std::move(credentials), port);
  builder.RegisterService(&greeter);
  return builder.BuildAndStart();
}

std::string AskByWeir(int port, const weir::ChannelCredentials& credentials, const std::string& authority = "") {
  weir::ChannelOptions options;
  options.authority = authority;
  weir::Channel channel("127.0.0.1:" + std::to_string(port), credentials, options);
  const weir::CallOptions patience = weir::CallOptions().Timeout(absl::Seconds(30));
  return GreeterClient(channel).SayHello(Hello(), patience).Wait().status().ToString();
}

grpc::Status AskByGrpcpp(int port, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                         const std::string& authority = "") {
  grpc::ChannelArguments arguments;
  if (!authority.empty()) arguments.SetSslTargetNameOverride(authority);
  const auto stub =
      Greeter::NewStub(grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port), credentials, arguments));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  HelloReply reply;
  return stub->SayHello(&context, Hello(), &reply);
}

class TlsBesideGrpcppTest : public ::testing::TestWithParam<Row> {
 protected:
  TlsBesideGrpcppTest() {
    const Row& row = GetParam();
    const TestCertificate server = (row.server_of_another_issuer ? other_ : ours_).Issue(row.server);
    server_ = {server.chain, server.key};
    if (!row.client_has_one) return;
    const TestCertificate client = (row.client_of_another_issuer ? other_ : ours_).Issue(row.client);
    client_ = {client.chain, client.key};
  }

  TestAuthority ours_{"Test CA"};
  TestAuthority other_{"Other CA"};
  Pem server_;
  Pem client_;
};

TEST_P(TlsBesideGrpcppTest, AClientOfWeirSaysWhatIsWrongWithAServerOfGrpcpp) {
  const Row& row = GetParam();
  grpc::SslServerCredentialsOptions options(row.server_asks ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                                            : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  options.pem_key_cert_pairs.push_back({server_.key, server_.chain});
  if (row.server_asks) options.pem_root_certs = ours_.certificate();
  GrpcGreeter greeter;
  int port = 0;
  const auto server = ServeByGrpcpp(greeter, grpc::SslServerCredentials(options), &port);
  ASSERT_NE(server, nullptr);

  weir::TlsChannelOptions tls;
  tls.roots = weir::TlsPem::Memory(ours_.certificate());
  if (row.client_has_one) tls.key_pair = KeyPairOf(client_);
  EXPECT_THAT(AskByWeir(port, weir::TlsChannelCredentials(tls), row.authority),
              AllOf(StartsWith("UNAVAILABLE: "), HasSubstr(row.client_says)));
}

TEST_P(TlsBesideGrpcppTest, AServerOfWeirSaysWhatIsWrongWithAClientOfGrpcpp) {
  const Row& row = GetParam();
  Log log;
  WeirGreeter greeter;
  {
    weir::Server server;
    server.AddService(greeter);
    weir::TlsServerOptions options;
    options.key_pair = KeyPairOf(server_);
    options.log = [&log](std::string_view line) { log.Add(line); };
    if (row.server_asks) {
      options.client_certificates = weir::TlsClientCertificates::kRequire;
      options.client_roots = weir::TlsPem::Memory(ours_.certificate());
    }
    ASSERT_TRUE(server.Listen("127.0.0.1:0", weir::TlsServerCredentials(options)).ok());

    grpc::SslCredentialsOptions ssl;
    ssl.pem_root_certs = ours_.certificate();
    ssl.pem_cert_chain = client_.chain;
    ssl.pem_private_key = client_.key;
    const grpc::Status status = AskByGrpcpp(server.port(), grpc::SslCredentials(ssl), row.authority);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
  }
  EXPECT_THAT(log.lines(), HasSubstr(row.server_logs));
}

INSTANTIATE_TEST_SUITE_P(All, TlsBesideGrpcppTest, ::testing::ValuesIn(Rows()),
                         [](const auto& test) { return test.param.name; });

// ---- plaintext and TLS mixed up -------------------------------------------------------------------------------------

class MixedUpTest : public ::testing::Test {
 protected:
  TestAuthority ours_{"Test CA"};
  const TestCertificate certificate_ = ours_.Issue({});
};

TEST_F(MixedUpTest, AClientOfWeirIsToldOfItByServersOfGrpcpp) {
  GrpcGreeter greeter;
  int plain_port = 0;
  const auto plain = ServeByGrpcpp(greeter, grpc::InsecureServerCredentials(), &plain_port);
  weir::TlsChannelOptions tls;
  tls.roots = weir::TlsPem::Memory(ours_.certificate());
  EXPECT_THAT(AskByWeir(plain_port, weir::TlsChannelCredentials(tls)),
              AllOf(StartsWith("UNAVAILABLE: "), HasSubstr("expected a TLS handshake, got plaintext HTTP/2")));

  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({certificate_.key, certificate_.chain});
  int tls_port = 0;
  const auto secured = ServeByGrpcpp(greeter, grpc::SslServerCredentials(options), &tls_port);
  EXPECT_THAT(AskByWeir(tls_port, weir::InsecureChannelCredentials()), StartsWith("UNAVAILABLE: "));
}

TEST_F(MixedUpTest, AServerOfWeirRefusesClientsOfGrpcpp) {
  Log log;
  WeirGreeter greeter;
  {
    weir::Server server;
    server.AddService(greeter);
    weir::TlsServerOptions options;
    options.key_pair = KeyPairOf({certificate_.chain, certificate_.key});
    options.log = [&log](std::string_view line) { log.Add(line); };
    ASSERT_TRUE(server.Listen("127.0.0.1:0", weir::TlsServerCredentials(options)).ok());
    EXPECT_EQ(AskByGrpcpp(server.port(), grpc::InsecureChannelCredentials()).error_code(),
              grpc::StatusCode::UNAVAILABLE);
  }
  EXPECT_THAT(log.lines(), HasSubstr("expected a TLS handshake, got plaintext HTTP/2: the client does not use TLS"));

  weir::Server plain;
  plain.AddService(greeter);
  ASSERT_TRUE(plain.Listen("127.0.0.1:0", weir::InsecureServerCredentials()).ok());
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = ours_.certificate();
  EXPECT_EQ(AskByGrpcpp(plain.port(), grpc::SslCredentials(ssl)).error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace golden::greeter::v1
