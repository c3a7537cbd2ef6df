// Calls that are made again: a service config, a server that is busy for a while, and what the caller hears of it.
//
//   bazel run //examples/retry
#include <iostream>
#include <string>

#include "absl/time/time.h"
#include "examples/hello/hello.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/client/service_config/parse_service_config.h"
#include "weir/rpc/core/why.h"
#include "weir/rpc/server/server.h"

namespace {

using hello::HelloReply;
using hello::HelloRequest;

// Too busy for the first two attempts at each call.
class Busy final : public hello::GreeterService {
 public:
  weir::Task<absl::StatusOr<HelloReply>> SayHello(weir::ServerContext& context, const HelloRequest& who) override {
    if (who.name() == "nobody") {
      context.PushBack(absl::InfiniteDuration());  // do not come again
      co_return absl::UnavailableError("closed for ever");
    }
    if (context.previous_attempts() < 2) co_return absl::UnavailableError("busy");
    HelloReply reply;
    reply.set_message("Hello, " + who.name() + ", after " + std::to_string(context.previous_attempts()) + " attempts");
    co_return reply;
  }
};

void Ask(hello::GreeterClient greeter, const std::string& name,
         const weir::CallOptions& options = weir::CallOptions()) {
  HelloRequest request;
  request.set_name(name);
  const absl::StatusOr<HelloReply> reply = greeter.SayHello(request, options).Wait();
  std::cout << name << ": " << (reply.ok() ? reply->message() : weir::Explain(reply.status())) << std::endl;
}

}  // namespace

int main() {
  Busy busy;
  weir::Server server;
  server.AddService(busy);
  if (const absl::Status status = server.Listen("127.0.0.1:0", weir::InsecureServerCredentials()); !status.ok()) {
    std::cerr << status << "\n";
    return 1;
  }

  weir::ChannelOptions options;
  options.service_config = weir::ParseServiceConfig(R"({
    "methodConfig": [{
      "name": [{"service": "hello.Greeter"}],
      "timeout": "30s",
      "retryPolicy": {
        "maxAttempts": 4,
        "initialBackoff": "0.05s",
        "maxBackoff": "1s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"]
      }
    }]
  })");
  weir::Channel channel("127.0.0.1:" + std::to_string(server.port()), weir::InsecureChannelCredentials(), options);
  const hello::GreeterClient greeter(channel);

  Ask(greeter, "Ada");
  Ask(greeter, "nobody");
  Ask(greeter, "Bob, once", weir::CallOptions().NoRetry());
  return 0;
}
