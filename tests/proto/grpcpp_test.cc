// The code that grpc++ and weir generate for the same files, in one program: no name clashes, and they understand each
// other.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "tests/golden/clashes.grpc.pb.h"
#include "tests/golden/clashes.weir.pb.h"
#include "tests/golden/greeter.grpc.pb.h"
#include "tests/golden/greeter.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/server/server.h"

namespace golden::greeter::v1 {
namespace {

// grpc++ has Greeter::Service, weir has GreeterService.
class GrpcGreeter final : public Greeter::Service {
  grpc::Status SayHello(grpc::ServerContext*, const HelloRequest* request, HelloReply* reply) override {
    reply->set_message("grpc++ greets " + request->name());
    return grpc::Status::OK;
  }
};

class WeirGreeter final : public GreeterService {
  weir::Task<absl::StatusOr<HelloReply>> SayHello(weir::ServerContext&, const HelloRequest& request) override {
    HelloReply reply;
    reply.set_message("weir greets " + request.name());
    co_return reply;
  }
};

HelloRequest Request() {
  HelloRequest request;
  request.set_name("both");
  return request;
}

TEST(BesideGrpcpp, ClientOfWeirCallsServerOfGrpcpp) {
  GrpcGreeter greeter;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&greeter);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);

  weir::Channel channel("127.0.0.1:" + std::to_string(port), weir::InsecureChannelCredentials());
  GreeterClient client(channel);
  const absl::StatusOr<HelloReply> reply = client.SayHello(Request()).Wait();
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  EXPECT_EQ(reply->message(), "grpc++ greets both");
}

TEST(BesideGrpcpp, ClientOfGrpcppCallsServerOfWeir) {
  WeirGreeter greeter;
  weir::Server server;
  server.AddService(greeter);
  ASSERT_TRUE(server.Listen("127.0.0.1:0", weir::InsecureServerCredentials()).ok());

  const std::unique_ptr<Greeter::Stub> stub = Greeter::NewStub(
      grpc::CreateChannel("127.0.0.1:" + std::to_string(server.port()), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  HelloReply reply;
  const grpc::Status status = stub->SayHello(&context, Request(), &reply);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(reply.message(), "weir greets both");
}

// Unix sockets have no host name: each side has to accept what the other puts into :authority.
class OverUnixSockets : public testing::TestWithParam<bool> {
 protected:
  // A socket's name that nobody else has.
  static std::string Address() {
    const std::string name = "weir-grpcpp-test-" + std::to_string(getpid());
    return GetParam() ? "unix-abstract:" + name : "unix:/tmp/" + name;
  }
};
INSTANTIATE_TEST_SUITE_P(FileAndAbstract, OverUnixSockets, testing::Values(false, true));

TEST_P(OverUnixSockets, ClientOfWeirCallsServerOfGrpcpp) {
  GrpcGreeter greeter;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(Address(), grpc::InsecureServerCredentials());
  builder.RegisterService(&greeter);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);

  weir::Channel channel(Address(), weir::InsecureChannelCredentials());
  const absl::StatusOr<HelloReply> reply = GreeterClient(channel).SayHello(Request()).Wait();
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
}

TEST_P(OverUnixSockets, ClientOfGrpcppCallsServerOfWeir) {
  WeirGreeter greeter;
  weir::Server server;
  server.AddService(greeter);
  const absl::Status listening = server.Listen(Address(), weir::InsecureServerCredentials());
  ASSERT_TRUE(listening.ok()) << listening.ToString();

  // What grpc++ makes of the address by itself, and percent-encoded paths, which other versions send.
  for (const std::string authority : {"", "localhost", "%2Ftmp%2Fweir.sock"}) {
    grpc::ChannelArguments arguments;
    if (!authority.empty()) arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, authority);
    const std::unique_ptr<Greeter::Stub> stub =
        Greeter::NewStub(grpc::CreateCustomChannel(Address(), grpc::InsecureChannelCredentials(), arguments));
    grpc::ClientContext context;
    HelloReply reply;
    const grpc::Status status = stub->SayHello(&context, Request(), &reply);
    EXPECT_TRUE(status.ok()) << authority << ": " << status.error_message();
  }
}

}  // namespace
}  // namespace golden::greeter::v1

namespace golden::clashes {
namespace {

TEST(BesideGrpcpp, ServicesNamedLikeOurClassesHaveBoth) {
  EXPECT_STREQ(OtherService::service_full_name(), "golden.clashes.OtherService");  // grpc++
  EXPECT_EQ(OtherService_::kServiceName, "golden.clashes.Other");
  EXPECT_EQ(OtherServiceService::kServiceName, "golden.clashes.OtherService");
}

}  // namespace
}  // namespace golden::clashes
