// How a response ends: W25 (the server is done before the client), W27 (its deadline), W32 (the order of messages and
// status); and what becomes of one that its client does not read.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "weir/tests/support/server_script.h"

namespace weir {
namespace {

using bench::Payload;
using std::chrono::seconds;
using testing::Data;
using testing::Envelope;
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

Task<absl::StatusOr<Payload>> Echo(ServerWorld& world, ServerContext& context, const Payload& request) {
  co_return request;
}

Task<absl::StatusOr<bench::Summary>> AnswerAtOnce(ServerWorld& world, ServerContext& context, Reader<Payload>& reader) {
  bench::Summary summary;
  summary.set_count(7);
  co_return summary;
}

// Writes two messages without waiting for either, and returns when told.
Task<void> WriteOne(Writer<Payload>* writer, std::string_view body, ServerWorld* world) {
  const Payload payload = Body(body);
  const bool taken = co_await writer->Write(payload);
  world->Log(std::string(body.substr(0, 5)) + (taken ? " taken" : " refused"));
}

Task<absl::Status> WriteTwoAtOnce(ServerWorld& world, ServerContext& context, Reader<Payload>& reader,
                                  Writer<Payload>& writer) {
  Spawn(WriteOne(&writer, "first message", &world));
  Spawn(WriteOne(&writer, "second message", &world));
  co_await world.signal("return");
  co_return absl::OkStatus();
}

Task<absl::Status> WriteAndRead(ServerWorld& world, ServerContext& context, Reader<Payload>& reader,
                                Writer<Payload>& writer) {
  context.OnCancel([&world] { world.Log("cancelled"); });
  Spawn(WriteOne(&writer, "first message", &world));
  while (std::optional<Payload> payload = co_await reader.Read()) world.Log("read " + payload->body());
  world.Log("read nothing more");
  co_return absl::OkStatus();
}

std::string Summary7() {
  bench::Summary summary;
  summary.set_count(7);
  const std::string bytes = summary.SerializeAsString();
  return Envelope(0, static_cast<uint32_t>(bytes.size()), bytes);
}

// ---- W25 ------------------------------------------------------------------------------------------------------------
//
// RFC 9113 section 8.1: "a server MAY request that the client abort transmission of a request without error by sending
// a RST_STREAM with an error code of NO_ERROR after sending a complete response".

TEST(W25EarlyFinish, ResponseThatWaitsForItsWindowIsFollowedByNoErrorToo) {
  ServerScript script;
  script.ClientStream(AnswerAtOnce)
      .Handshake("INITIAL_WINDOW_SIZE=3")
      .Peer(Request(1, "ClientStream"))
      .ExpectWritten({ResponseHead(1), Data(1, Summary7().substr(0, 3))})
      .Peer(Data(1, Message("nobody reads this")))
      .ExpectWritten({})
      .Peer("WINDOW_UPDATE 1 1000")
      .ExpectWritten({Data(1, Summary7().substr(3)), Trailers(1), "RST_STREAM 1 NO_ERROR"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W25EarlyFinish, ClientThatEndsWhileTheResponseWaitsIsNotReset) {
  ServerScript script;
  script.ClientStream(AnswerAtOnce)
      .Handshake("INITIAL_WINDOW_SIZE=3")
      .Peer(Request(1, "ClientStream"))
      .Peer(Data(1, "", "END_STREAM"))
      .Drop()
      .Peer("WINDOW_UPDATE 1 1000")
      .ExpectWritten({Data(1, Summary7().substr(3)), Trailers(1)})
      .ExpectNothingLeft()
      .Run();
}

TEST(W25EarlyFinish, WhatTheClientStillSendsReturnsToTheConnectionsWindow) {
  weir::ServerOptions options;
  options.stream_window_bytes = 65535;
  options.connection_window_bytes = 65535;
  options.unread_bytes_max = 0;
  const std::string late(16000, 'x');
  ServerScript script(options);
  script.ClientStream(AnswerAtOnce).Handshake("INITIAL_WINDOW_SIZE=0").Peer(Request(1, "ClientStream")).Drop();
  for (int i = 0; i < 5; ++i) script.Peer(Data(1, late));  // more than the window
  script.ExpectWritten({}).Run();
}

// ---- the client does not read ---------------------------------------------------------------------------------------

TEST(HeldResponse, DeadlineOfTheCallStillRunsAndResetsTheStream) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake("INITIAL_WINDOW_SIZE=0")
      .Peer(Request(1, "Unary", "grpc-timeout=10S") + "\n" + Data(1, Message("x"), "END_STREAM"))
      .ExpectWritten({ResponseHead(1)})
      .ExpectLeft({"streams: 1", "timers: 1"})  // the handler has returned
      .Advance(seconds(9))
      .ExpectWritten({})
      .Advance(seconds(1))
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Peer("WINDOW_UPDATE 1 1000")
      .ExpectWritten({})
      .Run();
}

TEST(HeldResponse, WithoutADeadlineItIsGivenUpAfterItsTimeout) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake("INITIAL_WINDOW_SIZE=0")
      .Peer(Request(1, "Unary") + "\n" + Data(1, Message("x"), "END_STREAM"))
      .Drop()
      .Advance(seconds(299))
      .ExpectWritten({})
      .Advance(seconds(1))
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

TEST(HeldResponse, ClientThatTakesALittleBeginsItsTimeAnew) {
  const std::string reply = Message(std::string(100, 'x'));
  ServerScript script;
  script.Unary(Echo)
      .Handshake("INITIAL_WINDOW_SIZE=0")
      .Peer(Request(1, "Unary") + "\n" + Data(1, reply, "END_STREAM"))
      .Drop()
      .Advance(seconds(200))
      .Peer("WINDOW_UPDATE 1 10")
      .ExpectWritten({Data(1, reply.substr(0, 10))})
      .Advance(seconds(299))
      .ExpectWritten({})
      .Peer("WINDOW_UPDATE 0 10")  // of no use to the stream
      .Advance(seconds(1))
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

TEST(HeldResponse, ResponseThatLeavesTakesItsTimerAlong) {
  for (const std::string& end : {std::string("WINDOW_UPDATE 1 1000"), std::string("RST_STREAM 1 CANCEL")}) {
    ServerScript script;
    script.Unary(Echo)
        .Handshake("INITIAL_WINDOW_SIZE=0")
        .Peer(Request(1, "Unary") + "\n" + Data(1, Message("x"), "END_STREAM"))
        .ExpectLeft({"streams: 1", "timers: 1"})
        .Peer(end)
        .Drop()
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(HeldResponse, LostConnectionLeavesNoTimer) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake("INITIAL_WINDOW_SIZE=0")
      .Peer(Request(1, "Unary") + "\n" + Data(1, Message("x"), "END_STREAM"))
      .Lose()
      .ExpectLog({"connection gone"})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::Status> WriteAndLog(ServerWorld& world, ServerContext& context, Reader<Payload>& reader,
                               Writer<Payload>& writer) {
  Payload payload;
  payload.set_body("hello");
  const bool taken = co_await writer.Write(payload);
  world.Log(taken ? "taken" : std::string(context.cancel_reason().message()));
  if (taken) co_await world.signal("return");
  co_return absl::OkStatus();
}

ServerScript& Begin(ServerScript& script, const std::string& settings) {
  return script.Bidi(WriteAndLog).Handshake(settings).Peer(Request(1, "BidiEcho", "", "END_STREAM"));
}

TEST(HeldWrite, HandlerThatWaitsGoesOnAfterTheTimeoutAndTheCallIsCancelled) {
  ServerScript script;
  Begin(script, "INITIAL_WINDOW_SIZE=0")
      .ExpectWritten({ResponseHead(1)})
      .ExpectLeft({"handlers: 1", "streams: 1", "timers: 1"})
      .Advance(seconds(299))
      .ExpectLog({})
      .Advance(seconds(1))
      .ExpectLog({"the client does not read: it has taken nothing for 5m (ServerOptions::stream_write_stall_timeout)"})
      .ExpectWritten({"HEADERS 1 END_STREAM grpc-status=1 grpc-message=\"the client does not read..."})
      .ExpectTimeouts({Timeout::kStreamWriteStall})
      .ExpectNothingLeft()
      .Run();
}

TEST(HeldWrite, BehindHalfAMessageTheStreamIsReset) {
  ServerScript script;
  Begin(script, "INITIAL_WINDOW_SIZE=5")
      .Drop()
      .Advance(seconds(300))
      .ExpectLog({"the client does not read: ..."})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

TEST(HeldWrite, ClientThatTakesALittleBeginsItsTimeAnewAndOneThatTakesAllEndsIt) {
  ServerScript script;
  Begin(script, "INITIAL_WINDOW_SIZE=0")
      .Advance(seconds(299))
      .Peer("WINDOW_UPDATE 1 11")
      .Advance(seconds(299))
      .ExpectLog({})
      .Peer("WINDOW_UPDATE 1 1")
      .ExpectLog({"taken"})
      .ExpectLeft({"handlers: 1", "streams: 1"})
      .Set("return")
      .ExpectNothingLeft()
      .Run();
}

TEST(HeldWrite, ClientThatLeavesEndsIt) {
  for (const bool reset : {true, false}) {
    ServerScript script;
    Begin(script, "INITIAL_WINDOW_SIZE=5");
    reset ? script.Peer("RST_STREAM 1 CANCEL") : script.Lose();
    script.Drop().ExpectNothingLeft().Run();
  }
}

TEST(HeldResponse, TimeoutMayBeInfinite) {
  weir::ServerOptions options = testing::Undisturbed();
  options.stream_write_stall_timeout = absl::InfiniteDuration();
  ServerScript script(options);
  script.Unary(Echo)
      .Handshake("INITIAL_WINDOW_SIZE=0")
      .Peer(Request(1, "Unary") + "\n" + Data(1, Message("x"), "END_STREAM"))
      .Drop()
      .Advance(std::chrono::hours(100))
      .ExpectWritten({})
      .Peer("WINDOW_UPDATE 1 1000")
      .ExpectWritten({Data(1, Message("x")), Trailers(1)})
      .ExpectNothingLeft()
      .Run();
}

// ---- W27 and W32: what may overtake what ----------------------------------------------------------------------------

TEST(W32StatusOrder, StatusOfAHandlerWaitsForEveryMessageBeforeIt) {
  const std::string first = Message("first message");
  const std::string second = Message("second message");
  ServerScript script;
  script.Bidi(WriteTwoAtOnce)
      .Handshake("INITIAL_WINDOW_SIZE=25")
      .Peer(Request(1, "BidiEcho", "", "END_STREAM"))
      .Drop()
      .Set("return")
      .ExpectWritten({})
      .Peer("WINDOW_UPDATE 1 1000")
      .ExpectWritten({Data(1, (first + second).substr(25)), Trailers(1)})
      .ExpectNothingLeft()
      .Run();
}

TEST(W27Deadline, MessageCutByTheWindowIsResetWithCancel) {
  ServerScript script;
  script.Bidi(WriteAndRead)
      .Handshake("INITIAL_WINDOW_SIZE=3")
      .Peer(Request(1, "BidiEcho", "grpc-timeout=1S"))
      .ExpectWritten({ResponseHead(1), Data(1, Message("first message").substr(0, 3))})
      .Advance(seconds(1))
      .ExpectLog({"cancelled", "read nothing more", "first refused"})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W27Deadline, MessagesThatWaitWholeAreDroppedForTheStatus) {
  ServerScript script;
  script.Bidi(WriteAndRead)
      .Handshake("INITIAL_WINDOW_SIZE=0")
      .Peer(Request(1, "BidiEcho", "grpc-timeout=1S"))
      .ExpectWritten({ResponseHead(1)})
      .Advance(seconds(1))
      .ExpectLog({"cancelled", "read nothing more", "first refused"})
      .ExpectWritten({"HEADERS 1 END_STREAM grpc-status=4 ...", "RST_STREAM 1 NO_ERROR"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W32StatusOrder, MistakeOfTheClientOvertakesMessagesThatWaitForItsWindow) {
  ServerScript script;
  script.Bidi(WriteAndRead)
      .Handshake("INITIAL_WINDOW_SIZE=0")
      .Peer(Request(1, "BidiEcho"))
      .ExpectWritten({ResponseHead(1)})
      .Peer(Data(1, Envelope(9, 0)))
      .ExpectWritten({"HEADERS 1 END_STREAM grpc-status=13 ...", "RST_STREAM 1 NO_ERROR"})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
