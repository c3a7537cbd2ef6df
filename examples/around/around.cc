// A server that asks two others: nested calls, several at once, patience, and a handler that notices that nobody waits.
//
//   bazel run //examples/around
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "examples/hello/hello.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/core/when.h"
#include "weir/rpc/server/server.h"

namespace {

using hello::GreeterClient;
using hello::HelloReply;
using hello::HelloRequest;

// Called by several threads: a line and its end are one write, so that lines do not mix.
void Say(const std::string& line) { std::cout << line + "\n" << std::flush; }

// Answers at once, except to those who are in no hurry.
class Greeter final : public hello::GreeterService {
 public:
  explicit Greeter(std::string greeting) : greeting_(std::move(greeting)) {}

  weir::Task<absl::StatusOr<HelloReply>> SayHello(weir::ServerContext& context, const HelloRequest& who) override {
    if (who.name() == "nobody") co_return absl::NotFoundError("there is nobody here");
    if (who.name() == "snail") {
      const bool slept = co_await context.Sleep(absl::Hours(1));
      if (!slept) {
        Say(greeting_ + ": nobody waits for my answer any more");
        woken_.set_value();
        co_return absl::CancelledError("woken");
      }
    }
    HelloReply reply;
    reply.set_message(greeting_ + ", " + who.name());
    co_return reply;
  }

  void WaitUntilWoken() { woken_.get_future().wait(); }

 private:
  const std::string greeting_;
  std::promise<void> woken_;  // the program sends one snail to each greeter
};

class Front final : public hello::GreeterService {
 public:
  Front(GreeterClient left, GreeterClient right) : left_(left), right_(right) {}

  weir::Task<absl::StatusOr<HelloReply>> SayHello(weir::ServerContext& context, const HelloRequest& who) override {
    const weir::CallOptions on_behalf = weir::CallOptions().Parent(context);
    auto both = co_await weir::WhenAllOk(left_.SayHello(who, on_behalf), right_.SayHello(who, on_behalf));
    if (!both.ok()) co_return both.status();
    const auto& [left, right] = *both;
    HelloReply reply;
    reply.set_message(left.message() + ". " + right.message() + ".");
    co_return reply;
  }

 private:
  GreeterClient left_;
  GreeterClient right_;
};

// A service on a server of its own, and a channel to it.
class Served {
 public:
  explicit Served(weir::Service& service) {
    server_.AddService(service);
    const absl::Status listening = server_.Listen("127.0.0.1:0", weir::InsecureServerCredentials());
    if (!listening.ok()) std::cerr << listening << "\n";
    weir::ChannelOptions options;
    options.default_timeout = absl::Seconds(30);  // of calls that set none
    channel_ = std::make_unique<weir::Channel>("127.0.0.1:" + std::to_string(server_.port()),
                                               weir::InsecureChannelCredentials(), options);
  }
  GreeterClient client() { return GreeterClient(*channel_); }

 private:
  weir::Server server_;
  std::unique_ptr<weir::Channel> channel_;
};

HelloRequest Named(const std::string& name) {
  HelloRequest request;
  request.set_name(name);
  return request;
}

void Ask(GreeterClient client, const std::string& name, const weir::CallOptions& options = weir::CallOptions()) {
  const absl::StatusOr<HelloReply> reply = client.SayHello(Named(name), options).Wait();
  Say(name + ": " + (reply.ok() ? reply->message() : reply.status().ToString()));
}

}  // namespace

int main() {
  Greeter english("Hello");
  Greeter french("Bonjour");
  Served left(english);
  Served right(french);
  Front service(left.client(), right.client());
  Served front(service);

  Ask(front.client(), "Ada");
  Ask(front.client(), "nobody");
  Ask(front.client(), "snail", weir::CallOptions().Timeout(absl::Milliseconds(100)));
  english.WaitUntilWoken();
  french.WaitUntilWoken();
  return 0;
}
