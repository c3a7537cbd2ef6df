// A user's service, served and called in one program.
#include <gtest/gtest.h>

#include <string>

#include "greeter.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/server/server.h"

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

}  // namespace
}  // namespace consumer
