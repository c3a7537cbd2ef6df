// Calls all greeters that are registered in etcd, in turn, until its standard input ends. Says who they are whenever
// that changes, and at the end how the calls went.
//
//   client ETCD [TARGET]        client localhost:2379 etcd:///greeters/
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <set>
#include <string>

#include "examples/hello/hello.weir.pb.h"
#include "weir/examples/etcd_resolver/etcd_resolver.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/core/why.h"

namespace {

bool InputHasEnded() {
  pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  char ignored[64];
  return poll(&input, 1, 0) == 1 && read(STDIN_FILENO, ignored, sizeof(ignored)) <= 0;
}

class Caller {
 public:
  explicit Caller(weir::Channel& channel) : greeter_(channel) {}

  void CallFor(std::chrono::milliseconds time) {
    std::set<std::string> answered;
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) Call(&answered);
    if (answered == greeters_) return;
    greeters_ = answered;
    std::cout << "greeters:";
    for (const std::string& name : greeters_) std::cout << " " << name;
    std::cout << std::endl;
  }
  void Report() const {
    std::cout << calls_ << " calls, " << failed_ << " failed, " << safe_ << " of them could have been made again"
              << std::endl;
  }
  int safe() const { return safe_; }

 private:
  void Call(std::set<std::string>* answered) {
    ++calls_;
    absl::StatusOr<hello::HelloReply> reply = greeter_.SayHello(hello::HelloRequest()).Wait();
    if (reply.ok()) {
      answered->insert(reply->message());
      return;
    }
    ++failed_;
    const std::optional<weir::Why> why = weir::WhyOf(reply.status());
    if (why.has_value() && why->SafeToRetry()) ++safe_;
    std::cerr << weir::Explain(reply.status()) << "\n";
  }

  hello::GreeterClient greeter_;
  std::set<std::string> greeters_;
  int calls_ = 0;
  int failed_ = 0;
  int safe_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  weir::Channel etcd(argc > 1 ? argv[1] : "localhost:2379", weir::InsecureChannelCredentials());
  weir::ChannelOptions options;
  options.name_resolvers["etcd"] = EtcdResolver(etcd);
  options.load_balancing.policy = "round_robin";
  weir::Channel channel(argc > 2 ? argv[2] : "etcd:///greeters/", weir::InsecureChannelCredentials(), options);
  Caller caller(channel);
  while (!InputHasEnded()) caller.CallFor(std::chrono::milliseconds(200));
  caller.Report();
  return caller.safe() == 0 ? 0 : 1;
}
