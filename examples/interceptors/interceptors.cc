// Three interceptors around the calls of a small service: a log on both sides, tokens, metrics.
//
//   bazel run //examples/interceptors
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "examples/hello/hello.weir.pb.h"
#include "examples/interceptors/logging.h"
#include "examples/interceptors/metrics.h"
#include "examples/interceptors/token.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/server/server.h"

namespace {

class Greeter final : public hello::GreeterService {
  weir::Task<absl::StatusOr<hello::HelloReply>> SayHello(weir::ServerContext& context,
                                                         const hello::HelloRequest&) override {
    hello::HelloReply reply;
    reply.set_message("Hello, " + std::string(context.metadata().Get("user").value_or("stranger")));
    co_return reply;
  }
};

std::string UserOf(std::string_view token) { return token == "open sesame" ? "Ali" : ""; }

// A real one would keep a token until it expires, and await a call that fetches the next.
weir::Task<absl::StatusOr<std::string>> Token() { co_return "open sesame"; }

// Called by several threads: a line and its end are one write, so that lines do not mix.
void Say(const std::string& line) { std::cout << line + "\n" << std::flush; }

void SayHello(const std::string& target, weir::ChannelOptions options) {
  options.interceptors.insert(
      options.interceptors.begin(),
      std::make_shared<interceptors::Logging>([](const std::string& line) { Say("client: " + line); }));
  weir::Channel channel(target, weir::InsecureChannelCredentials(), options);
  absl::StatusOr<hello::HelloReply> reply = hello::GreeterClient(channel).SayHello(hello::HelloRequest()).Wait();
  Say(reply.ok() ? "answer: " + reply->message() : "no answer: " + reply.status().ToString());
}

}  // namespace

int main() {
  Greeter greeter;
  const auto metrics = std::make_shared<interceptors::Metrics>();
  weir::ServerOptions server_options;
  server_options.interceptors = {metrics, std::make_shared<interceptors::TokenChecker>(UserOf)};
  weir::Server server(server_options);
  server.AddService(greeter);
  absl::Status listening = server.Listen("127.0.0.1:0", weir::InsecureServerCredentials());
  if (!listening.ok()) {
    std::cerr << listening << "\n";
    return 1;
  }
  const std::string target = "127.0.0.1:" + std::to_string(server.port());

  SayHello(target, weir::ChannelOptions());
  weir::ChannelOptions with_token;
  with_token.interceptors = {std::make_shared<interceptors::TokenSender>(Token)};
  SayHello(target, with_token);

  server.Stop();
  std::cout << metrics->Report();
  return 0;
}
