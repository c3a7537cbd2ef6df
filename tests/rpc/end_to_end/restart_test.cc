// Servers are replaced under load, a hundred times, and no call fails.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "weir/rpc/core/why.h"
#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir {
namespace {

using bench::EchoClient;
using testing::Body;
using testing::EchoServer;
using testing::IsOk;

constexpr int kRestarts = 100;

// A server that listens on a copy of a socket that outlives it: no connection is refused between two of them.
class Generation {
 public:
  explicit Generation(int listening) {
    server.AddService(service);
    const int copy = dup(listening);
    EXPECT_THAT(server.ListenOn(copy, InsecureServerCredentials()), IsOk());
  }
  testing::EchoService service;
  Server server{EchoServer::Threads(1)};
};

// Calls by several threads on one channel, one after the other on each, until it is destroyed.
class Load {
 public:
  Load(const std::string& target, int threads) : channel_(target, InsecureChannelCredentials()) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
  }
  ~Load() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  void WaitForMore(int calls) { done_.WaitFor(done_.value() + calls); }
  int failed() const { return failed_; }

 private:
  void Run() {
    EchoClient client(channel_);
    while (!stop_) {
      const absl::Status status = client.Unary(Body("x")).Wait().status();
      if (!status.ok() && failed_++ == 0) ADD_FAILURE() << Explain(status);
      done_.Add();
    }
  }

  Channel channel_;
  testing::Counter done_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> failed_ = 0;
  std::vector<std::thread> threads_;
};

int ListeningSocket(std::string* address) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in bound{};
  bound.sin_family = AF_INET;
  bound.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(bound);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&bound), length), 0);
  EXPECT_EQ(listen(fd, 100), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length), 0);
  *address = "127.0.0.1:" + std::to_string(ntohs(bound.sin_port));
  return fd;
}

TEST(RestartTest, HundredRestartsUnderLoadLoseNoCall) {
  std::string address;
  const int listening = ListeningSocket(&address);
  auto serving = std::make_unique<Generation>(listening);
  {
    Load load(address, 4);
    for (int i = 0; i < kRestarts; ++i) {
      load.WaitForMore(20);
      auto next = std::make_unique<Generation>(listening);
      EXPECT_THAT(serving->server.Drain(absl::Seconds(30)), IsOk());
      serving = std::move(next);
    }
    load.WaitForMore(20);
    EXPECT_EQ(load.failed(), 0);
  }
  close(listening);
}

}  // namespace
}  // namespace weir
