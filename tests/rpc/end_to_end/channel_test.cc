// What a program may ask a channel itself: its state, changes of it, calls that are queued, an end to its pause.
#include <stdlib.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir {
namespace {

using bench::EchoClient;
using testing::Body;
using testing::EchoServer;
using testing::IsOk;
using testing::StatusIs;

TEST(ChannelTest, TryToConnectLeavesIdleWithoutACall) {
  EchoServer server;
  Channel channel = server.Connect();
  EXPECT_EQ(channel.state(), ConnectivityState::kIdle);
  ConnectivityState state = channel.state(TryToConnect::kYes);
  while (state != ConnectivityState::kReady) state = channel.StateChange(state).Wait();
  EXPECT_EQ(server.service.started.value(), 0);
  EXPECT_EQ(channel.StateChange(state).Within(absl::Milliseconds(1)).Wait(), ConnectivityState::kReady);
}

Task<void> AskOnTheLoop(Channel& channel, testing::Counter& done) {
  const ConnectivityState state = channel.StateChange(ConnectivityState::kIdle).Wait();
  EXPECT_EQ(state, ConnectivityState::kIdle);
  done.Add();
  co_return;
}

TEST(ChannelTest, StateChangeDoesNotWaitOnTheLoopThatWouldMakeIt) {
  EchoServer server;
  Channel channel = server.Connect();
  testing::Counter done;
  channel.Run(AskOnTheLoop(channel, done));
  done.WaitFor(1);
}

TEST(ChannelTest, CallsThatWaitForAPlaceAreCounted) {
  ServerOptions options = EchoServer::Threads(1);
  options.max_concurrent_streams = 1;
  EchoServer server(testing::Over::kTcp, options);
  Channel channel = server.Connect();
  EchoClient client(channel);
  auto first = client.BidiEcho();
  ASSERT_TRUE(first.Write(Body("x")).Wait());
  ASSERT_TRUE(first.Read().Wait().has_value());
  EXPECT_EQ(channel.queued_call_count(), 0u);
  auto second = client.Unary(Body("y"));
  while (channel.queued_call_count() != 1) std::this_thread::yield();
  EXPECT_THAT(first.Finish().Wait(), IsOk());
  EXPECT_THAT(second.Wait(), IsOk());
  EXPECT_EQ(channel.queued_call_count(), 0u);
}

TEST(ChannelTest, ResetEndsThePauseAfterAFailure) {
  char folder[] = "/tmp/weir-channel-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string target = "unix:" + std::string(folder) + "/socket";
  ChannelOptions options;
  options.backoff_initial = options.backoff_max = absl::Hours(1);
  Channel channel(target, InsecureChannelCredentials(), options);
  EchoClient client(channel);
  EXPECT_THAT(client.Unary(Body("x")).Wait(), StatusIs(absl::StatusCode::kUnavailable));
  {
    testing::EchoService service;
    Server server(EchoServer::Threads(1));
    server.AddService(service);
    ASSERT_THAT(server.Listen(target, InsecureServerCredentials()), IsOk());
    EXPECT_THAT(client.Unary(Body("x")).Wait(), StatusIs(absl::StatusCode::kUnavailable)) << "it pauses";
    channel.ResetConnectBackoff();
    EXPECT_THAT(client.Unary(Body("x"), CallOptions().WaitForReady()).Wait(), IsOk());
  }
  rmdir(folder);
}

}  // namespace
}  // namespace weir
