// A user's service, served and called in one program.
#include <gtest/gtest.h>

#include <string>

#include "greeter.weir.mock.h"
#include "greeter.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/server/server.h"
#include "weir/testing/testing.h"

namespace consumer {
namespace {

class PoliteGreeter final : public GreeterService {
  weir::Task<absl::StatusOr<HelloReply>> SayHello(weir::ServerContext& context, const HelloRequest& request) override {
    HelloReply reply;
    reply.set_message("Hello, " + request.name());
    co_return reply;
  }
};

TEST(Consumer, CallsItsOwnServiceOverTcp) {
  PoliteGreeter greeter;
  weir::Server server;
  server.AddService(greeter);
  const absl::Status listening = server.Listen("127.0.0.1:0", weir::InsecureServerCredentials());
  ASSERT_TRUE(listening.ok()) << listening;

  weir::Channel channel("127.0.0.1:" + std::to_string(server.port()), weir::InsecureChannelCredentials());
  HelloRequest request;
  request.set_name("weir");
  const absl::StatusOr<HelloReply> reply = GreeterClient(channel).SayHello(request).Wait();
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->message(), "Hello, weir");
}

TEST(Consumer, TestsItsServiceWithoutANetwork) {
  PoliteGreeter greeter;
  weir::testing::TestServer server(greeter);
  EXPECT_THAT(GreeterClient(server.channel()).SayHello(HelloRequest()).Wait(), weir::testing::IsOk());
}

TEST(Consumer, TestsItsClientsWithoutAService) {
  MockGreeterClient greeter;
  EXPECT_CALL(greeter, SayHello).WillOnce(weir::testing::Fails(absl::NotFoundError("nobody")));
  GreeterClient& client = greeter;
  EXPECT_THAT(client.SayHello(HelloRequest()).Wait(), weir::testing::StatusIs(absl::StatusCode::kNotFound, "nobody"));
}

}  // namespace
}  // namespace consumer
