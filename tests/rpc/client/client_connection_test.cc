// Calls and the life of their connection on the client: places, GOAWAY, loss, and the end of the channel.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/status.h"
#include "weir/tests/support/client_script.h"

namespace weir {
namespace {

using bench::Payload;
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

Task<void> CallStreamLater(ClientWorld& world) {
  TestCall call = world.Call("ServerStream", "");
  co_await world.signal("go on");
  while (std::optional<Payload> payload = co_await call.Read()) world.Log("read " + payload->body());
  absl::Status status = co_await call.Finish();
  world.Log(EndLine(status));
}

std::string Reply(int stream_id, std::string_view body) {
  return ResponseHead(stream_id) + "\n" + Data(stream_id, Message(body)) + "\n" + Trailers(stream_id);
}

// ---- places ---------------------------------------------------------------------------------------------------------

TEST(ClientConnectionTest, CallWaitsForTheServersSettings) {
  ClientScript script;
  script.Connect()
      .Spawn(CallUnary)
      .ExpectWritten({})
      .ExpectLeft({"calls: 1", "waiting: 1", "timers: 1"})
      .Peer("SETTINGS")
      .ExpectWritten({"SETTINGS ACK", RequestLine(1, "Unary"), Data(1, Message("hello"), "END_STREAM")})
      .Run();
}

TEST(MaxConcurrentStreams, CallAboveTheServersLimitWaitsForAPlace) {
  ClientScript script;
  script.Handshake("MAX_CONCURRENT_STREAMS=1")
      .Spawn(CallUnary)
      .Spawn(CallUnary)
      .Spawn(CallUnary)
      .ExpectWritten({RequestLine(1, "Unary"), Data(1, Message("hello"), "END_STREAM")})
      .ExpectLeft({"calls: 3", "waiting: 2", "streams: 1"})
      .Peer(Reply(1, "one"))
      .ExpectLog({"reply one"})
      .ExpectWritten({RequestLine(3, "Unary"), Data(3, Message("hello"), "END_STREAM")})
      .Peer("RST_STREAM 3 CANCEL")
      .ExpectLog({"CANCELLED: ..."})
      .ExpectWritten({RequestLine(5, "Unary"), Data(5, Message("hello"), "END_STREAM")})
      .Peer(Reply(5, "three"))
      .ExpectLog({"reply three"})
      .ExpectNothingLeft()
      .Run();
}

TEST(MaxConcurrentStreams, LimitThatIsRaisedLetsCallsGo) {
  ClientScript script;
  script.Handshake("MAX_CONCURRENT_STREAMS=0")
      .Spawn(CallUnary)
      .Spawn(CallUnary)
      .ExpectWritten({})
      .Peer("SETTINGS MAX_CONCURRENT_STREAMS=2")
      .ExpectWritten({"SETTINGS ACK", RequestLine(1, "Unary"), RequestLine(3, "Unary"),
                      Data(1, Message("hello"), "END_STREAM"), Data(3, Message("hello"), "END_STREAM")})
      .Run();
}

// ---- GOAWAY ---------------------------------------------------------------------------------------------------------

TEST(W28GoAway, GoAwayEndsUnprocessedCallsAndLetsTheOthersFinish) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Spawn(CallOnce)
      .Drop()
      .Peer("GOAWAY last=1 NO_ERROR")
      .ExpectLog({"UNAVAILABLE: peer sent GOAWAY before it processed stream 3: NO_ERROR(0) (unprocessed)"})
      .ExpectLeft({"calls: 1", "streams: 1"})
      .Peer(Reply(1, "one"))
      .ExpectLog({"reply one"})
      .PeerCloses()
      .ExpectNothingLeft()
      .Run();
}

TEST(W28GoAway, TwoStepDrainOfTheServerLosesNoCall) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer("GOAWAY last=2147483647 NO_ERROR\nPING 0123456789abcdef")
      .ExpectWritten({"PING ACK 0123456789abcdef"})
      .ExpectLog({})
      .Peer("GOAWAY last=1 NO_ERROR")
      .ExpectLog({})
      .Peer(Reply(1, "one"))
      .ExpectLog({"reply one"})
      .PeerCloses()
      .ExpectNothingLeft()
      .Run();
}

TEST(W28GoAway, NoCallStartsOnADrainingConnection) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Peer("GOAWAY last=1 NO_ERROR")
      .Drop()
      .Spawn(CallUnary)  // looks for another connection, which there is none
      .ExpectLog({"UNAVAILABLE: cannot connect: connect to unix:/nowhere/to/be/found: ..."})
      .ExpectWritten({})
      .Peer(Reply(1, "one"))
      .ExpectLog({"reply one"})
      .Run();
}

TEST(W28GoAway, CallsThatWaitForAPlaceGoElsewhereAfterGoAway) {
  ClientScript script;
  script.Handshake("MAX_CONCURRENT_STREAMS=1")
      .Spawn(CallUnary)
      .Spawn(CallUnary)
      .Drop()
      .Peer("GOAWAY last=1 NO_ERROR")
      .ExpectLog({"UNAVAILABLE: cannot connect: connect to unix:/nowhere/to/be/found: ..."})
      .Peer(Reply(1, "one"))
      .ExpectLog({"reply one"})
      .Run();
}

// ---- loss -----------------------------------------------------------------------------------------------------------

TEST(W31Loss, LostConnectionEndsItsCallsAsUnavailable) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Spawn(CallUnary)
      .Drop()
      .Lose()
      .ExpectLog({"UNAVAILABLE: read: Connection reset by peer...", "UNAVAILABLE: read: Connection reset by peer..."})
      .ExpectNothingLeft()
      .Run();
}

TEST(W31Loss, ServerThatClosesEndsItsCallsAsUnavailable) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer(ResponseHead(1))
      .PeerCloses()
      .ExpectLog({"UNAVAILABLE: connection to peer closed by peer..."})
      .ExpectNothingLeft()
      .Run();
}

TEST(W31Loss, ResponseThatIsCompleteIsReadThoughItsConnectionIsLost) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallStreamLater)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("a") + Message("b")) + "\n" + Trailers(1, "grpc-status=10"))
      .Lose()
      .ExpectLog({})
      .Set("go on")
      .ExpectLog({"read a", "read b", "ABORTED: "})
      .ExpectNothingLeft()
      .Run();
}

TEST(ClientConnectionTest, ConnectionThatFailsBeforeItsSettingsFailsTheCallsThatWait) {
  ClientScript script;
  script.Connect()
      .Spawn(CallUnary)
      .PeerCloses()
      .ExpectLog({"UNAVAILABLE: cannot connect: connection to peer closed by peer before it sent anything..."})
      .Run();
}

TEST(ClientConnectionTest, ServerThatNeverSendsItsSettingsIsGivenUp) {
  ChannelOptions options;
  options.connect_timeout = absl::Seconds(5);
  ClientScript script(options);
  script.Connect()
      .Spawn(CallUnary)
      .Advance(seconds(4))
      .ExpectLog({})
      .Advance(seconds(1))
      .ExpectLog({"UNAVAILABLE: cannot connect: connected to peer, which sent no SETTINGS frame within 5s..."})
      .Do([](ClientWorld& w) { EXPECT_EQ(w.core().peer_counts().count(Timeout::kConnect), 1u); })
      .Advance(seconds(200))
      .ExpectLeft({"timers: 1"})  // it goes on trying
      .Shutdown()
      .ExpectNothingLeft()
      .Run();
}

TEST(ClientConnectionTest, ConnectTimeoutMayBeInfinite) {
  ChannelOptions options;
  options.connect_timeout = absl::InfiniteDuration();
  ClientScript script(options);
  script.Connect()
      .Spawn(CallUnary)
      .Advance(seconds(100))
      .ExpectLog({})
      .Peer("SETTINGS")
      .Peer(Reply(1, "one"))
      .ExpectLog({"reply one"});
  script.Run();
}

// ---- wait-for-ready -------------------------------------------------------------------------------------------------

Task<void> CallPatiently(ClientWorld& world) {
  const CallOptions options = CallOptions().WaitForReady().Timeout(absl::Seconds(30));
  TestCall call = world.Call("Unary", "hello", options);
  absl::StatusOr<Payload> reply = co_await call.Reply();
  world.Log(reply.ok() ? "reply " + reply->body() : EndLine(reply.status()));
}

TEST(WaitForReady, CallWaitsWhileAttemptsToConnectFailUntilItsDeadline) {
  ClientScript script;
  script.Spawn(CallPatiently)
      .Spawn(CallUnary)
      .ExpectLog({"UNAVAILABLE: cannot connect: connect to unix:/nowhere/to/be/found: ..."})
      .Spawn(CallPatiently)  // in the pause
      .ExpectLeft({"calls: 2", "waiting: 2", "timers: 3"})
      .Advance(seconds(29))
      .ExpectLog({})
      .Advance(seconds(1))
      .ExpectLog({"DEADLINE_EXCEEDED: deadline of 30s exceeded while connecting; cannot connect: ...",
                  "DEADLINE_EXCEEDED: deadline of 30s exceeded while connecting; cannot connect: ..."})
      .Advance(seconds(200))
      .ExpectLeft({"timers: 1"})  // it goes on trying
      .Shutdown()
      .ExpectNothingLeft()
      .Run();
}

TEST(WaitForReady, CallThatWaitsEndsWithItsChannel) {
  ClientScript script;
  script.Spawn(CallPatiently)
      .Shutdown()
      .ExpectLog({"CANCELLED: the channel was closed (unprocessed)"})
      .ExpectNothingLeft()
      .Run();
}

// ---- the channel goes -----------------------------------------------------------------------------------------------

TEST(ClientConnectionTest, ShutdownEndsEveryCallAndLeavesNothing) {
  ClientScript script;
  script.Handshake("MAX_CONCURRENT_STREAMS=1")
      .Spawn(CallUnary)
      .Spawn(CallUnary)
      .Drop()
      .Shutdown()
      .ExpectLog({"CANCELLED: the channel was closed (unprocessed)", "CANCELLED: the channel was closed"})
      .ExpectNothingLeft()
      .Spawn(CallUnary)
      .ExpectLog({"CANCELLED: the channel is closed (unprocessed)"})
      .ExpectNothingLeft()
      .Run();
}

TEST(ClientConnectionTest, ShutdownEndsACallWhoseResponseIsCompleteButUnread) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallStreamLater)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("a")) + "\n" + Trailers(1))
      .Shutdown()
      .Set("go on")
      .ExpectLog({"CANCELLED: the channel was closed"})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
