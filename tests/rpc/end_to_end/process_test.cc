// What weir does to its process: descriptors that children do not inherit, signals that never come.
#include <signal.h>
#include <stdio.h>

#include <atomic>
#include <string>

#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir::testing {
namespace {

// The descriptors of a program that this process starts now, one line each, without those of the listing itself.
std::string DescriptorsOfAChild() {
  std::string text;
  FILE* const child = popen("ls -l /proc/$$/fd | sed -n 's/.* \\([0-9]* -> .*\\)/\\1/p'", "re");
  EXPECT_NE(child, nullptr);
  char line[512];
  while (fgets(line, sizeof(line), child) != nullptr) {
    // The shell's pipes to and from `ls` have other numbers each time.
    if (std::string_view(line).find("pipe:") == std::string_view::npos) text += line;
  }
  pclose(child);
  return text;
}

std::atomic<int> sigpipes = 0;

class CountSigPipes {
 public:
  CountSigPipes() {
    sigpipes = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { ++sigpipes; };
    EXPECT_EQ(sigaction(SIGPIPE, &action, &before_), 0);
  }
  ~CountSigPipes() { sigaction(SIGPIPE, &before_, nullptr); }
  CountSigPipes(const CountSigPipes&) = delete;
  CountSigPipes& operator=(const CountSigPipes&) = delete;

 private:
  struct sigaction before_ {};
};

class ProcessTest : public OverTest {};

TEST_P(ProcessTest, ChildrenInheritNoDescriptor) {
  const std::string before = DescriptorsOfAChild();
  EchoServer server(GetParam());
  std::unique_ptr<Channel> channel = server.MakeChannel();
  bench::EchoClient client(*channel);
  ASSERT_THAT(client.Unary(Body("x")).Wait(), IsOk());
  EXPECT_EQ(DescriptorsOfAChild(), before);
}

TEST_P(ProcessTest, NoSigPipeWhenTheClientGoesInTheMiddleOfAnAnswer) {
  CountSigPipes count;
  EchoServer server(GetParam());
  for (int i = 0; i < 10; ++i) {
    std::unique_ptr<Channel> channel = server.MakeChannel();
    bench::EchoClient client(*channel);
    bench::StreamRequest request;
    request.set_count(1'000'000);
    request.set_size(10'000);
    auto call = client.ServerStream(request);
    ASSERT_TRUE(call.Read().Wait().has_value());
    channel.reset();
  }
  server.service.cancelled.WaitFor(10);
  EXPECT_EQ(sigpipes, 0);
}

TEST_P(ProcessTest, NoSigPipeWhenTheServerGoesInTheMiddleOfARequest) {
  CountSigPipes count;
  for (int i = 0; i < 10; ++i) {
    EchoServer server(GetParam());
    std::unique_ptr<Channel> channel = server.MakeChannel();
    bench::EchoClient client(*channel);
    auto call = client.ClientStream();
    const bench::Payload payload = Body(std::string(10'000, 'x'));
    ASSERT_TRUE(call.Write(payload).Wait());
    server.Destroy();
    while (call.Write(payload).Wait()) {
    }
    EXPECT_FALSE(call.Finish().Wait().ok());
  }
  EXPECT_EQ(sigpipes, 0);
}

WEIR_OVER_EACH(ProcessTest);

}  // namespace
}  // namespace weir::testing
