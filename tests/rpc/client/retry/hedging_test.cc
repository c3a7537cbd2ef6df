// Calls under a hedging policy: attempts side by side, the first answer wins. gRFC A6, Hedging Policy.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/tests/rpc/client/retry/retry_rig.h"

namespace weir {
namespace {

using namespace testing;  // NOLINT: the rig is made for these tests
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

Lines Attempt(int stream_id, int number) {
  return {AttemptLine(stream_id, "Unary", number), Data(stream_id, Message("hello"), "END_STREAM")};
}

TEST(HedgingTest, AttemptsBeginOneDelayAfterAnother) {
  ClientScript script(Hedging());
  script.Handshake()
      .Spawn(CallUnary)
      .ExpectWritten(Attempt(1, 1))
      .Advance(seconds(1) - nanoseconds(1))
      .ExpectWritten({})
      .Advance(nanoseconds(1))
      .ExpectWritten(Attempt(3, 2))
      .Advance(seconds(1))
      .ExpectWritten(Attempt(5, 3))
      .Advance(seconds(100))
      .ExpectWritten({})  // three is all
      .ExpectLeft({"calls: 1", "streams: 3"})
      .Run();
}

TEST(HedgingTest, FirstAttemptMayWinAndTheOthersAreCancelled) {
  ClientScript script(Hedging());
  script.Handshake()
      .Spawn(CallUnary)
      .Advance(seconds(2))
      .Drop()
      .Peer(Reply(1, "first"))
      .ExpectLog({"reply first"})
      .ExpectWritten({"RST_STREAM 3 CANCEL", "RST_STREAM 5 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

TEST(HedgingTest, SecondAttemptMayWinAndNoThirdOneBegins) {
  ClientScript script(Hedging());
  script.Handshake()
      .Spawn(CallUnary)
      .Advance(seconds(1))
      .Drop()
      .Peer(ResponseHead(3))  // commits
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .Advance(seconds(10))
      .ExpectWritten({})
      .Peer(Data(3, Message("second")) + "\n" + Trailers(3))
      .ExpectLog({"reply second"})
      .ExpectNothingLeft()
      .Run();
}

TEST(HedgingTest, ThirdAttemptMayWin) {
  ClientScript script(Hedging());
  script.Handshake()
      .Spawn(CallUnary)
      .Advance(seconds(2))
      .Drop()
      .Peer(Reply(5, "third"))
      .ExpectLog({"reply third"})
      .ExpectWritten({"RST_STREAM 1 CANCEL", "RST_STREAM 3 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

TEST(HedgingTest, NoDelayMeansAllAtOnce) {
  ClientScript script(Hedging("0s"));
  script.Handshake()
      .Spawn(CallUnary)
      .Advance(nanoseconds(1))
      .ExpectWritten({AttemptLine(1, "Unary", 1), Data(1, Message("hello"), "END_STREAM"), AttemptLine(3, "Unary", 2),
                      Data(3, Message("hello"), "END_STREAM"), AttemptLine(5, "Unary", 3),
                      Data(5, Message("hello"), "END_STREAM")})
      .Run();
}

TEST(HedgingTest, NonFatalFailureBringsTheNextAttemptForward) {
  ClientScript script(Hedging());
  script.Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Advance(milliseconds(100))
      .Peer(Unavailable(1))
      .Advance(nanoseconds(1))
      .ExpectWritten(Attempt(3, 2))
      .Advance(seconds(1) - nanoseconds(2))  // and the one after it comes a delay later
      .ExpectWritten({})
      .Advance(nanoseconds(2))
      .ExpectWritten(Attempt(5, 3))
      .Peer(Unavailable(5))
      .ExpectLog({})
      .Peer(Reply(3, "second"))
      .ExpectLog({"reply second"})
      .ExpectNothingLeft()
      .Run();
}

TEST(HedgingTest, FatalFailureEndsTheCallAndItsOtherAttempts) {
  ClientScript script(Hedging());
  script.Handshake()
      .Spawn(CallUnary)
      .Advance(seconds(1))
      .Drop()
      .Peer(Failure(3, "grpc-status=13 grpc-message=broken"))
      .ExpectLog({"INTERNAL: broken (attempt 2)"})
      .ExpectWritten({"RST_STREAM 1 INTERNAL_ERROR"})
      .ExpectNothingLeft()
      .Run();
}

TEST(HedgingTest, LastOfAllFailuresIsTheCalls) {
  ClientScript script(Hedging());
  script.Handshake()
      .Spawn(CallUnary)
      .Advance(seconds(2))
      .Peer(Unavailable(1))
      .Peer(Unavailable(3))
      .ExpectLog({})
      .Peer(Failure(5, "grpc-status=14 grpc-message=last"))
      .ExpectLog({"UNAVAILABLE: last (attempt 3)"})
      .ExpectNothingLeft()
      .Run();
}

TEST(HedgingTest, PushBackMovesTheNextAttempt) {
  ClientScript script(Hedging());
  script.Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer(Unavailable(1, "grpc-retry-pushback-ms=5000"))
      .Advance(seconds(5) - nanoseconds(1))
      .ExpectWritten({})
      .Advance(nanoseconds(1))
      .ExpectWritten(Attempt(3, 2))
      .Advance(seconds(1))
      .ExpectWritten(Attempt(5, 3))
      .Run();
}

TEST(HedgingTest, PushBackForGoodLeavesTheAttemptsThatRun) {
  ClientScript script(Hedging());
  script.Handshake()
      .Spawn(CallUnary)
      .Advance(seconds(1))
      .Drop()
      .Peer(Unavailable(3, "grpc-retry-pushback-ms=-1"))
      .Advance(seconds(10))
      .ExpectWritten({})
      .ExpectLog({})
      .Peer(Reply(1, "first"))
      .ExpectLog({"reply first"})
      .ExpectNothingLeft()
      .Run();
}

TEST(HedgingTest, PushBackForGoodOfTheOnlyAttemptEndsTheCall) {
  ClientScript script(Hedging());
  script.Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer(Unavailable(1, "grpc-retry-pushback-ms=-1"))
      .ExpectLog({"UNAVAILABLE: busy"})
      .ExpectNothingLeft()
      .Run();
}

TEST(HedgingTest, ThrottledChannelSendsFirstAttemptsOnly) {
  ClientScript script(Hedging("1s", R"(,"retryThrottling":{"maxTokens":2,"tokenRatio":0.1})"));
  script.Handshake()
      .Spawn(CallUnary)
      .Peer(Unavailable(1))  // one token is left: half
      .ExpectLog({"UNAVAILABLE: busy"})
      .Drop()
      .Spawn(CallUnary)
      .ExpectWritten(Attempt(3, 1))
      .Advance(seconds(10))
      .ExpectWritten({})
      .Peer(Reply(3, "hi"))
      .ExpectLog({"reply hi"})
      .ExpectNothingLeft()
      .Run();
}

TEST(HedgingTest, DeadlineEndsAllAttempts) {
  ClientScript script(Hedging());
  script.Handshake()
      .Spawn(CallFor10s)
      .Advance(seconds(2))
      .Drop()
      .Advance(seconds(8))
      .ExpectLog({"DEADLINE_EXCEEDED: deadline of 10s exceeded while waiting for the response (attempt 3)"})
      .ExpectWritten({"RST_STREAM 1 CANCEL", "RST_STREAM 3 CANCEL", "RST_STREAM 5 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

// Attempts that wait for a place go with the call.
TEST(HedgingTest, AttemptThatNeverGotAPlaceIsForgotten) {
  ClientScript script(Hedging());
  script.Handshake("MAX_CONCURRENT_STREAMS=1")
      .Spawn(CallUnary)
      .Drop()
      .Advance(seconds(2))
      .ExpectLeft({"calls: 1", "waiting: 2", "streams: 1"})
      .Peer(Reply(1, "first"))
      .ExpectLog({"reply first"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
