// Client-side health checking between a channel and real servers (gRFC A17).
#include <atomic>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/service_config/parse_service_config.h"
#include "weir/rpc/server/generic_service.h"
#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir {
namespace {

using bench::EchoClient;
using testing::Body;
using testing::EchoService;
using testing::IsOk;

// grpc.health.v1.Health for one service, "echo".
class Health final : public GenericService {
 public:
  Task<absl::Status> Call(ServerContext& context, Reader<Bytes>& reader, Writer<Bytes>& writer) override {
    if (context.method() != "/grpc.health.v1.Health/Watch") co_return absl::UnimplementedError("no such method");
    const std::optional<Bytes> request = co_await reader.Read();
    if (!request.has_value() || request->data() !=
                                    "\x0a\x04"
                                    "echo")
      co_return absl::InvalidArgumentError("who?");
    char told = 0;
    while (!context.IsCancelled()) {
      const char now = status;
      if (now != told) {
        const Bytes message(std::string("\x08") + now);
        if (!co_await writer.Write(message)) break;
      }
      told = now;
      co_await context.Sleep(absl::Milliseconds(1));
    }
    co_return absl::OkStatus();
  }

  std::atomic<char> status = 1;  // SERVING; 2: NOT_SERVING
};

struct HealthyServer {
  explicit HealthyServer(char status) {
    health.status = status;
    server.AddService(echo);
    server.AddService(health);
    EXPECT_THAT(server.Listen("127.0.0.1:0", InsecureServerCredentials()), IsOk());
  }
  std::string address() const { return absl::StrCat("127.0.0.1:", server.port()); }

  EchoService echo;
  Health health;
  Server server;
};

TEST(HealthCheckTest, CallsGoWhereTheServiceIsServedAndFollowItWhenItMoves) {
  HealthyServer first(1);
  HealthyServer second(2);
  ChannelOptions options;
  options.service_config = ParseServiceConfig(R"({"loadBalancingConfig":[{"round_robin":{}}],
      "methodConfig":[{"name":[{}],"waitForReady":true}],"healthCheckConfig":{"serviceName":"echo"}})");
  Channel channel(absl::StrCat("ipv4:", first.address(), ",", second.address()), InsecureChannelCredentials(), options);
  EchoClient client(channel);
  for (int i = 0; i < 20; ++i) EXPECT_THAT(client.Unary(Body("hello")).Wait(), IsOk());
  EXPECT_EQ(first.echo.started.value(), 20);

  first.health.status = 2;
  for (ConnectivityState state = channel.state(); state != ConnectivityState::kTransientFailure;) {
    state = channel.StateChange(state).Wait();
  }
  second.health.status = 1;
  for (int i = 0; i < 20; ++i) EXPECT_THAT(client.Unary(Body("hello")).Wait(), IsOk());
  EXPECT_EQ(first.echo.started.value(), 20);
  EXPECT_EQ(second.echo.started.value(), 20);
}

TEST(HealthCheckTest, ServersWithoutAHealthServiceAreServersAllTheSame) {
  testing::EchoServer server;
  ChannelOptions options;
  options.service_config =
      ParseServiceConfig(R"({"loadBalancingConfig":[{"round_robin":{}}],"healthCheckConfig":{"serviceName":"echo"}})");
  Channel channel = server.Connect(options);
  EXPECT_THAT(EchoClient(channel).Unary(Body("hello")).Wait(), IsOk());
}

}  // namespace
}  // namespace weir
