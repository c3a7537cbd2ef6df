// How a call on the server is cancelled: reset by the client, connection lost, deadline, stop; and what a handler, its
// stream and its place see of that.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/tests/support/server_script.h"

namespace weir {
namespace {

using bench::Payload;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Data;
using testing::Message;
using testing::Request;
using testing::ResponseHead;
using testing::ServerScript;
using testing::ServerWorld;
using testing::Trailers;

Payload Body(std::string_view body) {
  Payload payload;
  payload.set_body(std::string(body));
  return payload;
}

void LogCancel(ServerWorld& world, ServerContext& context) {
  context.OnCancel(
      [&world, &context] { world.Log(context.IsCancelled() ? "callback: cancelled" : "callback: not cancelled"); });
}

Task<absl::Status> ReadAll(ServerWorld& world, ServerContext& context, Reader<Payload>& reader,
                           Writer<Payload>& writer) {
  world.Log("started");
  LogCancel(world, context);
  while (std::optional<Payload> payload = co_await reader.Read()) world.Log(absl::StrCat("read ", payload->body()));
  world.Log(context.IsCancelled() ? "read nothing more: cancelled" : "read nothing more");
  co_return absl::OkStatus();
}

Task<absl::Status> WriteForEver(ServerWorld& world, ServerContext& context, Reader<Payload>& reader,
                                Writer<Payload>& writer) {
  LogCancel(world, context);
  while (co_await writer.Write(Body(std::string(1000, 'x')))) {
  }
  world.Log(context.IsCancelled() ? "write refused: cancelled" : "write refused");
  const bool again = co_await writer.Write(Body("again"));
  world.Log(again ? "written again" : "refused again");
  co_return absl::OkStatus();
}

// Notices nothing until it is told to go on.
Task<absl::Status> Deaf(ServerWorld& world, ServerContext& context, Reader<Payload>& reader, Writer<Payload>& writer) {
  LogCancel(world, context);
  co_await world.signal("go on");
  std::optional<Payload> payload = co_await reader.Read();
  const bool taken = co_await writer.Write(Body("late"));
  world.Log(absl::StrCat(payload ? "read something" : "read nothing", taken ? ", written" : ", refused",
                         context.IsCancelled() ? ", cancelled" : ""));
  co_return absl::OkStatus();
}

// ---- reset by the client --------------------------------------------------------------------------------------------

TEST(W26Cancel, PeerResetCancelsTheHandlerAndFreesTheStream) {
  ServerScript script;
  script.Bidi(ReadAll)
      .Handshake()
      .Peer(Request(1, "BidiEcho") + "\n" + Data(1, Message("a")))
      .ExpectLog({"started", "read a"})
      .ExpectLeft({"handlers: 1", "streams: 1"})
      .Peer("RST_STREAM 1 CANCEL")
      .ExpectLog({"callback: cancelled", "read nothing more: cancelled"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

TEST(W26Cancel, PeerResetEndsAWriteThatWaitsForTheWindow) {
  ServerScript script;
  script.Bidi(WriteForEver)
      .Handshake("INITIAL_WINDOW_SIZE=1500")
      .Peer(Request(1, "BidiEcho"))
      .ExpectLog({})
      .Drop()
      .Peer("RST_STREAM 1 CANCEL")
      .ExpectLog({"callback: cancelled", "write refused: cancelled", "refused again"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

TEST(W26Cancel, EveryErrorCodeOfAResetCancels) {
  for (const char* code :
       {"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "REFUSED_STREAM", "ENHANCE_YOUR_CALM", "ERROR_0x77"}) {
    ServerScript script;
    script.Bidi(ReadAll)
        .Handshake()
        .Peer(Request(1, "BidiEcho"))
        .Peer(std::string("RST_STREAM 1 ") + code)
        .ExpectLog({"started", "callback: cancelled", "read nothing more: cancelled"})
        .ExpectWritten({})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(W26Cancel, ResetInTheSameReadAsTheRequestLeavesNothing) {
  ServerScript script;
  script.Bidi(ReadAll)
      .Handshake()
      .Peer(Request(1, "BidiEcho") + "\nRST_STREAM 1 CANCEL\n" + Request(3, "BidiEcho", "", "END_STREAM"))
      .Drop()
      .ExpectNothingLeft()
      .Run();
}

TEST(W26Cancel, MessagesNobodyHasReadAreLostWithAReset) {
  ServerScript script;
  script.Bidi(Deaf)
      .Handshake()
      .Peer(Request(1, "BidiEcho") + "\n" + Data(1, Message("a")))
      .Peer("RST_STREAM 1 CANCEL")
      .ExpectLog({"callback: cancelled"})
      .Set("go on")
      .ExpectLog({"read nothing, refused, cancelled"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W35Flood, CancelledHandlerKeepsItsPlaceUntilItReturns) {
  ServerScript script;
  script.Bidi(Deaf)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Peer("RST_STREAM 1 CANCEL")
      .ExpectLeft({"handlers: 1"})
      .Set("go on")
      .ExpectNothingLeft()
      .Run();
}

TEST(W35Flood, ResettingStreamsDoesNotBuyMoreHandlers) {
  ServerOptions options;
  options.max_concurrent_streams = 2;
  ServerScript script(options);
  script.Bidi(Deaf)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Peer("RST_STREAM 1 CANCEL")
      .Peer(Request(3, "BidiEcho"))
      .Peer("RST_STREAM 3 CANCEL")
      .ExpectLeft({"handlers: 2"})
      .Peer(Request(5, "BidiEcho"))
      .ExpectWritten({"RST_STREAM 5 REFUSED_STREAM"})
      .ExpectLeft({"handlers: 2"})
      .Set("go on")
      .ExpectNothingLeft()
      .Peer(Request(7, "BidiEcho", "", "END_STREAM"))
      .ExpectWritten({ResponseHead(7), Data(7, Message("late")), Trailers(7)})
      .ExpectNothingLeft()
      .Run();
}

// ---- the connection is lost -----------------------------------------------------------------------------------------

TEST(W31Loss, LostConnectionCancelsEveryHandlerAndGoes) {
  ServerScript script;
  script.Bidi(ReadAll)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Peer(Request(3, "BidiEcho"))
      .Drop()
      .Lose()
      .ExpectLog({"callback: cancelled", "read nothing more: cancelled", "callback: cancelled",
                  "read nothing more: cancelled", "connection gone"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W31Loss, ClientThatClosesCancelsItsCalls) {
  ServerScript script;
  script.Bidi(ReadAll)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Drop()
      .PeerCloses()
      .ExpectLog({"callback: cancelled", "read nothing more: cancelled", "connection gone"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W31Loss, ConnectionStaysUntilItsLastHandlerHasReturned) {
  ServerScript script;
  script.Bidi(Deaf)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Lose()
      .ExpectLog({"callback: cancelled"})
      .ExpectLeft({"handlers: 1"})
      .Set("go on")
      .ExpectLog({"read nothing, refused, cancelled", "connection gone"})
      .ExpectNothingLeft()
      .Run();
}

// ---- the deadline ---------------------------------------------------------------------------------------------------

TEST(W27Deadline, DeadlineAnswersDeadlineExceededAndCancelsTheHandler) {
  ServerScript script;
  script.Bidi(ReadAll)
      .Handshake()
      .Peer(Request(1, "BidiEcho", "grpc-timeout=10S"))
      .ExpectLog({"started"})
      .Advance(milliseconds(9999))
      .ExpectLog({})
      .ExpectWritten({})
      .Advance(milliseconds(1))
      .ExpectLog({"callback: cancelled", "read nothing more: cancelled"})
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=4 "
                      "grpc-message=\"/bench.Echo/BidiEcho: the client's deadline of 10s passed before the handler "
                      "returned\"",
                      "RST_STREAM 1 NO_ERROR"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W27Deadline, DeadlineNeedsNoWriteAndNoReadToBeNoticed) {
  ServerScript script;
  script.Bidi(Deaf)
      .Handshake()
      .Peer(Request(1, "BidiEcho", "grpc-timeout=1S", "END_STREAM"))
      .Advance(seconds(1))
      .ExpectLog({"callback: cancelled"})
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=4 ..."})
      .ExpectLeft({"handlers: 1", "ended streams: 1"})
      .Set("go on")
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

TEST(W27Deadline, DeadlineEndsAResponseThatWaitsForTheWindow) {
  ServerScript script;
  script.Bidi(WriteForEver)
      .Handshake("INITIAL_WINDOW_SIZE=1500")
      .Peer(Request(1, "BidiEcho", "grpc-timeout=1S", "END_STREAM"))
      .Drop()
      .Advance(seconds(1))
      .ExpectLog({"callback: cancelled", "write refused: cancelled", "refused again"})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})  // the window has cut a message in two
      .ExpectNothingLeft()
      .Run();
}

TEST(W27Deadline, HandlerThatReturnsInTimeTakesItsTimerAlong) {
  ServerScript script;
  script.Bidi(ReadAll)
      .Handshake()
      .Peer(Request(1, "BidiEcho", "grpc-timeout=10S"))
      .Advance(seconds(5))
      .Peer(Data(1, "", "END_STREAM"))
      .ExpectLog({"started", "read nothing more"})
      .ExpectNothingLeft()
      .Advance(seconds(60))
      .ExpectLog({})
      .ExpectNothingLeft()
      .Run();
}

TEST(W05Timeout, LongestTimeoutOfTheWireIsFarAway) {
  for (const char* timeout : {"99999999H", "99999999M", "99999999S"}) {
    ServerScript script(testing::Undisturbed());
    script.Bidi(ReadAll)
        .Handshake()
        .Advance(seconds(1))
        .Peer(Request(1, "BidiEcho", std::string("grpc-timeout=") + timeout))
        .Advance(hours(24))
        .ExpectLog({"started"})
        .Peer(Data(1, "", "END_STREAM"))
        .ExpectLog({"read nothing more"})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(W05Timeout, TimeoutOfZeroEndsTheCallAtOnce) {
  ServerScript script;
  script.Bidi(ReadAll)
      .Handshake()
      .Peer(Request(1, "BidiEcho", "grpc-timeout=0n", "END_STREAM"))
      .Drop()
      .Advance(milliseconds(1))
      .ExpectNothingLeft()
      .Run();
}

// ---- drain and stop -------------------------------------------------------------------------------------------------

TEST(W29Drain, DrainSaysGoAwayTwiceAndLetsCallsFinish) {
  ServerScript script;
  script.Bidi(ReadAll)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .BeginDrain()
      .ExpectWritten({"GOAWAY last=2147483647 NO_ERROR", "PING ..."})
      // The client could not know of the GOAWAY yet: accepted.
      .Peer(Request(3, "BidiEcho"))
      .ExpectLog({"started", "started"})
      .Advance(seconds(5))  // no ACK comes
      .ExpectWritten({"GOAWAY last=3 NO_ERROR"})
      .Peer(Request(5, "BidiEcho"))
      .ExpectLog({})
      .Peer(Data(1, Message("a"), "END_STREAM"))
      .Peer(Data(3, "", "END_STREAM"))
      .ExpectLog({"read a", "read nothing more", "read nothing more"})
      .PeerCloses()
      .ExpectLog({"connection gone"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W29Drain, ConnectionWithoutCallsClosesOnceTheClientHasAnswered) {
  ServerScript script;
  script.Handshake()
      .BeginDrain()
      .ExpectFirstGoAwayAndAnswer()
      .ExpectWritten({"GOAWAY last=0 NO_ERROR"})
      .PeerCloses()
      .ExpectLog({"connection gone"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W29Drain, StopCancelsWhatRunsWithUnavailableAndCloses) {
  ServerScript script;
  script.Bidi(ReadAll)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Peer(Request(3, "BidiEcho"))
      .Drop()
      .Stop()
      .ExpectLog({"callback: cancelled", "read nothing more: cancelled", "callback: cancelled",
                  "read nothing more: cancelled"})
      .PeerCloses()
      .ExpectLog({"connection gone"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W29Drain, StopWaitsForHandlersThatDoNotListen) {
  ServerScript script;
  script.Bidi(Deaf)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Stop()
      .Advance(seconds(10))
      .ExpectLog({"callback: cancelled"})
      .ExpectLeft({"handlers: 1"})
      .Set("go on")
      .ExpectLog({"read nothing, refused, cancelled", "connection gone"})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
