// Channels that go through an HTTP proxy, on real sockets.
#include <stdlib.h>

#include <memory>
#include <string>

#include "weir/rpc/client/call_credentials/access_token.h"
#include "weir/tests/rpc/end_to_end/harness.h"
#include "weir/tests/support/test_proxy.h"

namespace weir::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

// Answers with the authority that it was asked for, and the token.
class AuthorityService final : public bench::EchoService {
 public:
  Task<absl::StatusOr<bench::Payload>> Unary(ServerContext& context, const bench::Payload&) override {
    co_return Body(std::string(context.authority()) + " " +
                   std::string(context.metadata().Get("authorization").value_or("")));
  }
};

class ProxiedTest : public ::testing::Test {
 protected:
  int Serve(const ServerCredentials& credentials = InsecureServerCredentials()) {
    server_.AddService(service_);
    EXPECT_TRUE(server_.Listen("127.0.0.1:0", credentials).ok());
    return server_.port();
  }

  static ChannelOptions By(const std::string& address) {
    ChannelOptions options;
    options.http_proxy = "http://" + address;
    return options;
  }

  static std::string Ask(Channel& channel, const CallOptions& options = CallOptions()) {
    const absl::StatusOr<bench::Payload> reply = bench::EchoClient(channel).Unary(Body(""), options).Wait();
    return reply.ok() ? reply->body() : reply.status().ToString();
  }

  AuthorityService service_;
  Server server_;
};

TEST_F(ProxiedTest, TheProxyIsToldTheNameAndLooksItUp) {
  TestProxy proxy(Serve());
  Channel channel("dns:///nowhere.invalid:50051", InsecureChannelCredentials(), By(proxy.address()));
  EXPECT_EQ(Ask(channel), "nowhere.invalid:50051 ");
  EXPECT_EQ(Ask(channel), "nowhere.invalid:50051 ");
  EXPECT_THAT(proxy.asked(), ElementsAre("CONNECT nowhere.invalid:50051 HTTP/1.1 | Host: nowhere.invalid:50051"));
}

TEST_F(ProxiedTest, TlsGoesThroughWithTheNameOfTheTarget) {
  TestProxy proxy(Serve(TlsServerCredentials(TlsOfServer())));
  Channel channel("localhost:443", TlsChannelCredentials(TlsOfChannel()), By("ada:secret@" + proxy.address()));
  EXPECT_EQ(Ask(channel, CallOptions().Credentials(AccessToken("t"))), "localhost:443 Bearer t");
  EXPECT_THAT(proxy.asked(), ElementsAre("CONNECT localhost:443 HTTP/1.1 | Host: localhost:443 | "
                                         "Proxy-Authorization: Basic YWRhOnNlY3JldA=="));
  Channel other("db.example:443", TlsChannelCredentials(TlsOfChannel()), By(proxy.address()));
  EXPECT_THAT(Ask(other), HasSubstr("wrong host: expected a certificate for \"db.example\""));
}

TEST_F(ProxiedTest, AddressesAreAskedForOneByOneButForExceptions) {
  const int port = Serve();
  TestProxy proxy(port);
  ChannelOptions options = By(proxy.address());
  Channel channel("ipv4:10.255.255.1:5", InsecureChannelCredentials(), options);
  EXPECT_EQ(Ask(channel), "10.255.255.1:5 ");
  EXPECT_THAT(proxy.asked(), ElementsAre("CONNECT 10.255.255.1:5 HTTP/1.1 | Host: 10.255.255.1:5"));
  ::setenv("no_proxy", "127.0.0.0/8", 1);
  Channel direct("127.0.0.1:" + std::to_string(port), InsecureChannelCredentials(), options);
  ::unsetenv("no_proxy");
  EXPECT_THAT(Ask(direct), StartsWith("127.0.0.1:"));
  EXPECT_THAT(proxy.asked(), SizeIs(1));
}

TEST_F(ProxiedTest, TheEnvironmentIsReadWhenTheChannelIsMade) {
  const int port = Serve();
  const std::string target = "127.0.0.1:" + std::to_string(port);
  TestProxy proxy(port);
  ::setenv("http_proxy", ("http://" + proxy.address()).c_str(), 1);
  Channel proxied(target, InsecureChannelCredentials());
  ChannelOptions without;
  without.use_proxy = false;
  Channel direct(target, InsecureChannelCredentials(), without);
  ::unsetenv("http_proxy");
  Channel later(target, InsecureChannelCredentials());
  EXPECT_EQ(Ask(later), target + " ");
  EXPECT_EQ(Ask(direct), target + " ");
  EXPECT_THAT(proxy.asked(), IsEmpty());
  EXPECT_EQ(Ask(proxied), target + " ");
  EXPECT_THAT(proxy.asked(), SizeIs(1));
}

TEST_F(ProxiedTest, UnixSocketsAndServersOfThisProcessNeedNone) {
  const std::string name = "unix-abstract:weir-proxied-" + std::to_string(getpid());
  server_.AddService(service_);
  ASSERT_TRUE(server_.Listen(name, InsecureServerCredentials()).ok());
  Channel by_socket(name, InsecureChannelCredentials(), By("127.0.0.1:1"));
  EXPECT_EQ(Ask(by_socket), "localhost ");
  Channel in_process(InProcess(server_), By("127.0.0.1:1"));
  EXPECT_THAT(Ask(in_process), Not(HasSubstr("UNAVAILABLE")));
}

// ---- failures -------------------------------------------------------------------------------------------------------

TEST_F(ProxiedTest, ARefusalIsToldToTheCaller) {
  TestProxy proxy(0, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
  Channel channel("a.example:443", InsecureChannelCredentials(), By(proxy.address()));
  EXPECT_THAT(Ask(channel),
              AllOf(StartsWith("UNAVAILABLE: /bench.Echo/Unary to a.example:443: "),
                    HasSubstr("proxy " + proxy.address() +
                              ": CONNECT a.example:443: it said \"HTTP/1.1 407 Proxy Authentication Required\": it "
                              "wants to know who asks: give it http://user:password@host:port")));
}

TEST_F(ProxiedTest, WhatIsNoProxyIsTold) {
  TestProxy proxy(0, "220 mail.example ESMTP\r\n");
  Channel channel("a.example:443", InsecureChannelCredentials(), By(proxy.address()));
  EXPECT_THAT(Ask(channel), HasSubstr("got \"220 mail.example ESMTP\": is that an HTTP proxy?"));
}

TEST_F(ProxiedTest, AProxyThatIsNotThereIsTold) {
  std::string address;
  { address = TestProxy(0).address(); }
  Channel channel("a.example:443", InsecureChannelCredentials(), By(address));
  EXPECT_THAT(Ask(channel), HasSubstr("proxy " + address + ": connect to " + address + ": Connection refused"));
  Channel unknown("a.example:443", InsecureChannelCredentials(), By("proxy.invalid:1"));
  EXPECT_THAT(Ask(unknown), HasSubstr("proxy proxy.invalid:1: resolve \"proxy.invalid\": "));
}

TEST_F(ProxiedTest, AProxyThatDoesNotAnswerIsTold) {
  TestProxy proxy(0, "");
  ChannelOptions options = By(proxy.address());
  options.connect_timeout = absl::Milliseconds(100);
  options.backoff_initial = absl::Milliseconds(100);
  Channel channel("a.example:443", InsecureChannelCredentials(), options);
  EXPECT_THAT(Ask(channel), HasSubstr("proxy " + proxy.address() + ": CONNECT a.example:443: no answer within "));
}

TEST_F(ProxiedTest, AProxyThatCannotBeUsedIsAnErrorOfEveryCall) {
  ChannelOptions options;
  options.http_proxy = "socks5://127.0.0.1:1080";
  Channel channel("a.example:443", InsecureChannelCredentials(), options);
  EXPECT_THAT(Ask(channel), AllOf(StartsWith("INVALID_ARGUMENT: "), HasSubstr("ChannelOptions::http_proxy: expected "
                                                                              "http://[user:password@]host[:port]")));
}

TEST_F(ProxiedTest, ChannelsMayGoWhileTheyWaitForTheProxy) {
  TestProxy silent(0, "");
  for (int i = 0; i < 50; ++i) {
    Channel channel("a.example:443", InsecureChannelCredentials(), By(silent.address()));
    const CallOptions patience = CallOptions().Timeout(absl::Milliseconds(i % 5));
    EXPECT_THAT(Ask(channel, patience), StartsWith("DEADLINE_EXCEEDED: "));
  }
}

}  // namespace
}  // namespace weir::testing
