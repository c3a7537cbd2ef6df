// Bytes that wait on a client's connection because of its server: responses that do not become whole. Below, at and
// above each ceiling.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/tests/support/client_script.h"

namespace weir {
namespace {

using testing::ClientScript;
using testing::ClientWorld;
using testing::Cuts;
using testing::Data;
using ::testing::ElementsAre;
using testing::Frames;
using testing::Line;
using testing::Message;
using testing::ResponseHead;
using testing::TestCall;
using testing::Trailers;

Task<void> CallUnary(ClientWorld& world) {
  TestCall call = world.Call("Unary", "hello");
  absl::StatusOr<bench::Payload> reply = co_await call.Reply();
  world.Log(reply.ok() ? "reply " + reply->body() : Line(reply.status()));
}

constexpr char kText[] = "twenty-two octets, say";
constexpr size_t kPart = 20;

ChannelOptions Ceilings(size_t soft_bytes, size_t hard_bytes) {
  ChannelOptions options;
  options.connection.memory_soft_bytes = soft_bytes;
  options.connection.memory_hard_bytes = hard_bytes;
  return options;
}

TEST(ClientMemoryTest, BeyondTheSoftCeilingWindowsShrink) {
  for (const size_t soft : {kPart - 1, kPart, kPart + 1}) {
    ClientScript script(Ceilings(soft, 1000));
    script.Handshake().Spawn(CallUnary).Drop().Peer(ResponseHead(1)).Peer(Data(1, Message(kText).substr(0, kPart)));
    if (soft < kPart) {
      script.ExpectWritten({"SETTINGS INITIAL_WINDOW_SIZE=65535"}).Peer("SETTINGS ACK");
    } else {
      script.ExpectWritten({});
    }
    script.Peer(Data(1, Message(kText).substr(kPart)) + "\n" + Trailers(1))
        .ExpectLog({absl::StrCat("reply ", kText)})
        .Run();
  }
}

TEST(ClientMemoryTest, BeyondTheHardCeilingTheConnectionEnds) {
  for (const size_t hard : {kPart - 1, kPart, kPart + 1}) {
    ClientScript script(Ceilings(1000, hard));
    script.Handshake().Spawn(CallUnary).Drop().Peer(ResponseHead(1)).Peer(Data(1, Message(kText).substr(0, kPart)));
    if (hard < kPart) {
      const std::string text = absl::StrCat("memory: ", kPart, " bytes of responses wait; expected at most ", hard,
                                            " (ChannelOptions::connection.memory_hard_bytes)");
      script.ExpectWritten({absl::StrCat("GOAWAY last=0 ENHANCE_YOUR_CALM \"", text, "\"")})
          .ExpectLog({absl::StrCat("RESOURCE_EXHAUSTED: connection to peer failed: ", text, "...")});
    } else {
      script.ExpectWritten({}).ExpectLog({});
    }
    script.Run();
  }
}

// ---- turns: server_ration_test has more of them ---------------------------------------------------------------------

Task<void> CallTwiceAndReadTheSecondFirst(ClientWorld& world) {
  TestCall first = world.Call("Unary", "first");
  TestCall second = world.Call("Unary", "second");
  absl::StatusOr<bench::Payload> reply = co_await second.Reply();
  world.Log(reply.ok() ? "second" : Line(reply.status()));
  reply = co_await first.Reply();
  world.Log(reply.ok() ? "first" : Line(reply.status()));
}

// Windows of 1,000 octets; 1,000 may wait. What nobody waits for yet would stay here when it is whole.
TEST(ClientMemoryTest, OnlyAResponseThatSomebodyWaitsForGetsItsTurn) {
  ChannelOptions options = Ceilings(1'000, 100'000);
  options.stream_window_bytes = 1'000;
  ClientWorld world(options);
  world.Start();
  const auto receive = [&world](const std::string& frames) {
    Cuts cuts = Cuts::Whole();
    world.Receive(Frames(frames), &cuts);
  };
  receive("SETTINGS\nSETTINGS ACK");
  world.OnLoop([&world] { Spawn(CallTwiceAndReadTheSecondFirst(world)); });
  const std::string message = Message(std::string(2'000, 'x'));
  for (const int stream : {1, 3}) {
    receive(ResponseHead(stream));
    receive(Data(stream, message.substr(0, 600)));
    EXPECT_EQ(world.TakeReturned(stream), 600);  // until it was noticed
  }
  for (const int stream : {1, 3}) receive(Data(stream, message.substr(600, 600)));
  EXPECT_EQ(world.TakeReturned(1), 0);
  EXPECT_EQ(world.TakeReturned(3), 600);
  world.loop().Advance(std::chrono::seconds(10));
  EXPECT_EQ(world.TakeReturned(1), 0);
  receive(Data(3, message.substr(1'200)) + "\n" + Trailers(3));
  EXPECT_THAT(world.TakeLog(), ElementsAre("second"));
  EXPECT_EQ(world.TakeReturned(1), 600);
  receive(Data(1, message.substr(1'200)) + "\n" + Trailers(1));
  EXPECT_THAT(world.TakeLog(), ElementsAre("first"));
}

}  // namespace
}  // namespace weir
