// nginx and haproxy between a client and a server of ours: calls of all kinds, and what proxies do to connections.
#include <signal.h>

#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "weir/rpc/client/generic_client.h"
#include "weir/rpc/core/why.h"
#include "weir/tests/interop/daemon.h"
#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir {
namespace {

using bench::EchoClient;
using bench::Payload;
using bench::StreamRequest;
using bench::Summary;
using testing::Body;
using testing::Daemon;
using testing::EchoServer;
using testing::Folder;
using testing::IsOk;
using testing::Over;
using testing::StatusIs;

struct Proxy {
  std::string name;
  std::string config;                // beside this file
  std::vector<std::string> command;  // in the folder of its configuration
  std::string ready;
  int reload_signal;
  std::string reloading;
};

const Proxy kProxies[] = {
    // -e: where it says what is wrong before it has read its configuration
    {"nginx",
     "nginx.conf",
     {"/usr/sbin/nginx", "-p", ".", "-c", "nginx.conf", "-e", "stderr"},
     "start worker process",
     SIGHUP,
     "reconfiguring"},
    {"haproxy",
     "haproxy.cfg",
     {"/usr/sbin/haproxy", "-W", "-f", "haproxy.cfg"},
     "Loading success",
     SIGUSR2,
     "Reloading HAProxy"},
};

std::string Configuration(const Proxy& proxy, const std::string& folder, const std::string& backend) {
  std::ostringstream text;
  text << std::ifstream("tests/interop/proxies/" + proxy.config).rdbuf();
  return absl::StrReplaceAll(text.str(), {{"FOLDER", folder}, {"BACKEND", backend}});
}

class ProxyTest : public ::testing::TestWithParam<Proxy> {
 protected:
  ProxyTest() {
    const Proxy& proxy = GetParam();
    const std::string backend = backend_.target().substr(std::string("unix:").size());
    folder_.Write(proxy.config, Configuration(proxy, folder_.path(), backend));
    daemon_ = std::make_unique<Daemon>(folder_.path(), proxy.command, proxy.ready);
    channel_ = Connect("front");
  }
  ~ProxyTest() override { channel_.reset(); }

  std::unique_ptr<Channel> Connect(const std::string& socket) {
    ChannelOptions options;
    options.default_timeout = absl::Seconds(30);
    return std::make_unique<Channel>("unix:" + folder_.path() + "/" + socket, InsecureChannelCredentials(), options);
  }

  // A call that succeeds, made again if nobody has processed it. Returns which process of the proxy has passed it on.
  std::string CallUntilProcessed() {
    for (;;) {
      auto call = EchoClient(*channel_).Unary(Body("x"));
      const Metadata initial = call.InitialMetadata().Wait();
      const absl::StatusOr<Payload> reply = call.Wait();
      if (reply.ok()) return std::string(initial.Get("x-worker").value_or("none"));
      const std::optional<Why> why = WhyOf(reply.status());
      if (why.has_value() && why->SafeToRetry()) continue;
      ADD_FAILURE() << Explain(reply.status());
      return "none";
    }
  }

  EchoServer backend_{Over::kUnix};
  const Folder folder_;
  std::unique_ptr<Daemon> daemon_;
  std::unique_ptr<Channel> channel_;
};

TEST_P(ProxyTest, AllKindsOfCallsPass) {
  EchoClient client(*channel_);
  const std::string large(3 << 20, 'x');
  EXPECT_EQ(client.Unary(Body(large)).Wait().value_or(Payload()).body(), large);

  StreamRequest wanted;
  wanted.set_count(1000);
  wanted.set_size(5000);
  auto listing = client.ServerStream(wanted);
  int listed = 0;
  while (std::optional<Payload> payload = listing.Read().Wait()) {
    EXPECT_EQ(payload->body().size(), 5000u);
    ++listed;
  }
  EXPECT_EQ(listed, 1000);
  EXPECT_THAT(listing.Finish().Wait(), IsOk());

  auto upload = client.ClientStream();
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(upload.Write(Body(std::string(5000, 'y'))).Wait());
  const absl::StatusOr<Summary> summary = upload.Finish().Wait();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->bytes(), 5'000'000u);

  auto chat = client.BidiEcho();
  for (int i = 0; i < 100; ++i) {
    const std::string text = std::to_string(i);
    ASSERT_TRUE(chat.Write(Body(text)).Wait());
    const std::optional<Payload> echo = chat.Read().Wait();
    ASSERT_TRUE(echo.has_value()) << chat.Finish().Wait();
    EXPECT_EQ(echo->body(), text);
  }
  chat.WritesDone();
  EXPECT_FALSE(chat.Read().Wait().has_value());
  EXPECT_THAT(chat.Finish().Wait(), IsOk());
}

TEST_P(ProxyTest, StatusesPassToTheLetter) {
  EXPECT_THAT(EchoClient(*channel_).Unary(Body("fail")).Wait(), StatusIs(absl::StatusCode::kNotFound, "no such thing"));
  EXPECT_THAT(GenericClient(*channel_).Unary("/bench.Echo/Nothing", Bytes()).Wait(),
              StatusIs(absl::StatusCode::kUnimplemented));
}

TEST_P(ProxyTest, CancellationAndDeadlineReachTheHandler) {
  EchoClient client(*channel_);
  StreamRequest endless;  // a request that has ended: haproxy ends it before it resets it
  endless.set_count(1'000'000'000);
  endless.set_size(1000);
  auto cancelled = client.ServerStream(endless);
  ASSERT_TRUE(cancelled.Read().Wait().has_value());
  cancelled.Cancel();
  backend_.service.cancelled.WaitFor(1);
  auto late = client.BidiEcho(CallOptions().Timeout(absl::Milliseconds(300)));
  EXPECT_FALSE(late.Read().Wait().has_value());
  EXPECT_THAT(late.Finish().Wait(), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_P(ProxyTest, WithoutABackendItsHttpStatusIsUnavailable) {
  const absl::Status status = GenericClient(*channel_).Unary("/nobody.Home/Open", Bytes()).Wait().status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Explain(status), ::testing::HasSubstr("HTTP 50"));
}

// The head has come: there is no place for an HTTP status any more.
TEST_P(ProxyTest, AResponseThatTheProxyGivesUpEndsWithAnErrorOfThePeer) {
  const std::unique_ptr<Channel> impatient = Connect("impatient");
  auto call = EchoClient(*impatient).BidiEcho();
  ASSERT_TRUE(call.Write(Body("x")).Wait());
  ASSERT_TRUE(call.Read().Wait().has_value());
  EXPECT_FALSE(call.Read().Wait().has_value());
  const absl::Status status = call.Finish().Wait();
  ASSERT_FALSE(status.ok());
  const std::optional<Why> why = WhyOf(status);
  ASSERT_TRUE(why.has_value());
  EXPECT_EQ(why->processed, Why::Processed::kYes) << Explain(status);
  EXPECT_THAT(EchoClient(*impatient).Unary(Body("x")).Wait(), IsOk()) << "the channel goes on";
}

// nginx sends GOAWAY after keepalive_requests; what comes behind it is refused as unprocessed.
TEST_P(ProxyTest, ConnectionsThatTheProxyEndsLoseNoCall) {
  for (int i = 0; i < 100; ++i) CallUntilProcessed();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([this] {
      for (int i = 0; i < 100; ++i) CallUntilProcessed();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(backend_.service.started.value(), 900) << "no call was processed twice";
}

TEST_P(ProxyTest, AReloadLosesNoCall) {
  auto chat = EchoClient(*channel_).BidiEcho();
  ASSERT_TRUE(chat.Write(Body("before")).Wait());
  ASSERT_TRUE(chat.Read().Wait().has_value());
  const std::string before = CallUntilProcessed();
  daemon_->Signal(GetParam().reload_signal, GetParam().reloading);
  const absl::Time limit = absl::Now() + absl::Seconds(30);
  while (CallUntilProcessed() == before) ASSERT_LT(absl::Now(), limit) << "no new process takes the calls";
  ASSERT_TRUE(chat.Write(Body("after")).Wait()) << chat.Finish().Wait();
  const std::optional<Payload> echo = chat.Read().Wait();
  ASSERT_TRUE(echo.has_value()) << chat.Finish().Wait();
  EXPECT_EQ(echo->body(), "after");
  chat.WritesDone();
  EXPECT_THAT(chat.Finish().Wait(), IsOk());
}

INSTANTIATE_TEST_SUITE_P(Each, ProxyTest, ::testing::ValuesIn(kProxies),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace weir
