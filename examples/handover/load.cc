// Calls a greeter until its standard input ends: on one channel, and with a new connection for each call.
#include <atomic>
#include <iostream>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "examples/hello/hello.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/core/why.h"

namespace {

class Load {
 public:
  explicit Load(std::string target) : target_(std::move(target)) {}

  void KeepChannel() {
    weir::Channel channel(target_, weir::InsecureChannelCredentials());
    while (!stop_) Call(channel);
  }
  void ConnectForEachCall() {
    while (!stop_) {
      weir::Channel channel(target_, weir::InsecureChannelCredentials());
      Call(channel);
    }
  }
  void Stop() { stop_ = true; }

  bool Report() {
    std::cout << servers_.size() << " servers have answered, " << failed_ << " calls have failed" << std::endl;
    return failed_ == 0;
  }

 private:
  void Call(weir::Channel& channel) {
    hello::HelloRequest request;
    request.set_name("you");
    absl::StatusOr<hello::HelloReply> reply = hello::GreeterClient(channel).SayHello(request).Wait();
    std::lock_guard lock(mutex_);
    if (reply.ok()) {
      servers_.insert(reply->message());
    } else {
      ++failed_;
      std::cerr << weir::Explain(reply.status()) << "\n";
    }
  }

  const std::string target_;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::set<std::string> servers_;
  int failed_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  Load load(argc > 1 ? argv[1] : "localhost:50051");
  std::vector<std::thread> threads;
  threads.emplace_back([&load] { load.KeepChannel(); });
  threads.emplace_back([&load] { load.ConnectForEachCall(); });
  while (std::cin.get() != EOF) {
  }
  load.Stop();
  for (std::thread& thread : threads) thread.join();
  return load.Report() ? 0 : 1;
}
