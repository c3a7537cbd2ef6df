// Details between weir and grpc++, both ways: the same bytes.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/golden/greeter.grpc.pb.h"
#include "tests/golden/greeter.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/details/status_details.h"
#include "weir/rpc/server/server.h"

namespace golden::greeter::v1 {
namespace {

using google::rpc::BadRequest;

BadRequest NameIsMissing() {
  BadRequest bad;
  auto* violation = bad.add_field_violations();
  violation->set_field("name");
  violation->set_description("is missing");
  return bad;
}

std::string EncodedByHand() {
  google::rpc::Status status;
  status.set_code(3);
  status.set_message("nobody to greet");
  status.add_details()->PackFrom(NameIsMissing());
  return status.SerializeAsString();
}

class GrpcGreeter final : public Greeter::Service {
  grpc::Status SayHello(grpc::ServerContext*, const HelloRequest*, HelloReply*) override {
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "nobody to greet", EncodedByHand());
  }
};

class WeirGreeter final : public GreeterService {
  weir::Task<absl::StatusOr<HelloReply>> SayHello(weir::ServerContext&, const HelloRequest&) override {
    co_return weir::WithDetail(absl::InvalidArgumentError("nobody to greet"), NameIsMissing());
  }
};

TEST(DetailsBesideGrpcpp, DetailsOfAServerOfGrpcppAreReadByWeir) {
  GrpcGreeter greeter;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&greeter);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);

  weir::Channel channel("127.0.0.1:" + std::to_string(port), weir::InsecureChannelCredentials());
  GreeterClient client(channel);
  const absl::StatusOr<HelloReply> reply = client.SayHello(HelloRequest()).Wait();
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(weir::EncodedDetails(reply.status()), EncodedByHand());
  const auto bad = weir::GetDetail<BadRequest>(reply.status());
  ASSERT_TRUE(bad.has_value());
  EXPECT_EQ(bad->field_violations(0).description(), "is missing");
}

TEST(DetailsBesideGrpcpp, DetailsOfAServerOfWeirAreReadByGrpcpp) {
  WeirGreeter greeter;
  weir::Server server;
  server.AddService(greeter);
  ASSERT_TRUE(server.Listen("127.0.0.1:0", weir::InsecureServerCredentials()).ok());

  const std::unique_ptr<Greeter::Stub> stub = Greeter::NewStub(
      grpc::CreateChannel("127.0.0.1:" + std::to_string(server.port()), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  HelloReply reply;
  const grpc::Status status = stub->SayHello(&context, HelloRequest(), &reply);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "nobody to greet");
  EXPECT_EQ(status.error_details(), EncodedByHand());
}

}  // namespace
}  // namespace golden::greeter::v1
