// Calls and the life of their connection, seen by a server: W28 (a client's GOAWAY), W29 (drain and close), W30, W31.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "weir/tests/support/server_script.h"

namespace weir {
namespace {

using bench::Payload;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Data;
using testing::Message;
using testing::Request;
using testing::ResponseHead;
using testing::ServerScript;
using testing::ServerWorld;
using testing::Trailers;

Task<absl::StatusOr<Payload>> Echo(ServerWorld& world, ServerContext& context, const Payload& request) {
  co_return request;
}

Task<absl::Status> Wait(ServerWorld& world, ServerContext& context, Reader<Payload>& reader, Writer<Payload>& writer) {
  context.OnCancel([&world] { world.Log("cancelled"); });
  while (co_await reader.Read()) {
  }
  co_return absl::OkStatus();
}

std::string Whole(int stream_id) {
  return Request(stream_id, "Unary") + "\n" + Data(stream_id, Message("x"), "END_STREAM");
}

// ---- W28 ------------------------------------------------------------------------------------------------------------

// It only says that it will accept no pushed streams: everything goes on, and new calls are served as well.
TEST(W28GoAway, ClientsGoAwayEndsNothing) {
  for (const char* goaway :
       {"GOAWAY last=0 NO_ERROR", "GOAWAY last=2147483646 NO_ERROR \"bye\"", "GOAWAY last=0 INTERNAL_ERROR",
        "GOAWAY last=1 NO_ERROR", "GOAWAY last=2147483647 NO_ERROR\nGOAWAY last=1 NO_ERROR",
        "GOAWAY last=0 NO_ERROR\nGOAWAY last=0 NO_ERROR"}) {
    ServerScript script;
    script.Unary(Echo)
        .Bidi(Wait)
        .Handshake()
        .Peer(Request(1, "BidiEcho"))
        .Peer(goaway)
        .ExpectLog({})
        .ExpectWritten({})
        .Peer(Whole(3))
        .ExpectWritten({ResponseHead(3), Data(3, Message("x")), Trailers(3)})
        .Peer(Data(1, "", "END_STREAM"))
        .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=0"})
        .ExpectLog({})
        .PeerCloses()
        .ExpectLog({"connection gone"})
        .ExpectNothingLeft()
        .Run();
  }
}

// ---- W29 ------------------------------------------------------------------------------------------------------------

TEST(W29Drain, FirstGoAwayNamesNoStreamAndTheSecondTheLastOne) {
  ServerScript script;
  script.Unary(Echo)
      .Bidi(Wait)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .BeginDrain()
      .Peer(Whole(3))  // was on its way
      .Advance(milliseconds(4999))
      .ExpectWritten(
          {"GOAWAY last=2147483647 NO_ERROR", "PING ...", ResponseHead(3), Data(3, Message("x")), Trailers(3)})
      .Advance(milliseconds(1))  // nobody answers the PING
      .ExpectWritten({"GOAWAY last=3 NO_ERROR"})
      .Peer(Whole(5))
      .ExpectWritten({})  // as it was told
      .Peer(Data(1, "", "END_STREAM"))
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=0"})
      .PeerCloses()
      .ExpectLog({"connection gone"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W29Drain, GoAwayComesBeforeTheConnectionIsClosed) {
  ServerScript script;
  script.Bidi(Wait)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Stop()
      .ExpectLog({"cancelled"})
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=14 ...",
                      "GOAWAY last=1 NO_ERROR", "RST_STREAM 1 NO_ERROR"})
      .PeerCloses()
      .ExpectLog({"connection gone"})
      .ExpectNothingLeft()
      .Run();
}

// ---- W30 and W31 ----------------------------------------------------------------------------------------------------

TEST(W30Ping, IsAnsweredWithItsOwnOctetsWhileACallRuns) {
  ServerScript script;
  script.Bidi(Wait)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Peer("PING 0123456789abcdef\nPING 0000000000000001")
      .ExpectWritten({"PING ACK 0123456789abcdef", "PING ACK 0000000000000001"})
      .Peer("PING ACK 0123456789abcdef")  // of a ping that nobody sent
      .ExpectWritten({})
      .ExpectLog({})
      .Run();
}

TEST(W31Loss, HandlersAreCancelled) {
  ServerScript script;
  script.Bidi(Wait)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Lose()
      .ExpectLog({"cancelled", "connection gone"})
      .ExpectNothingLeft()
      .Run();
}

// ---- a client's settings --------------------------------------------------------------------------------------------

TEST(Settings, WindowThatShrinksBelowZeroHoldsMessagesAndLosesNone) {
  const std::string message = Message(std::string(100, 'x'));
  ServerScript script;
  script.Unary(Echo)
      .Handshake("INITIAL_WINDOW_SIZE=60")
      .Peer(Request(1, "Unary") + "\n" + Data(1, message, "END_STREAM"))
      .ExpectWritten({ResponseHead(1), Data(1, message.substr(0, 60))})
      .Peer("SETTINGS INITIAL_WINDOW_SIZE=10")  // 50 below zero
      .ExpectWritten({"SETTINGS ACK"})
      .Peer("WINDOW_UPDATE 1 50")  // zero
      .ExpectWritten({})
      .Peer("WINDOW_UPDATE 1 1")
      .ExpectWritten({Data(1, message.substr(60, 1))})
      .Peer("SETTINGS INITIAL_WINDOW_SIZE=1000")
      .ExpectWritten({"SETTINGS ACK", Data(1, message.substr(61)), Trailers(1)})
      .ExpectNothingLeft()
      .Run();
}

TEST(Settings, DeadlineRunsWhileTheWindowIsBelowZero) {
  const std::string message = Message(std::string(100, 'x'));
  ServerScript script;
  script.Unary(Echo)
      .Handshake("INITIAL_WINDOW_SIZE=60")
      .Peer(Request(1, "Unary", "grpc-timeout=5S") + "\n" + Data(1, message, "END_STREAM"))
      .Peer("SETTINGS INITIAL_WINDOW_SIZE=10")
      .Drop()
      .Advance(seconds(5))
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

TEST(Settings, TrailersLeaveThoughTheWindowIsBelowZero) {
  const std::string message = Message(std::string(50, 'x'));
  ServerScript script;
  script.Unary(Echo)
      .Bidi(Wait)
      .Handshake("INITIAL_WINDOW_SIZE=0")
      .Peer(Request(1, "BidiEcho", "", "END_STREAM"))
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=0"})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
