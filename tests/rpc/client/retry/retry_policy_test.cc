// Calls under a retry policy: when attempts begin, what they say, which failures end the call, and what is left. gRFC
// A6.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/retry/replay_buffer.h"
#include "weir/tests/rpc/client/retry/retry_rig.h"

namespace weir {
namespace {

using namespace testing;  // NOLINT: the rig is made for these tests
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

const std::string kRequest = Message("hello");

// One attempt on the wire.
Lines Attempt(int stream_id, int number) {
  return {AttemptLine(stream_id, "Unary", number), Data(stream_id, kRequest, "END_STREAM")};
}

// ---- pauses ---------------------------------------------------------------------------------------------------------

TEST(RetryPolicyTest, FailedAttemptIsFollowedByOthersAfterTheirPauses) {
  ClientScript script(Retrying());
  script.Handshake()
      .Spawn(CallUnary)
      .ExpectWritten(Attempt(1, 1))
      .Peer(Unavailable(1))
      .Advance(milliseconds(80) - nanoseconds(1))  // 100 ms, less a fifth
      .ExpectWritten({})
      .ExpectLog({})
      .Advance(milliseconds(40) + nanoseconds(1))  // and a fifth more
      .ExpectWritten(Attempt(3, 2))
      .Peer(Unavailable(3))
      .Advance(milliseconds(160) - nanoseconds(1))
      .ExpectWritten({})
      .Advance(milliseconds(80) + nanoseconds(1))
      .ExpectWritten(Attempt(5, 3))
      .Peer(Failure(5, "grpc-status=10"))  // ABORTED is in the list, too
      .Advance(milliseconds(320) - nanoseconds(1))
      .ExpectWritten({})
      .Advance(milliseconds(160) + nanoseconds(1))
      .ExpectWritten(Attempt(7, 4))
      .Peer(Reply(7, "at last"))
      .ExpectLog({"reply at last"})
      .ExpectNothingLeft()
      .Run();
}

TEST(RetryPolicyTest, LastAttemptsStatusIsTheCalls) {
  ClientScript script(Retrying());
  script.Handshake().Spawn(CallUnary);
  for (int number = 1; number <= 3; ++number) script.Peer(Unavailable(2 * number - 1)).Advance(seconds(1));
  script.ExpectLog({})
      .Peer(Unavailable(7, "tenant=blue"))
      .ExpectLog({"UNAVAILABLE: busy (attempt 4)"})
      .ExpectNothingLeft()
      .Advance(seconds(100))
      .Drop()
      .ExpectWritten({})
      .Run();
}

TEST(RetryPolicyTest, OtherCodesEndTheCallAtOnce) {
  ClientScript script(Retrying());
  script.Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer(Failure(1, "grpc-status=13 grpc-message=broken"))
      .ExpectLog({"INTERNAL: broken"})
      .ExpectNothingLeft()
      .Run();
}

TEST(RetryPolicyTest, HttpFailuresCountByTheirCode) {
  ClientScript script(Retrying());
  script.Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer("HEADERS 1 END_STREAM :status=503 content-type=text/html")
      .ExpectLog({})
      .Advance(milliseconds(120))
      .ExpectWritten(Attempt(3, 2))
      .Peer(Reply(3, "hi"))
      .ExpectLog({"reply hi"})
      .Run();
}

TEST(RetryPolicyTest, ResponseHeadCommitsTheCall) {
  ClientScript script(Retrying());
  script.Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer(ResponseHead(1))
      .Peer(Trailers(1, "grpc-status=14 grpc-message=busy"))
      .ExpectLog({"UNAVAILABLE: busy"})
      .ExpectNothingLeft()
      .Run();
}

TEST(RetryPolicyTest, LostConnectionIsAFailureLikeOthers) {
  ClientScript script(Retrying());
  script.Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Lose()
      .ExpectLog({})
      .ExpectLeft({"calls: 1", "waiting: 1", "timers: 1"})
      .Advance(milliseconds(120))  // and there is no other server
      .Advance(milliseconds(240))
      .Advance(milliseconds(480))
      .ExpectLog({"UNAVAILABLE: cannot connect: connect to unix:/nowhere/to/be/found: No such file or directory; ..."})
      .Run();
}

TEST(RetryPolicyTest, WhatAnAttemptMayHaveDoneIsNotSafeToRetryAfterAllHaveFailed) {
  ClientScript script(Retrying());
  script.Handshake()
      .Spawn([](ClientWorld& world) -> Task<void> {
        TestCall call = world.Call("Unary", "hello");
        absl::StatusOr<bench::Payload> reply = co_await call.Reply();
        world.Log(IsUnprocessed(reply.status()) ? "safe" : "perhaps processed");
      })
      .Drop()
      .Peer(Unavailable(1))
      .Lose()
      .Advance(seconds(2))
      .Advance(seconds(2))
      .Advance(seconds(2))
      .ExpectLog({"perhaps processed"})
      .Run();
}

// ---- the call ends in a pause ---------------------------------------------------------------------------------------

TEST(RetryPolicyTest, DeadlinePassesInAPauseAndNamesTheLastFailure) {
  ClientScript script(Retrying());
  script.Handshake()
      .Spawn([](ClientWorld& world) -> Task<void> {
        const CallOptions options = CallOptions().Timeout(absl::Milliseconds(50));
        TestCall call = world.Call("Unary", "hello", options);
        absl::StatusOr<bench::Payload> reply = co_await call.Reply();
        world.Log(EndLine(reply.status()));
      })
      .Drop()
      .Peer(Unavailable(1))
      .Advance(milliseconds(50))
      .ExpectLog({"DEADLINE_EXCEEDED: deadline of 50ms exceeded while waiting for the response; attempt 1 failed: "
                  "UNAVAILABLE: busy"})
      .ExpectNothingLeft()
      .Advance(seconds(10))
      .ExpectWritten({})
      .Run();
}

TEST(RetryPolicyTest, DeadlineRunsOnOverAttempts) {
  ClientScript script(Retrying());
  script.Handshake()
      .Spawn(CallFor10s)
      .Drop()
      .Advance(seconds(4))
      .Peer(Unavailable(1))
      .Advance(seconds(1))
      .ExpectWritten({"HEADERS 3 :method=POST :scheme=http :path=/bench.Echo/Unary :authority=test grpc-timeout=5...",
                      Data(3, kRequest, "END_STREAM")})
      .Advance(seconds(5))
      .ExpectLog({"DEADLINE_EXCEEDED: deadline of 10s exceeded while waiting for the response; attempt 1 failed: "
                  "UNAVAILABLE: busy (attempt 2)"})
      .ExpectWritten({"RST_STREAM 3 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

TEST(RetryPolicyTest, CallThatIsCancelledInAPauseLeavesNothing) {
  ClientScript script(Retrying());
  script.Handshake()
      .Spawn([](ClientWorld& world) -> Task<void> {
        TestCall call = world.Call("Unary", "hello");
        co_await world.signal("cancel");
        call.Cancel();
        absl::StatusOr<bench::Payload> reply = co_await call.Reply();
        world.Log(EndLine(reply.status()));
      })
      .Drop()
      .Peer(Unavailable(1))
      .ExpectLeft({"calls: 1", "waiting: 1", "timers: 1"})
      .Set("cancel")
      .ExpectLog({"CANCELLED: cancelled by the caller"})
      .ExpectNothingLeft()
      .ExpectWritten({})
      .Run();
}

TEST(RetryPolicyTest, ChannelThatClosesEndsCallsThatWaitForTheirNextAttempt) {
  ClientScript script(Retrying());
  script.Handshake()
      .Spawn(CallUnary)
      .Spawn(CallUnary)
      .Peer(Unavailable(1))
      .Drop()
      .Shutdown()
      .ExpectLog({"CANCELLED: the channel was closed", "CANCELLED: the channel was closed"})
      .ExpectNothingLeft()
      .Run();
}

// ---- push-back ------------------------------------------------------------------------------------------------------

TEST(PushBackTest, ServerSaysWhenToComeAgainAndPausesBeginAnew) {
  ClientScript script(Retrying());
  script.Handshake()
      .Spawn(CallUnary)
      .Peer(Unavailable(1))
      .Advance(milliseconds(120))
      .Drop()
      .Peer(Unavailable(3, "grpc-retry-pushback-ms=3000"))
      .Advance(seconds(3) - nanoseconds(1))
      .ExpectWritten({})
      .Advance(nanoseconds(1))
      .ExpectWritten(Attempt(5, 3))
      .Peer(Unavailable(5))
      .Advance(milliseconds(120))  // as after the first failure
      .ExpectWritten(Attempt(7, 4))
      .Run();
}

TEST(PushBackTest, ZeroMeansNow) {
  ClientScript script(Retrying());
  script.Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer(Unavailable(1, "grpc-retry-pushback-ms=0"))
      .Advance(nanoseconds(1))
      .ExpectWritten(Attempt(3, 2))
      .Run();
}

TEST(PushBackTest, NegativeOrUnparsableMeansNever) {
  for (const char* value : {"-1", "soon"}) {
    ClientScript script(Retrying());
    script.Handshake()
        .Spawn(CallUnary)
        .Drop()
        .Peer(Unavailable(1, absl::StrCat("grpc-retry-pushback-ms=", value)))
        .ExpectLog({"UNAVAILABLE: busy"})
        .ExpectNothingLeft()
        .Run();
  }
}

// ---- throttling -----------------------------------------------------------------------------------------------------

TEST(ThrottlingTest, FailuresOfTheChannelStopRetriesAndSuccessesAllowThem) {
  // Four tokens, and no retry at two or less.
  ClientScript script(Retrying(R"(,"retryThrottling":{"maxTokens":4,"tokenRatio":0.5})"));
  script.Handshake()
      .Spawn(CallUnary)
      .Peer(Unavailable(1))  // 3
      .Advance(milliseconds(120))
      .ExpectLog({})
      .Peer(Unavailable(3))  // 2
      .ExpectLog({"UNAVAILABLE: busy (attempt 2)"})
      .ExpectNothingLeft()
      .Spawn(CallUnary)
      .Peer(Reply(5, "a"))  // 2.5
      .Spawn(CallUnary)
      .Peer(Failure(7, "grpc-status=13"))  // not of those that count
      .Spawn(CallUnary)
      .Peer(Failure(9, "grpc-status=0"))  // 3: OK, and no message, which is the call's own error
      .Spawn(CallUnary)
      .Peer(Reply(11, "b"))  // 3.5
      .ExpectLog({"reply a", "INTERNAL: ...", "UNIMPLEMENTED: ...", "reply b"})
      .Drop()
      .Spawn(CallUnary)
      .Peer(Unavailable(13))  // 2.5
      .ExpectLog({})
      .Advance(milliseconds(120))
      .Peer(Unavailable(15))  // 1.5
      .ExpectLog({"UNAVAILABLE: busy (attempt 2)"})
      .Run();
}

TEST(ThrottlingTest, FailureAfterTheResponseHeadCountsToo) {
  ClientScript script(Retrying(R"(,"retryThrottling":{"maxTokens":2,"tokenRatio":0.1})"));
  script.Handshake()
      .Spawn(CallUnary)
      .Peer(ResponseHead(1) + "\n" + Trailers(1, "grpc-status=14"))  // 1
      .ExpectLog({"UNAVAILABLE: "})
      .Spawn(CallUnary)
      .Peer(Unavailable(3))
      .ExpectLog({"UNAVAILABLE: busy"})
      .Run();
}

// ---- who does not want retries --------------------------------------------------------------------------------------

TEST(RetryPolicyTest, CallMayDoWithout) {
  ClientScript script(Retrying());
  script.Handshake()
      .Spawn(CallOnce)
      .Drop()
      .Peer(Unavailable(1))
      .ExpectLog({"UNAVAILABLE: busy"})
      .ExpectNothingLeft()
      .Run();
}

TEST(RetryPolicyTest, ChannelMayDoWithout) {
  ChannelOptions options = Retrying();
  options.enable_retries = false;
  ClientScript script(options);
  script.Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer(Unavailable(1))
      .ExpectLog({"UNAVAILABLE: busy"})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
