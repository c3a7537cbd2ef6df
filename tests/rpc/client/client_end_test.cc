// How a call on the client ends other than by a status from the server: resets, deadline, Cancel, dropping, and what
// the server is told of it.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/core/when.h"
#include "weir/tests/support/client_script.h"

namespace weir {
namespace {

using bench::Payload;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ClientScript;
using testing::ClientWorld;
using testing::Data;
using testing::Line;
using testing::Message;
using testing::RequestLine;
using testing::ResponseHead;
using testing::TestCall;
using testing::Trailers;

std::string EndLine(const absl::Status& status) {
  return absl::StrCat(Line(status), IsUnprocessed(status) ? " (unprocessed)" : "");
}

Task<void> CallUnary(ClientWorld& world) {
  TestCall call = world.Call("Unary", "hello");
  absl::StatusOr<Payload> reply = co_await call.Reply();
  world.Log(reply.ok() ? "reply " + reply->body() : EndLine(reply.status()));
}

Task<void> CallOnce(ClientWorld& world) {
  const CallOptions options = CallOptions().NoRetry();
  TestCall call = world.Call("Unary", "hello", options);
  absl::StatusOr<Payload> reply = co_await call.Reply();
  world.Log(reply.ok() ? "reply " + reply->body() : EndLine(reply.status()));
}

// Reads only when told "go on".
Task<void> CallStreamLater(ClientWorld& world) {
  TestCall call = world.Call("ServerStream", "");
  co_await world.signal("go on");
  while (std::optional<Payload> payload = co_await call.Read()) world.Log("read " + payload->body());
  absl::Status status = co_await call.Finish();
  world.Log(EndLine(status));
}

Task<void> WriteForEver(ClientWorld& world) {
  TestCall call = world.Open("BidiEcho", CallOptions().Timeout(absl::Seconds(10)));
  while (co_await call.Write("aaaaaaaaaa")) {
  }
  world.Log("refused");
  absl::Status status = co_await call.Finish();
  world.Log(EndLine(status));
}

Task<void> CallWithDeadline(ClientWorld& world) {
  TestCall call = world.Call("ServerStream", "", CallOptions().Timeout(absl::Seconds(10)));
  while (std::optional<Payload> payload = co_await call.Read()) world.Log("read " + payload->body());
  absl::Status status = co_await call.Finish();
  world.Log(EndLine(status));
}

// Waits for the end until it is told to read.
Task<void> FinishOrRead(ClientWorld& world) {
  TestCall call = world.Call("ServerStream", "");
  std::variant<absl::Status, std::monostate> first = co_await WhenAny(call.Finish(), world.signal("read"));
  world.Log(first.index() == 0 ? "finished" : "reads");
  while (std::optional<Payload> payload = co_await call.Read()) world.Log("read " + payload->body());
  absl::Status status = co_await call.Finish();
  world.Log(EndLine(status));
}

// ---- given up -------------------------------------------------------------------------------------------------------

TEST(ClientEndTest, FinishThatGivesUpLeavesWhatComesLaterToReaders) {
  ClientScript script;
  script.Handshake()
      .Spawn(FinishOrRead)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("a")))
      .Set("read")
      .ExpectLog({"reads"})
      .Peer(Data(1, Message("b")))
      .ExpectLog({"read b"})
      .Peer(Trailers(1))
      .ExpectLog({"OK"})
      .ExpectNothingLeft()
      .Run();
}

Task<void> ReplyOrGoOn(ClientWorld& world) {
  TestCall call = world.Open("ClientStream");
  call.WritesDone();
  const auto first = co_await WhenAny(call.Reply(), world.signal("go on"));
  world.Log(first.index() == 0 ? "replied" : "goes on");
  absl::StatusOr<Payload> reply = co_await call.Reply();
  world.Log(reply.ok() ? "reply " + reply->body() : EndLine(reply.status()));
}

TEST(ClientEndTest, ReplyThatGivesUpBetweenMessageAndStatusIsThereForTheNext) {
  ClientScript script;
  script.Handshake()
      .Spawn(ReplyOrGoOn)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("a")))
      .Set("go on")
      .ExpectLog({"goes on"})
      .Peer(Trailers(1))
      .ExpectLog({"reply a"})
      .ExpectNothingLeft()
      .Run();
}

// ---- reset by the server --------------------------------------------------------------------------------------------

TEST(W24Reset, ResetByTheServerIsMappedToAStatus) {
  const struct {
    std::string code;
    std::string line;
  } cases[] = {
      {"NO_ERROR", "INTERNAL: peer reset stream 1: NO_ERROR(0)"},
      {"PROTOCOL_ERROR", "INTERNAL: peer reset stream 1: PROTOCOL_ERROR(1)"},
      {"INTERNAL_ERROR", "INTERNAL: peer reset stream 1: INTERNAL_ERROR(2)"},
      {"REFUSED_STREAM", "UNAVAILABLE: peer reset stream 1: REFUSED_STREAM(7) (unprocessed)"},
      {"CANCEL", "CANCELLED: peer reset stream 1: CANCEL(8)"},
      {"ENHANCE_YOUR_CALM", "RESOURCE_EXHAUSTED: peer reset stream 1: ENHANCE_YOUR_CALM(11)"},
      {"INADEQUATE_SECURITY", "PERMISSION_DENIED: peer reset stream 1: INADEQUATE_SECURITY(12)"},
  };
  for (const auto& reset : cases) {
    for (const std::string& before : {std::string(), ResponseHead(1) + "\n" + Data(1, Message("a")) + "\n"}) {
      ClientScript script;
      script.Handshake()
          .Spawn(CallOnce)
          .Drop()
          .Peer(before + "RST_STREAM 1 " + reset.code)
          .ExpectLog({reset.line})
          .ExpectWritten({})
          .ExpectNothingLeft()
          .Run();
    }
  }
}

TEST(W24Reset, ResetWithNoErrorAfterACompleteResponseTakesNothingBack) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Spawn(CallStreamLater)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("hi")) + "\n" + Trailers(1) + "\nRST_STREAM 1 NO_ERROR")
      .ExpectLog({"reply hi"})
      .Peer(ResponseHead(3) + "\n" + Data(3, Message("a")) + "\n" + Trailers(3) + "\nRST_STREAM 3 NO_ERROR")
      .ExpectLog({})
      .Set("go on")
      .ExpectLog({"read a", "OK"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W24Reset, ResetBeforeTheTrailersLosesMessagesThatWereNotRead) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallStreamLater)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("a")) + "\nRST_STREAM 1 CANCEL")
      .Set("go on")
      .ExpectLog({"CANCELLED: peer reset stream 1: CANCEL(8)"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W24Reset, ResetEndsAWriteThatWaits) {
  ClientScript script;
  script.Handshake("INITIAL_WINDOW_SIZE=50")
      .Spawn(WriteForEver)
      .Drop()
      .Peer("RST_STREAM 1 CANCEL")
      .ExpectLog({"refused", "CANCELLED: peer reset stream 1: CANCEL(8)"})
      .ExpectNothingLeft()
      .Run();
}

// ---- the deadline ---------------------------------------------------------------------------------------------------

TEST(W27Deadline, DeadlineResetsTheStreamWithCancelAndEndsTheCall) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallWithDeadline)
      .Do([](ClientWorld& world) {
        const std::string head = world.TakeWritten().at(0);
        EXPECT_NE(head.find(" grpc-timeout=10"), std::string::npos) << head;
      })
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("a")))
      .ExpectLog({"read a"})
      .Advance(seconds(9))
      .ExpectLog({})
      .ExpectWritten({})
      .Advance(seconds(2))
      .ExpectLog({"DEADLINE_EXCEEDED: deadline of 10s exceeded in the middle of the response"})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W27Deadline, DeadlineDoesNotWaitForAWindow) {
  ClientScript script;
  script.Handshake("INITIAL_WINDOW_SIZE=50")
      .Spawn(WriteForEver)
      .Drop()
      .Advance(seconds(11))
      .ExpectLog({"refused", "DEADLINE_EXCEEDED: ..."})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W27Deadline, DeadlineCountsWhileTheCallWaitsForAConnection) {
  ClientScript script;
  script.Connect()
      .Spawn(CallWithDeadline)
      .ExpectWritten({})
      .Advance(seconds(11))
      .ExpectLog({"DEADLINE_EXCEEDED: deadline of 10s exceeded while connecting (unprocessed)"})
      .Peer("SETTINGS\nSETTINGS ACK")
      .ExpectWritten({"SETTINGS ACK"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W27Deadline, CancelledByTheServerBeforeTheDeadlineIsCancelled) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallWithDeadline)
      .Drop()
      .Advance(seconds(9))
      .Peer("RST_STREAM 1 CANCEL")
      .ExpectLog({"CANCELLED: peer reset stream 1: CANCEL(8)"})
      .ExpectNothingLeft()
      .Run();
}

Task<void> CallsWithFarDeadlines(ClientWorld& world) {
  TestCall never = world.Call("Unary", "x", CallOptions().Timeout(absl::InfiniteDuration()));
  TestCall far = world.Call("Unary", "x", CallOptions().Timeout(absl::Hours(24 * 366) * 100'000));
  TestCall future = world.Call("Unary", "x", CallOptions().Deadline(absl::InfiniteFuture()));
  co_await world.signal("go on");
  world.Log("waited");
}

Task<void> CallsWithPastDeadlines(ClientWorld& world) {
  for (absl::Duration timeout : {absl::ZeroDuration(), absl::Seconds(-5), -absl::InfiniteDuration()}) {
    TestCall call = world.Call("Unary", "x", CallOptions().Timeout(timeout));
    absl::StatusOr<Payload> reply = co_await call.Reply();
    world.Log(std::string(absl::StatusCodeToString(reply.status().code())));
  }
  TestCall call = world.Call("Unary", "x", CallOptions().Deadline(absl::InfinitePast()));
  absl::StatusOr<Payload> reply = co_await call.Reply();
  world.Log(std::string(absl::StatusCodeToString(reply.status().code())));
}

TEST(W27Deadline, DeadlineMayBeFarAway) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallsWithFarDeadlines)
      .Drop()
      .Advance(hours(24))
      .ExpectWritten({})
      .Set("go on")
      .ExpectLog({"waited"})
      .ExpectWritten({"RST_STREAM 5 CANCEL", "RST_STREAM 3 CANCEL", "RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W27Deadline, DeadlineInThePastEndsTheCallAtOnce) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallsWithPastDeadlines)
      .Advance(seconds(1))
      .ExpectLog({"DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"})
      .ExpectNothingLeft()
      .Run();
}

// ---- the caller -----------------------------------------------------------------------------------------------------

Task<void> CancelIt(ClientWorld& world) {
  TestCall call = world.Call("ServerStream", "");
  co_await world.signal("cancel");
  call.Cancel();
  call.Cancel();
  absl::Status status = co_await call.Finish();
  world.Log(EndLine(status));
  std::optional<Payload> payload = co_await call.Read();
  world.Log(payload ? "read" : "nothing to read");
  const bool taken = co_await call.Write("late");
  world.Log(taken ? "taken" : "refused");
}

TEST(W26Cancel, CancelResetsTheStreamAndEndsTheCallOnce) {
  ClientScript script;
  script.Handshake()
      .Spawn(CancelIt)
      .Drop()
      .Set("cancel")
      .ExpectLog({"CANCELLED: cancelled by the caller", "nothing to read", "refused"})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("late")) + "\n" + Trailers(1))
      .ExpectLog({})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

Task<void> DropIt(ClientWorld& world) {
  TestCall call = world.Call("ServerStream", "");
  std::optional<Payload> payload = co_await call.Read();
  world.Log(payload ? "read one" : "nothing");
}

TEST(W26Cancel, DroppedCallIsCancelledAlsoInsideTheReadThatEndedIt) {
  ClientScript script;
  script.Handshake()
      .Spawn(DropIt)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("a") + Message("b") + Message("c")))
      .ExpectLog({"read one"})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

Task<void> MakeAndDrop(ClientWorld& world) {
  { TestCall call = world.Call("Unary", "x"); }
  world.Log("dropped");
  co_return;
}

TEST(W26Cancel, CallDroppedBeforeItHasAPlaceSendsNothing) {
  ClientScript script;
  script.Connect()
      .Spawn(MakeAndDrop)
      .ExpectLog({"dropped"})
      .Peer("SETTINGS\nSETTINGS ACK")
      .ExpectWritten({"SETTINGS ACK"})
      .ExpectNothingLeft()
      .Run();
}

Task<void> FinishWithoutReading(ClientWorld& world) {
  TestCall call = world.Call("ServerStream", "");
  absl::Status status = co_await call.Finish();
  world.Log(EndLine(status));
  absl::Status again = co_await call.Finish();
  world.Log(EndLine(again));
}

TEST(ClientEndTest, FinishDiscardsMessagesAndMayBeAskedTwice) {
  ClientScript script;
  script.Handshake()
      .Spawn(FinishWithoutReading)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("a") + Message("b")))
      .ExpectLog({})
      .Peer(Trailers(1, "grpc-status=10"))
      .ExpectLog({"ABORTED: ", "ABORTED: "})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
