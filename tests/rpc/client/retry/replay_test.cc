// Calls that stream their request: what they have sent is sent again, within limits, and nothing passes the attempts
// once the call is committed.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/retry/replay_buffer.h"
#include "weir/tests/rpc/client/retry/retry_rig.h"

namespace weir {
namespace {

using namespace testing;  // NOLINT: the rig is made for these tests
using std::chrono::milliseconds;
using std::chrono::seconds;

// Writes a, then b and the end when told; reads all.
Task<void> WriteWhenTold(ClientWorld& world) {
  TestCall call = world.Open("BidiEcho");
  bool taken = co_await call.Write("a");
  world.Log(taken ? "a taken" : "a refused");
  co_await world.signal("b");
  taken = co_await call.Write("b");
  world.Log(taken ? "b taken" : "b refused");
  call.WritesDone();
  while (std::optional<bench::Payload> payload = co_await call.Read()) world.Log("read " + payload->body());
  absl::Status status = co_await call.Finish();
  world.Log(EndLine(status));
}

TEST(ReplayTest, NextAttemptIsSentWhatTheLastOneWas) {
  ClientScript script(Retrying());
  script.Handshake()
      .Spawn(WriteWhenTold)
      .ExpectWritten({AttemptLine(1, "BidiEcho", 1), Data(1, Message("a"))})
      .Set("b")
      .ExpectWritten({Data(1, Message("b"), "END_STREAM")})
      .Peer(Unavailable(1))
      .Advance(milliseconds(120))
      .ExpectWritten({AttemptLine(3, "BidiEcho", 2), Data(3, Message("a") + Message("b"), "END_STREAM")})
      .Peer(Reply(3, "x"))
      .ExpectLog({"a taken", "b taken", "read x", "OK"})
      .ExpectNothingLeft()
      .Run();
}

TEST(ReplayTest, CallGoesOnWritingInAPause) {
  ClientScript script(Retrying());
  script.Handshake()
      .Spawn(WriteWhenTold)
      .Drop()
      .Peer(Unavailable(1))
      .Set("b")
      .ExpectLog({"b taken"})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})  // the server reads no more
      .Advance(milliseconds(120))
      .ExpectWritten({AttemptLine(3, "BidiEcho", 2), Data(3, Message("a") + Message("b"), "END_STREAM")})
      .Run();
}

TEST(ReplayTest, WhatComesAfterTheResponseHeadGoesToTheStreamItself) {
  ClientScript script(Retrying());
  script.Handshake()
      .Spawn(WriteWhenTold)
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("early")))
      .Drop()
      .Set("b")
      .ExpectWritten({Data(1, Message("b"), "END_STREAM")})
      .ExpectLog({"b taken", "read early"})
      .Peer(Trailers(1, "grpc-status=14 grpc-message=busy"))
      .ExpectLog({"UNAVAILABLE: busy"})
      .ExpectNothingLeft()
      .Run();
}

TEST(ReplayTest, WindowOfTheNewStreamHoldsUpTheWriter) {
  ClientScript script(Retrying());
  script.Handshake("INITIAL_WINDOW_SIZE=5")
      .Spawn(WriteWhenTold)
      .ExpectWritten({AttemptLine(1, "BidiEcho", 1), Data(1, Message("a").substr(0, 5))})
      .ExpectLog({})
      .Peer(Unavailable(1))
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .Advance(milliseconds(120))
      .ExpectWritten({AttemptLine(3, "BidiEcho", 2), Data(3, Message("a").substr(0, 5))})
      .ExpectLog({})
      .Peer("WINDOW_UPDATE 3 100")
      .ExpectLog({"a taken"})
      .ExpectWritten({Data(3, Message("a").substr(5))})
      .Set("b")
      .ExpectLog({"b taken"})
      .Run();
}

// 200 KiB, then 100 KiB: more than is kept.
Task<void> WriteMuch(ClientWorld& world) {
  TestCall call = world.Open("BidiEcho");
  bool taken = co_await call.Write(std::string(200 * 1024, 'a'));
  world.Log(taken ? "a taken" : "a refused");
  co_await world.signal("b");
  taken = co_await call.Write(std::string(100 * 1024, 'b'));
  world.Log(taken ? "b taken" : "b refused");
  co_await world.signal("c");
  taken = co_await call.Write("c");
  world.Log(taken ? "c taken" : "c refused");
  absl::Status status = co_await call.Finish();
  world.Log(EndLine(status));
}

constexpr char kWide[] = "INITIAL_WINDOW_SIZE=10000000";
constexpr char kWideConnection[] = "WINDOW_UPDATE 0 10000000";

TEST(ReplayTest, MoreThanIsKeptCommitsTheCallToTheAttemptThatRuns) {
  ClientScript script(Retrying());
  script.Handshake(kWide)
      .Peer(kWideConnection)
      .Spawn(WriteMuch)
      .ExpectLog({"a taken"})
      .Set("b")
      .ExpectLog({"b taken"})
      .Drop()
      .Set("c")
      .ExpectLog({"c taken"})
      .ExpectWritten({Data(1, Message("c"), "END_STREAM")})
      .Peer(Unavailable(1))
      .ExpectLog({"UNAVAILABLE: busy"})
      .ExpectNothingLeft()
      .Run();
}

TEST(ReplayTest, MoreThanIsKeptInAPauseWaitsForTheNextAttemptWhichIsTheLast) {
  ClientScript script(Retrying());
  script.Handshake(kWide)
      .Peer(kWideConnection)
      .Spawn(WriteMuch)
      .Peer(Unavailable(1))
      .Set("b")
      .Set("c")
      .ExpectLog({"a taken"})
      .Drop()
      .Advance(milliseconds(120))
      .ExpectLog({"b taken", "c taken"})
      .Peer(Unavailable(3))
      .ExpectLog({"UNAVAILABLE: busy (attempt 2)"})
      .ExpectNothingLeft()
      .Run();
}

TEST(ReplayTest, HedgedAttemptsAreAllSentWhatTheCallWrites) {
  ClientScript script(Hedging());
  script.Handshake()
      .Spawn(WriteWhenTold)
      .Advance(seconds(1))
      .ExpectWritten(
          {AttemptLine(1, "BidiEcho", 1), Data(1, Message("a")), AttemptLine(3, "BidiEcho", 2), Data(3, Message("a"))})
      .Set("b")
      .ExpectWritten({Data(1, Message("b"), "END_STREAM"), Data(3, Message("b"), "END_STREAM")})
      .Peer(Reply(3, "x"))
      .ExpectLog({"a taken", "b taken", "read x", "OK"})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

TEST(ReplayTest, CallWithoutPolicyEndsWithItsFirstFailure) {
  ClientScript script;
  script.Handshake()
      .Spawn(WriteWhenTold)
      .Drop()
      .Peer(Unavailable(1))
      .Set("b")
      .ExpectLog({"b refused", "UNAVAILABLE: busy"})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
