// Calls that the server says it has not looked at go to another place, once, and their application does not notice.
// gRFC A6, Transparent Retries.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/tests/rpc/client/retry/retry_rig.h"

namespace weir {
namespace {

using namespace testing;  // NOLINT: the rig is made for these tests
using std::chrono::seconds;

Lines Attempt(int stream_id) {
  return {AttemptLine(stream_id, "Unary", 1), Data(stream_id, Message("hello"), "END_STREAM")};
}

TEST(TransparentRetryTest, RefusedCallIsMadeAgainAtOnceAndDoesNotCountAsAnAttempt) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .ExpectWritten(Attempt(1))
      .Peer("RST_STREAM 1 REFUSED_STREAM")
      .ExpectWritten(Attempt(3))
      .ExpectLog({})
      .Peer(Reply(3, "hi"))
      .ExpectLog({"reply hi"})
      .ExpectNothingLeft()
      .Run();
}

TEST(TransparentRetryTest, SecondRefusalEndsTheCall) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Peer("RST_STREAM 1 REFUSED_STREAM")
      .Drop()
      .Peer("RST_STREAM 3 REFUSED_STREAM")
      .ExpectLog({"UNAVAILABLE: peer reset stream 3: REFUSED_STREAM(7) (unprocessed)"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

TEST(TransparentRetryTest, OtherResetsEndTheCall) {
  for (const char* code : {"CANCEL", "INTERNAL_ERROR", "NO_ERROR", "ENHANCE_YOUR_CALM"}) {
    ClientScript script;
    script.Handshake()
        .Spawn(CallUnary)
        .Drop()
        .Peer(absl::StrCat("RST_STREAM 1 ", code))
        .ExpectWritten({})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(TransparentRetryTest, CallAboveTheLastIdOfAGoAwayGoesToAnotherConnection) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Spawn(CallUnary)
      .Drop()
      .Peer("GOAWAY last=1 NO_ERROR")  // and there is no other server to connect to
      .ExpectLog({"UNAVAILABLE: cannot connect: connect to unix:/nowhere/to/be/found: No such file or directory; ..."})
      .Peer(Reply(1, "one"))
      .ExpectLog({"reply one"})
      .Run();
}

TEST(TransparentRetryTest, RefusalAfterTheResponseHeadEndsTheCall) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Peer(ResponseHead(1))
      .Drop()
      .Peer("RST_STREAM 1 REFUSED_STREAM")
      .ExpectLog({"UNAVAILABLE: peer reset stream 1: REFUSED_STREAM(7) (unprocessed)"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

TEST(TransparentRetryTest, DeadlineRunsOn) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallFor10s)
      .Advance(seconds(4))
      .Drop()
      .Peer("RST_STREAM 1 REFUSED_STREAM")
      .ExpectWritten({"HEADERS 3 :method=POST :scheme=http :path=/bench.Echo/Unary :authority=test grpc-timeout=6S ...",
                      Data(3, Message("hello"), "END_STREAM")})
      .Advance(seconds(6))
      .ExpectLog({"DEADLINE_EXCEEDED: deadline of 10s exceeded while waiting for the response"})
      .ExpectWritten({"RST_STREAM 3 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

TEST(TransparentRetryTest, CallMayDoWithout) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallOnce)
      .Drop()
      .Peer("RST_STREAM 1 REFUSED_STREAM")
      .ExpectLog({"UNAVAILABLE: peer reset stream 1: REFUSED_STREAM(7) (unprocessed)"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

TEST(TransparentRetryTest, ComesBesideThePolicyAndIsNotCounted) {
  ClientScript script(Retrying());
  script.Handshake()
      .Spawn(CallUnary)
      .Peer("RST_STREAM 1 REFUSED_STREAM")
      .Drop()
      .Peer(Unavailable(3))
      .Advance(seconds(1))
      .ExpectWritten({AttemptLine(5, "Unary", 2), Data(5, Message("hello"), "END_STREAM")})
      .Peer("RST_STREAM 5 REFUSED_STREAM")  // the second time it is a failure like others
      .ExpectWritten({})
      .Advance(seconds(1))
      .ExpectWritten({AttemptLine(7, "Unary", 3), Data(7, Message("hello"), "END_STREAM")})
      .Run();
}

Task<void> WriteTwo(ClientWorld& world) {
  TestCall call = world.Open("BidiEcho");
  co_await call.Write("a");
  co_await world.signal("b");
  co_await call.Write("b");
  call.WritesDone();
  while (std::optional<bench::Payload> payload = co_await call.Read()) world.Log("read " + payload->body());
  absl::Status status = co_await call.Finish();
  world.Log(EndLine(status));
}

TEST(TransparentRetryTest, StreamedRequestIsSentAgainUntilTheResponseBegins) {
  ClientScript script;
  script.Handshake()
      .Spawn(WriteTwo)
      .ExpectWritten({AttemptLine(1, "BidiEcho", 1), Data(1, Message("a"))})
      .Peer("RST_STREAM 1 REFUSED_STREAM")
      .ExpectWritten({AttemptLine(3, "BidiEcho", 1), Data(3, Message("a"))})
      .Set("b")
      .ExpectWritten({Data(3, Message("b"), "END_STREAM")})
      .Peer(Reply(3, "x"))
      .ExpectLog({"read x", "OK"})
      .ExpectNothingLeft()
      .Run();
}

TEST(TransparentRetryTest, StreamedRequestIsNotKeptAfterThat) {
  ClientScript script;
  script.Handshake()
      .Spawn(WriteTwo)
      .Peer(ResponseHead(1))
      .Drop()
      .Peer("RST_STREAM 1 REFUSED_STREAM")
      .Set("b")
      .ExpectLog({"UNAVAILABLE: peer reset stream 1: REFUSED_STREAM(7) (unprocessed)"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
