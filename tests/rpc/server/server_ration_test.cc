// What a client may send while memory is short: smaller windows, and of the messages that have come in part one at a
// time goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "weir/tests/support/server_script.h"

namespace weir {
namespace {

using bench::Payload;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Cuts;
using testing::Data;
using ::testing::ElementsAre;
using testing::Frames;
using testing::Handlers;
using ::testing::IsEmpty;
using testing::Message;
using testing::Request;
using testing::ServerScript;
using testing::ServerWorld;

Task<absl::StatusOr<bench::Summary>> LogEach(ServerWorld& world, ServerContext& context, Reader<Payload>& reader) {
  while (std::optional<Payload> payload = co_await reader.Read()) world.Log(absl::StrCat(payload->body().size()));
  if (context.IsCancelled()) world.Log("cancelled");
  co_return bench::Summary();
}

// ---- the size of windows --------------------------------------------------------------------------------------------

constexpr char kNarrow[] = "SETTINGS INITIAL_WINDOW_SIZE=65535";

TEST(ServerRationTest, BeyondTheSoftCeilingWindowsShrinkAndGrowAgainWhenHalfOfItIsFree) {
  const std::string message = Message(std::string(100, 'x'));
  constexpr size_t kPart = 60;
  for (const size_t soft : {kPart - 1, kPart, kPart + 1}) {
    weir::ServerOptions options;
    options.connection.memory_soft_bytes = soft;
    ServerScript script(options);
    script.ClientStream(LogEach).Handshake().Peer(Request(1, "ClientStream")).Peer(Data(1, message.substr(0, kPart)));
    if (soft >= kPart) {
      script.ExpectWritten({});
    } else {
      script.ExpectWritten({kNarrow})
          .Peer("SETTINGS ACK")
          .Peer(Data(1, message.substr(kPart)))
          .ExpectLog({"100"})
          .Advance(milliseconds(9'999))
          .ExpectWritten({})
          .Advance(milliseconds(1))
          .ExpectWritten({"SETTINGS INITIAL_WINDOW_SIZE=262144"})
          .Peer("SETTINGS ACK")
          .Peer(Data(1, "", "END_STREAM"))
          .Drop()
          .ExpectNothingLeft();
    }
    script.Run();
  }
}

TEST(ServerRationTest, WindowsStaySmallWhileMoreThanHalfOfTheSoftCeilingWaits) {
  const std::string message = Message(std::string(100, 'x'));
  weir::ServerOptions options;
  options.connection.memory_soft_bytes = 100;
  ServerScript(options)
      .ClientStream(LogEach)
      .Handshake()
      .Peer(Request(1, "ClientStream"))
      .Peer(Request(3, "ClientStream"))
      .Peer(Data(1, message.substr(0, 50)))
      .Peer(Data(3, message.substr(0, 51)))
      .ExpectWritten({kNarrow})
      .Peer("SETTINGS ACK")
      .Peer(Data(1, message.substr(50)))
      .ExpectLog({"100"})
      .Advance(seconds(20))
      .ExpectWritten({})
      .Peer(Data(3, message.substr(51)))
      .ExpectWritten({"SETTINGS INITIAL_WINDOW_SIZE=262144"})
      .Run();
}

TEST(ServerRationTest, WindowsThatAreSmallAlreadyAreNotResized) {
  weir::ServerOptions options;
  options.connection.memory_soft_bytes = 10;
  options.stream_window_bytes = 65'535;
  ServerScript(options)
      .ClientStream(LogEach)
      .Handshake()
      .Peer(Request(1, "ClientStream"))
      .Peer(Data(1, Message("twenty-two octets, say").substr(0, 11)))
      .ExpectWritten({})
      .Advance(seconds(20))
      .ExpectWritten({})
      .Run();
}

// ---- turns ----------------------------------------------------------------------------------------------------------

// Windows of 1,000 octets, of which 500 at least are returned at a time; 1,000 octets may wait. Messages have 2,008.
class RationTurnTest : public ::testing::Test {
 protected:
  RationTurnTest() {
    world_.Start();
    Send("PREFACE\nSETTINGS\nSETTINGS ACK");
    for (const int stream : {1, 3, 5}) Send(Request(stream, "ClientStream"));
    world_.DropWritten();
  }

  static weir::ServerOptions Options() {
    weir::ServerOptions options;
    options.stream_window_bytes = 1'000;
    options.connection.memory_soft_bytes = 1'000;
    options.connection.memory_hard_bytes = 100'000;
    return options;
  }
  static Handlers Handler() {
    Handlers handlers;
    handlers.client_stream = LogEach;
    return handlers;
  }

  void Send(const std::string& frames) {
    Cuts cuts = Cuts::Whole();
    world_.Receive(Frames(frames), &cuts);
  }
  // The next so many octets of the message of a stream.
  void SendPart(int stream, size_t bytes) {
    size_t& sent = sent_[stream];
    Send(Data(stream, message_.substr(sent, bytes)));
    sent += bytes;
  }
  void SendRest(int stream) { SendPart(stream, message_.size() - sent_[stream]); }
  int64_t Returned(int stream) { return world_.TakeReturned(stream); }
  // 600 octets of stream 1 and 3 wait.
  void MakeShort() {
    SendPart(1, 600);
    SendPart(3, 600);
    EXPECT_EQ(Returned(1), 600);
    EXPECT_EQ(Returned(3), 600);  // the last that was read before it was noticed
  }

  ServerWorld world_{Handler(), Options()};
  std::string message_ = Message(std::string(2'000, 'x'));
  std::map<int, size_t> sent_;
};

TEST_F(RationTurnTest, OfMessagesThatHaveComeInPartOneAtATimeGetsWindow) {
  MakeShort();
  SendPart(5, 600);
  EXPECT_EQ(Returned(5), 600);
  SendPart(1, 600);
  SendPart(3, 600);
  SendPart(5, 600);
  EXPECT_EQ(Returned(1), 0);
  EXPECT_EQ(Returned(3), 0);
  EXPECT_EQ(Returned(5), 600);

  SendRest(5);
  EXPECT_THAT(world_.TakeLog(), ElementsAre("2000"));
  EXPECT_EQ(Returned(1), 600);
  EXPECT_EQ(Returned(3), 0);

  SendRest(1);
  EXPECT_THAT(world_.TakeLog(), ElementsAre("2000"));
  EXPECT_EQ(Returned(3), 600);
  SendRest(3);
  EXPECT_THAT(world_.TakeLog(), ElementsAre("2000"));
}

TEST_F(RationTurnTest, AllGetWindowAgainWhenHalfOfTheSoftCeilingIsFree) {
  MakeShort();
  SendPart(1, 600);
  SendPart(3, 800);
  EXPECT_EQ(Returned(3), 0);
  Send("RST_STREAM 1 CANCEL");
  EXPECT_EQ(Returned(3), 800);  // its turn
  SendPart(5, 700);
  EXPECT_EQ(Returned(5), 0);
  SendRest(3);
  EXPECT_EQ(Returned(5), 700);
}

TEST_F(RationTurnTest, WhoSendsNothingInItsTurnLosesIt) {
  MakeShort();
  SendPart(1, 600);
  SendPart(3, 600);
  EXPECT_EQ(Returned(1), 600);
  EXPECT_EQ(Returned(3), 0);
  world_.loop().Advance(milliseconds(1'999));
  EXPECT_EQ(Returned(3), 0);
  world_.loop().Advance(milliseconds(1));
  EXPECT_EQ(Returned(3), 600);
  SendPart(1, 600);
  EXPECT_EQ(Returned(1), 0);
}

TEST_F(RationTurnTest, WhoSendsSomethingInItsTurnKeepsIt) {
  MakeShort();
  SendPart(1, 500);
  SendPart(3, 600);
  for (int i = 0; i < 2; ++i) {
    SendPart(1, 250);
    world_.loop().Advance(seconds(2));
  }
  EXPECT_EQ(Returned(3), 0);
}

TEST_F(RationTurnTest, WhatIsWholeWhenItComesIsReturnedAtOnce) {
  MakeShort();
  int64_t returned = 0;
  for (int i = 0; i < 20; ++i) {
    Send(Data(5, Message(std::string(200, 'x'))));
    returned += Returned(5);
  }
  EXPECT_GE(returned, 19 * 200);
}

TEST_F(RationTurnTest, WhoseMessagesAreReadAsTheyComeDoesNotWaitForItsTurn) {
  MakeShort();
  SendPart(1, 600);
  SendPart(3, 600);  // it is the turn of 1
  const std::string message = Message(std::string(50, 'x'));
  Send(Data(5, message.substr(0, 25)));
  for (int i = 0; i < 100; ++i)
    Send(Data(5, message.substr(25) + message.substr(0, 25)));  // always half of one is left
  EXPECT_EQ(world_.TakeLog().size(), 100u);
}

TEST_F(RationTurnTest, WhoWaitsForItsTurnIsNotCancelledForIt) {
  message_ = Message(std::string(50'000, 'x'));
  MakeShort();
  SendPart(1, 600);
  SendPart(3, 1'000);  // all that its window allows
  for (int i = 0; i < 100; ++i) {
    SendPart(1, 250);
    world_.loop().Advance(seconds(1));
  }
  EXPECT_THAT(world_.TakeLog(), IsEmpty());
  Send("RST_STREAM 1 CANCEL");
  EXPECT_EQ(Returned(3), 1'000);
}

TEST_F(RationTurnTest, WhoHasWindowLeftAndSendsNothingIsCancelledAsEver) {
  message_ = Message(std::string(50'000, 'x'));
  MakeShort();
  SendPart(1, 600);
  SendPart(3, 300);
  for (int i = 0; i < 100; ++i) {
    SendPart(1, 250);
    world_.loop().Advance(seconds(1));
  }
  EXPECT_THAT(world_.TakeLog(), ElementsAre("cancelled"));
}

}  // namespace
}  // namespace weir
