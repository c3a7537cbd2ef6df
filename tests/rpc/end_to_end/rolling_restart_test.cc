// Three servers behind one channel are restarted one after the other, again and again, under full load, and no call
// fails: each says where it ends (GOAWAY in two steps), the others serve meanwhile, and it is found again.
//
//   WEIR_ROLLING_RESTARTS=100 bazel-bin/tests/rpc/end_to_end/rolling_restart_test       # instead of a few
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "weir/rpc/core/why.h"
#include "weir/tests/rpc/end_to_end/harness.h"
#include "weir/transport/io/blocking_executor.h"

namespace weir {
namespace {

using bench::EchoClient;
using testing::Body;
using testing::EchoServer;
using testing::IsOk;

constexpr int kServers = 3;
constexpr int kCallsAtATime = 64;

int Restarts() {
  const char* const wanted = getenv("WEIR_ROLLING_RESTARTS");
  return wanted == nullptr ? 10 : std::max(1, atoi(wanted));
}

// A port that is this test's while nobody listens on it, too: bound, so that the system gives it to no other socket,
// not even to one that is connecting to it, which would talk to itself.
class Port {
 public:
  Port() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int one = 1;
    EXPECT_EQ(setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
    sockaddr_in bound{};
    bound.sin_family = AF_INET;
    bound.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(bound);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&bound), length), 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&bound), &length), 0);
    address_ = absl::StrCat("127.0.0.1:", ntohs(bound.sin_port));
  }
  ~Port() { close(fd_); }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  const std::string& address() const { return address_; }

 private:
  const int fd_;
  std::string address_;
};

// A member of the fleet: one server after the other, at one address.
class Member {
 public:
  Member() { Start(); }

  const std::string& address() const { return port_.address(); }
  void Start() {
    serving_ = std::make_unique<Serving>();
    EXPECT_THAT(serving_->server.Listen(address(), InsecureServerCredentials()), IsOk());
  }
  void Drain() {
    EXPECT_THAT(serving_->server.Drain(absl::Seconds(30)), IsOk());
    serving_.reset();
  }
  void WaitForCalls(int count) { serving_->service.started.WaitFor(count); }

 private:
  struct Serving {
    Serving() { server.AddService(service); }
    testing::EchoService service;
    Server server{EchoServer::Threads(1)};
  };

  const Port port_;
  std::unique_ptr<Serving> serving_;
};

using Members = std::array<Member, kServers>;

std::vector<std::string> Addresses(const Members& members, const Member* without = nullptr) {
  std::vector<std::string> addresses;
  for (const Member& member : members) {
    if (&member != without) addresses.push_back(member.address());
  }
  return addresses;
}

// As many calls as go through, so many at a time, until it is destroyed.
class Load {
 public:
  Load(const std::string& target, ChannelOptions options)
      : channel_(target, InsecureChannelCredentials(), std::move(options)), client_(channel_) {
    channel_.Run(Start(*this));
  }
  ~Load() { Stop(); }

  void Stop() {
    if (std::exchange(stopped_, true)) return;
    channel_.Run(End(*this));
    ended_.RunUntilDone();
  }
  // When it has stopped.
  int calls() const { return calls_; }
  int failed() const { return failed_; }

 private:
  static Task<void> Start(Load& load) {
    load.running_ = kCallsAtATime;
    for (int i = 0; i < kCallsAtATime; ++i) Spawn(Call(load));
    co_return;
  }
  static Task<void> End(Load& load) {
    load.ends_ = true;
    co_return;
  }
  static Task<void> Call(Load& load) {
    const bench::Payload request = Body("0123456789abcdef");
    while (!load.ends_) {
      auto call = load.client_.Unary(request);
      const absl::StatusOr<bench::Payload> reply = co_await call;
      ++load.calls_;
      if (!reply.ok() && load.failed_++ < 10) ADD_FAILURE() << Explain(reply.status());
    }
    if (--load.running_ == 0) load.ended_.Finish();
  }

  Channel channel_;
  EchoClient client_;
  transport::BlockingExecutor ended_;
  bool stopped_ = false;
  // On the channel's loop.
  bool ends_ = false;
  int running_ = 0;
  int calls_ = 0;
  int failed_ = 0;
};

// A fleet is restarted with patience: the next server goes when the one before it serves calls again. Its address is
// tried again after a pause, which would otherwise be a second.
ChannelOptions Balanced() {
  ChannelOptions options;
  options.load_balancing = {.policy = "round_robin", .config = {}};
  options.backoff_initial = absl::Milliseconds(20);
  options.file_poll = absl::Milliseconds(5);
  return options;
}

void ExpectNoCallFailed(Load& load) {
  load.Stop();
  EXPECT_EQ(load.failed(), 0);
  printf("%d rolling restarts of %d servers: %d calls, %d failed\n", Restarts(), kServers, load.calls(), load.failed());
}

TEST(RollingRestartTest, ServersThatAreRestartedOneAfterTheOtherLoseNoCall) {
  Members members;
  Load load("ipv4:" + absl::StrJoin(Addresses(members), ","), Balanced());
  for (Member& member : members) member.WaitForCalls(10);
  for (int i = 0; i < Restarts(); ++i) {
    for (Member& member : members) {
      member.Drain();
      member.Start();
      member.WaitForCalls(10);
    }
  }
  ExpectNoCallFailed(load);
}

TEST(RollingRestartTest, ServersWhoseAddressesAreTakenOutOfAFileMeanwhileLoseNoCall) {
  char folder[] = "/tmp/weir-rolling-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string file = absl::StrCat(folder, "/addresses");
  const auto write = [&file](const std::vector<std::string>& addresses) {
    std::ofstream(file + ".new") << absl::StrJoin(addresses, "\n");
    EXPECT_EQ(rename((file + ".new").c_str(), file.c_str()), 0);
  };
  {
    Members members;
    write(Addresses(members));
    Load load("file:" + file, Balanced());
    for (Member& member : members) member.WaitForCalls(10);
    for (int i = 0; i < Restarts(); ++i) {
      for (Member& member : members) {
        write(Addresses(members, &member));  // whether the channel has read it or not
        member.Drain();
        member.Start();
        write(Addresses(members));
        member.WaitForCalls(10);
      }
    }
    ExpectNoCallFailed(load);
  }
  EXPECT_EQ(unlink(file.c_str()), 0);
  EXPECT_EQ(rmdir(folder), 0);
}

}  // namespace
}  // namespace weir
