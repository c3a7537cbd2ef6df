// Call credentials between weir and grpc++, both ways.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "tests/golden/greeter.grpc.pb.h"
#include "tests/golden/greeter.weir.pb.h"
#include "weir/rpc/client/call_credentials/access_token.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/client/tls_credentials.h"
#include "weir/rpc/server/server.h"
#include "weir/rpc/server/tls_credentials.h"
#include "weir/tests/support/test_certificates.h"

namespace golden::greeter::v1 {
namespace {

struct Certificates {
  weir::testing::TestAuthority authority{"Test CA"};
  weir::testing::TestCertificate server = authority.Issue({});
};

HelloRequest From(const std::string& name) {
  HelloRequest request;
  request.set_name(name);
  return request;
}

// grpc++'s own way to look at credentials: consumes the token, and says who it is for.
class Checker final : public grpc::AuthMetadataProcessor {
 public:
  bool IsBlocking() const override { return false; }
  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext* context, OutputMetadata* consumed,
                       OutputMetadata*) override {
    const auto token = metadata.find("authorization");
    if (token == metadata.end()) return {grpc::StatusCode::UNAUTHENTICATED, "no token"};
    if (token->second != "Bearer good") return {grpc::StatusCode::UNAUTHENTICATED, "bad token"};
    consumed->emplace("authorization", "Bearer good");
    context->AddProperty("user", "ada");
    context->SetPeerIdentityPropertyName("user");
    return grpc::Status::OK;
  }
};

class GrpcGreeter final : public Greeter::Service {
  grpc::Status SayHello(grpc::ServerContext* context, const HelloRequest*, HelloReply* reply) override {
    const auto identity = context->auth_context()->GetPeerIdentity();
    reply->set_message(identity.empty() ? "nobody" : std::string(identity[0].data(), identity[0].size()));
    return grpc::Status::OK;
  }
};

TEST(CallCredentialsBesideGrpcpp, AServerOfGrpcppReadsWhatWeirSends) {
  Certificates certificates;
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({certificates.server.key, certificates.server.chain});
  const auto credentials = grpc::SslServerCredentials(options);
  credentials->SetAuthMetadataProcessor(std::make_shared<Checker>());
  GrpcGreeter greeter;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", credentials, &port);
  builder.RegisterService(&greeter);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);

  weir::TlsChannelOptions tls;
  tls.roots = weir::TlsPem::Memory(certificates.authority.certificate());
  weir::Channel channel("127.0.0.1:" + std::to_string(port), weir::TlsChannelCredentials(tls));
  GreeterClient client(channel);
  const auto ask = [&client](const weir::CallOptions& call) {
    const absl::StatusOr<HelloReply> reply = client.SayHello(From("x"), call).Wait();
    return reply.ok() ? reply->message() : reply.status().ToString().substr(0, 27);
  };
  EXPECT_EQ(ask(weir::CallOptions().Credentials(weir::AccessToken("good"))), "ada");
  EXPECT_EQ(ask(weir::CallOptions().Credentials(weir::AccessToken("stolen"))), "UNAUTHENTICATED: bad token ");
  EXPECT_EQ(ask(weir::CallOptions()), "UNAUTHENTICATED: no token [");
}

class WeirGreeter final : public GreeterService {
  weir::Task<absl::StatusOr<HelloReply>> SayHello(weir::ServerContext& context, const HelloRequest&) override {
    HelloReply reply;
    for (std::string_view key : {"authorization", "x-url", "x-method"}) {
      reply.set_message(reply.message() + std::string(context.metadata().Get(key).value_or("-")) + "|");
    }
    co_return reply;
  }
};

// What grpc++ tells a plugin of a call.
class Plugin final : public grpc::MetadataCredentialsPlugin {
 public:
  grpc::Status GetMetadata(grpc::string_ref service_url, grpc::string_ref method_name, const grpc::AuthContext&,
                           std::multimap<grpc::string, grpc::string>* metadata) override {
    metadata->emplace("x-url", std::string(service_url.data(), service_url.size()));
    metadata->emplace("x-method", std::string(method_name.data(), method_name.size()));
    return grpc::Status::OK;
  }
};

// The same of weir.
class SamePlugin final : public weir::CallCredentials {
 public:
  weir::Task<absl::StatusOr<weir::Metadata>> GetMetadata(const weir::CredentialsRequest& request) override {
    weir::Metadata metadata;
    metadata.Add("x-url", request.service_url());
    metadata.Add("x-method", request.method_name());
    co_return metadata;
  }
};

TEST(CallCredentialsBesideGrpcpp, AServerOfWeirSeesTheSameFromBoth) {
  Certificates certificates;
  WeirGreeter greeter;
  weir::Server server;
  server.AddService(greeter);
  weir::TlsServerOptions options;
  options.key_pair = {weir::TlsPem::Memory(certificates.server.chain), weir::TlsPem::Memory(certificates.server.key)};
  ASSERT_TRUE(server.Listen("127.0.0.1:0", weir::TlsServerCredentials(options)).ok());
  const std::string target = "127.0.0.1:" + std::to_string(server.port());

  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = certificates.authority.certificate();
  const auto stub = Greeter::NewStub(grpc::CreateChannel(
      target, grpc::CompositeChannelCredentials(grpc::SslCredentials(ssl), grpc::AccessTokenCredentials("token"))));
  grpc::ClientContext context;
  context.set_credentials(grpc::MetadataCredentialsFromPlugin(std::make_unique<Plugin>()));
  HelloReply theirs;
  const grpc::Status status = stub->SayHello(&context, From("x"), &theirs);
  ASSERT_TRUE(status.ok()) << status.error_message();

  weir::TlsChannelOptions tls;
  tls.roots = weir::TlsPem::Memory(certificates.authority.certificate());
  weir::Channel channel(
      target, weir::CompositeChannelCredentials(weir::TlsChannelCredentials(tls), weir::AccessToken("token")));
  GreeterClient client(channel);
  const absl::StatusOr<HelloReply> ours =
      client.SayHello(From("x"), weir::CallOptions().Credentials(std::make_shared<SamePlugin>())).Wait();
  ASSERT_TRUE(ours.ok()) << ours.status();
  EXPECT_EQ(ours->message(), theirs.message());
  EXPECT_EQ(ours->message(), "Bearer token|https://" + target + "/golden.greeter.v1.Greeter|SayHello|");
}

}  // namespace
}  // namespace golden::greeter::v1
