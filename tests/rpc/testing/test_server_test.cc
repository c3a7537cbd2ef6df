#include "weir/testing/test_server.h"

#include "weir/testing/status_matchers.h"
#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir::testing {
namespace {

using bench::EchoClient;

TEST(TestServerTest, ServesInProcess) {
  EchoService service;
  TestServer server(service);
  EXPECT_THAT(EchoClient(server.channel()).Unary(Body("x")).Wait(), IsOk());
  EXPECT_EQ(server.server().port(), 0);
}

TEST(TestServerTest, ListensOnAnAddressWhenItIsAskedForOne) {
  EchoService service;
  TestServer server(service);
  EXPECT_EQ(server.target(), server.target());
  Channel channel(server.target(), InsecureChannelCredentials());
  EXPECT_THAT(EchoClient(channel).Unary(Body("x")).Wait(), IsOk());
  EXPECT_THAT(EchoClient(server.channel()).Unary(Body("x")).Wait(), IsOk());
}

TEST(TestServerTest, TakesOptions) {
  EchoService service;
  ServerOptions options;
  options.worker_threads = 1;
  options.max_receive_message_bytes = 10;
  TestServer server(options, service);
  EXPECT_THAT(EchoClient(server.channel()).Unary(Body("far too long")).Wait(),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(TestServerTest, WithoutServicesEverythingIsUnimplemented) {
  TestServer server;
  EXPECT_THAT(EchoClient(server.channel()).Unary(Body("x")).Wait(), StatusIs(absl::StatusCode::kUnimplemented));
}

}  // namespace
}  // namespace weir::testing
