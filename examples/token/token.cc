// Calls on behalf of somebody: credentials that fetch a token, keep it, and fetch another one when it is about to
// expire.
//
//   bazel run //examples/token
#include <iostream>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "examples/hello/hello.weir.pb.h"
#include "examples/token/refreshing_token.h"
#include "weir/rpc/client/call_credentials/access_token.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/core/why.h"
#include "weir/rpc/in_process/in_process.h"
#include "weir/rpc/server/server.h"

namespace {

using hello::HelloReply;
using hello::HelloRequest;

// Says by which token it was asked.
class Greeter final : public hello::GreeterService {
 public:
  weir::Task<absl::StatusOr<HelloReply>> SayHello(weir::ServerContext& context, const HelloRequest& who) override {
    const std::string token(context.metadata().Get("authorization").value_or("no token"));
    if (token != "Bearer token 1" && token != "Bearer token 2") {
      co_return absl::UnauthenticatedError("expected token 1 or 2, got " + token);
    }
    HelloReply reply;
    reply.set_message("Hello, " + who.name() + ", by " + token);
    co_return reply;
  }
};

// In place of a token server: each token is good for an hour, but the first one for a minute.
weir::Task<absl::StatusOr<token::Token>> Fetch(std::string service_url) {
  static int fetched = 0;
  ++fetched;
  std::cout << "a token for " << service_url << ", please: token " << fetched << std::endl;
  co_return token::Token{.value = "token " + std::to_string(fetched),
                         .good_until = absl::Now() + (fetched == 1 ? absl::Minutes(1) : absl::Hours(1))};
}

void Ask(hello::GreeterClient greeter, const std::string& name,
         const weir::CallOptions& options = weir::CallOptions()) {
  HelloRequest request;
  request.set_name(name);
  const absl::StatusOr<HelloReply> reply = greeter.SayHello(request, options).Wait();
  std::cout << name << ": " << (reply.ok() ? reply->message() : weir::Explain(reply.status())) << std::endl;
}

}  // namespace

int main() {
  Greeter service;
  weir::Server server;
  server.AddService(service);
  weir::Channel channel(weir::InProcess(server));
  const hello::GreeterClient greeter(channel);

  const auto credentials = std::make_shared<token::RefreshingToken>(Fetch, absl::Minutes(5));
  const weir::CallOptions as_us = weir::CallOptions().Credentials(credentials);
  Ask(greeter, "Ada", as_us);
  Ask(greeter, "Bob", as_us);   // the first token has less than five minutes
  Ask(greeter, "Cleo", as_us);  // the second one is kept
  Ask(greeter, "Dan", weir::CallOptions().Credentials(weir::AccessToken("of another")));
  Ask(greeter, "Eve");
  return 0;
}
