// fork without exec (transport/io/README.md): safe as long as nothing of weir has been started, as servers do that share
// a listening socket between processes.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>

#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir::testing {
namespace {

// A process of its own, which ends with what `work` returns; 60 s at most.
pid_t Fork(const std::function<bool()>& work) {
  const pid_t child = fork();
  EXPECT_GE(child, 0);
  if (child != 0) return child;
  alarm(60);
  _exit(work() ? 0 : 1);
}

int ExitOf(pid_t child) {
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool Calls(const std::string& address) {
  Channel channel(address, InsecureChannelCredentials());
  return bench::EchoClient(channel).Unary(Body("x"), CallOptions().WaitForReady()).Wait().ok();
}

// A socket that listens, made without weir, and its address.
int ListeningSocket(std::string* address) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(any);
  EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof(any)), 0);
  EXPECT_EQ(listen(fd, 10), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&any), &size), 0);
  *address = "127.0.0.1:" + std::to_string(ntohs(any.sin_port));
  return fd;
}

// First: from the second test on this process has run loops.
TEST(ForkTest, ProcessesThatShareASocketServeAndStopEachByItself) {
  std::string address;
  const int fd = ListeningSocket(&address);
  EchoService service;
  Server server(EchoServer::Threads(1));  // not started: each child has its own
  server.AddService(service);
  struct Child {
    std::array<int, 2> stop{};  // a pipe
    pid_t pid = 0;
  };
  std::array<Child, 2> children;
  for (Child& child : children) {
    ASSERT_EQ(pipe(child.stop.data()), 0);
    child.pid = Fork([&] {
      char octet = 0;
      return server.ListenOn(fd, InsecureServerCredentials()).ok() && read(child.stop[0], &octet, 1) == 1 &&
             server.Drain(absl::Seconds(10)).ok();
    });
  }
  close(fd);
  // Only now does this process begin to use weir. One of the children that is left answers.
  EXPECT_TRUE(Calls(address));
  for (const Child& child : children) {
    EXPECT_TRUE(Calls(address));
    EXPECT_EQ(write(child.stop[1], "x", 1), 1);
    EXPECT_EQ(ExitOf(child.pid), 0);
  }
}

TEST(ForkTest, AChildAndItsParentServeAndCallEachByItself) {
  EchoService service;
  Server server(EchoServer::Threads(1));
  server.AddService(service);
  const auto serve_and_call = [&server] {
    return server.Listen("127.0.0.1:0", InsecureServerCredentials()).ok() && Calls(server.addresses()[0]);
  };
  const pid_t child = Fork(serve_and_call);
  EXPECT_TRUE(serve_and_call());
  EXPECT_EQ(ExitOf(child), 0);
}

}  // namespace
}  // namespace weir::testing
