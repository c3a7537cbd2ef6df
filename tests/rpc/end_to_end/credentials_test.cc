// Credentials of channels and of calls on real connections: which carry them, and in which order.
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "weir/rpc/client/call_credentials/access_token.h"
#include "weir/rpc/client/call_credentials/blocking_credentials.h"
#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Answers with the tokens that came, in their order.
class TokenService final : public bench::EchoService {
 public:
  Task<absl::StatusOr<bench::Payload>> Unary(ServerContext& context, const bench::Payload&) override {
    std::string text;
    for (std::string_view token : context.metadata().GetAll("authorization")) text += std::string(token) + ",";
    co_return Body(text);
  }
};

class CredentialsTest : public ::testing::Test {
 protected:
  std::string Serve(const std::string& address, const ServerCredentials& credentials) {
    server_.AddService(service_);
    const absl::Status listening = server_.Listen(address, credentials);
    EXPECT_TRUE(listening.ok()) << listening;
    return address.starts_with("unix") ? address : "127.0.0.1:" + std::to_string(server_.port());
  }

  static std::string Ask(Channel& channel, const CallOptions& options = CallOptions()) {
    const absl::StatusOr<bench::Payload> reply = bench::EchoClient(channel).Unary(Body(""), options).Wait();
    return reply.ok() ? reply->body() : reply.status().ToString();
  }

  TokenService service_;
  Server server_;
};

ChannelCredentials OverTls(std::string_view token) {
  return CompositeChannelCredentials(TlsChannelCredentials(TlsOfChannel()), AccessToken(token));
}

TEST_F(CredentialsTest, TheChannelsComeBeforeThoseOfTheCall) {
  Channel channel(Serve("127.0.0.1:0", TlsServerCredentials(TlsOfServer())),
                  CompositeChannelCredentials(OverTls("1"), AccessToken("2")));
  EXPECT_EQ(Ask(channel), "Bearer 1,Bearer 2,");
  EXPECT_EQ(Ask(channel, CallOptions().Credentials(AccessToken("3")).Credentials(AccessToken("4"))),
            "Bearer 1,Bearer 2,Bearer 3,Bearer 4,");
}

TEST_F(CredentialsTest, LoopbackTcpIsPlaintextUntilTheProgramSaysOtherwise) {
  const std::string target = Serve("127.0.0.1:0", InsecureServerCredentials());
  Channel channel(target, CompositeChannelCredentials(InsecureChannelCredentials(), AccessToken("1")));
  EXPECT_THAT(Ask(channel), AllOf(StartsWith("UNAUTHENTICATED: /bench.Echo/Unary to " + target + ": call credentials"),
                                  HasSubstr("ChannelOptions::call_credentials_over_plaintext")));
  ChannelOptions options;
  options.call_credentials_over_plaintext = true;
  Channel trusting(target, InsecureChannelCredentials(), options);
  EXPECT_EQ(Ask(trusting, CallOptions().Credentials(AccessToken("2"))), "Bearer 2,");
  EXPECT_EQ(Ask(trusting), "");
}

TEST_F(CredentialsTest, WhatStaysInTheMachineCarriesThem) {
  const std::string target =
      Serve("unix-abstract:weir-credentials-" + std::to_string(getpid()), InsecureServerCredentials());
  Channel by_socket(target, CompositeChannelCredentials(InsecureChannelCredentials(), AccessToken("1")));
  EXPECT_EQ(Ask(by_socket), "Bearer 1,");
  Channel in_process(InProcess(server_));
  EXPECT_EQ(Ask(in_process, CallOptions().Credentials(AccessToken("2"))), "Bearer 2,");
}

TEST_F(CredentialsTest, AFunctionThatBlocksRunsBesideTheLoop) {
  Counter release;
  Counter asked;
  auto blocking = BlockingCredentials([&](const CredentialsRequest& request) -> absl::StatusOr<Metadata> {
    asked.Add();
    release.WaitFor(1);
    return Metadata{{"authorization", request.method_name()}};
  });
  Channel channel(Serve("127.0.0.1:0", TlsServerCredentials(TlsOfServer())), TlsChannelCredentials(TlsOfChannel()));
  bench::EchoClient client(channel);
  auto waiting = client.Unary(Body(""), CallOptions().Credentials(blocking));
  asked.WaitFor(1);
  EXPECT_EQ(Ask(channel), "") << "the loop goes on";
  EXPECT_THAT(Ask(channel, CallOptions().Credentials(blocking).Timeout(absl::Milliseconds(20))),
              StartsWith("DEADLINE_EXCEEDED: "))
      << "nobody waits longer than its call";
  release.Add();
  EXPECT_EQ(waiting.Wait()->body(), "Unary,");
  EXPECT_EQ(Ask(channel, CallOptions().Credentials(blocking)), "Unary,");
}

TEST_F(CredentialsTest, CallsEndInAnyOrderWithTheirBlockingCredentials) {
  Channel channel(Serve("127.0.0.1:0", TlsServerCredentials(TlsOfServer())), TlsChannelCredentials(TlsOfChannel()));
  bench::EchoClient client(channel);
  for (int i = 0; i < 200; ++i) {
    auto blocking = BlockingCredentials(
        [](const CredentialsRequest&) -> absl::StatusOr<Metadata> {
          return Metadata{{"authorization", "x"}};
        },
        2);
    auto dropped = client.Unary(Body(""), CallOptions().Credentials(blocking));
    auto kept = client.Unary(Body(""), CallOptions().Credentials(std::move(blocking)));
    if (i % 2 == 0) {
      auto gone = std::move(dropped);
    }
    EXPECT_EQ(kept.Wait()->body(), "x,");
  }
}

TEST_F(CredentialsTest, AnExceptionOfAFunctionThatBlocksIsUnknown) {
  Channel channel(Serve("127.0.0.1:0", TlsServerCredentials(TlsOfServer())), TlsChannelCredentials(TlsOfChannel()));
  auto throwing = BlockingCredentials(
      [](const CredentialsRequest&) -> absl::StatusOr<Metadata> { throw std::runtime_error("no key"); });
  EXPECT_THAT(Ask(channel, CallOptions().Credentials(throwing)), HasSubstr("call credentials threw: no key"));
}

// A token that is fetched by a call of its own, on another channel with another loop.
class Fetching final : public CallCredentials {
 public:
  explicit Fetching(Channel& tokens) : tokens_(tokens) {}
  Task<absl::StatusOr<Metadata>> GetMetadata(const CredentialsRequest&) override {
    bench::EchoClient client(tokens_);
    bench::Payload request;
    const CallOptions options = CallOptions().Credentials(AccessToken("key"));
    absl::StatusOr<bench::Payload> reply = co_await client.Unary(request, options);
    if (!reply.ok()) co_return reply.status();
    Metadata metadata;
    metadata.Add("authorization", "by " + reply->body());
    co_return metadata;
  }

 private:
  Channel& tokens_;
};

TEST_F(CredentialsTest, ATokenMayComeFromAnotherCall) {
  const std::string target = Serve("127.0.0.1:0", TlsServerCredentials(TlsOfServer()));
  Channel tokens(target, TlsChannelCredentials(TlsOfChannel()));
  Channel channel(
      target, CompositeChannelCredentials(TlsChannelCredentials(TlsOfChannel()), std::make_shared<Fetching>(tokens)));
  EXPECT_EQ(Ask(channel), "by Bearer key,,");
}

}  // namespace
}  // namespace weir::testing
