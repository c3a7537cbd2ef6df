// What a client makes of a response: head, messages, status, and everything that may be wrong with them.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/status.h"
#include "weir/tests/support/client_script.h"

namespace weir {
namespace {

using bench::Payload;
using testing::ClientScript;
using testing::ClientWorld;
using testing::Data;
using testing::Envelope;
using testing::Line;
using testing::Message;
using testing::RequestLine;
using testing::ResponseHead;
using testing::TestCall;
using testing::Trailers;

void LogMetadata(ClientWorld& world, std::string_view what, const Metadata& metadata) {
  for (const auto& [key, value] : metadata) world.Log(absl::StrCat(std::string(what), " ", key, "=", value));
}

Task<void> CallUnary(ClientWorld& world) {
  TestCall call = world.Call("Unary", "hello");
  absl::StatusOr<Payload> reply = co_await call.Reply();
  world.Log(reply.ok() ? "reply " + reply->body() : Line(reply.status()));
  LogMetadata(world, "trailing", call.trailing_metadata());
}

Task<void> CallStream(ClientWorld& world) {
  TestCall call = world.Call("ServerStream", "");
  Metadata initial = co_await call.InitialMetadata();
  LogMetadata(world, "initial", initial);
  while (std::optional<Payload> payload = co_await call.Read()) {
    const std::string body = payload->body().size() > 20 ? std::to_string(payload->body().size()) : payload->body();
    world.Log("read " + body);
  }
  absl::Status status = co_await call.Finish();
  world.Log(Line(status));
  LogMetadata(world, "trailing", call.trailing_metadata());
}

// Reads one message after each signal "1", "2", ...
Task<void> CallStreamWhenTold(ClientWorld& world) {
  TestCall call = world.Call("ServerStream", "");
  for (int i = 1;; ++i) {
    co_await world.signal(std::to_string(i));
    std::optional<Payload> payload = co_await call.Read();
    if (!payload) break;
    world.Log(absl::StrCat("read ", payload->body().substr(0, 20)));
  }
  absl::Status status = co_await call.Finish();
  world.Log(Line(status));
}

// ---- in good order --------------------------------------------------------------------------------------------------

TEST(ClientResponseTest, UnaryCallSendsOneMessageAndGetsOne) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .ExpectWritten({RequestLine(1, "Unary"), Data(1, Message("hello"), "END_STREAM")})
      .ExpectLog({})
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("hi")))
      .ExpectLog({})
      .Peer(Trailers(1))
      .ExpectLog({"reply hi"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

TEST(ClientResponseTest, RequestLeavesInOneWrite) {
  ClientScript script;
  script.Handshake().Spawn(CallUnary).ExpectWrites(1).Run();
}

TEST(W32StatusOrder, MessagesComeBeforeTheStatus) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallStream)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("a") + Message("b")) + "\n" +
            Trailers(1, "grpc-status=10 grpc-message=later"))
      .ExpectLog({"read a", "read b", "ABORTED: later"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W32StatusOrder, MessagesNobodyHasReadYetAreDeliveredBeforeTheStatus) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallStreamWhenTold)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("a") + Message("b")) + "\n" + Trailers(1))
      .ExpectLog({})
      .Set("1")
      .ExpectLog({"read a"})
      .Set("2")
      .ExpectLog({"read b"})
      .Set("3")
      .ExpectLog({"OK"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W13Duplicates, MetadataOfBothKindsComesInOrderAndDecoded) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallStream)
      .Drop()
      .Peer(ResponseHead(1, "tenant=blue a-bin=AAEC tenant=green grpc-accept-encoding=gzip"))
      .ExpectLog({"initial tenant=blue", std::string("initial a-bin=\0\1\2", 17), "initial tenant=green"})
      .Peer(Trailers(1, "grpc-status=0 cost=7 cost=8 b-bin=AQ,Ag"))
      .ExpectLog({"OK", "trailing cost=7", "trailing cost=8", "trailing b-bin=\1", "trailing b-bin=\2"})
      .ExpectNothingLeft()
      .Run();
}

Task<void> CallForDetails(ClientWorld& world) {
  TestCall call = world.Call("ServerStream", "");
  absl::Status status = co_await call.Finish();
  world.Log(Line(status) + " with " + EncodedDetails(status));
  LogMetadata(world, "trailing", call.trailing_metadata());
}

TEST(ClientResponseTest, DetailsComeWithTheStatusAndNotAsMetadata) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallForDetails)
      .Spawn(CallForDetails)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Trailers(1, "grpc-status=5 grpc-message=no grpc-status-details-bin=Zm9v"))
      .ExpectLog({"NOT_FOUND: no with foo"})
      .Peer(Trailers(3, ":status=200 content-type=application/grpc grpc-status=5 grpc-status-details-bin=Zm9v"))
      .ExpectLog({"NOT_FOUND:  with foo"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W20GrpcStatus, StatusOfAFailedCallCountsWhateverMessagesCame) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("hi")) + "\n" + Trailers(1, "grpc-status=10"))
      .ExpectLog({"ABORTED: "})
      .ExpectNothingLeft()
      .Run();
}

// ---- the window -----------------------------------------------------------------------------------------------------

ChannelOptions SmallWindows() {
  ChannelOptions options;
  options.stream_window_bytes = 65535;
  options.connection_window_bytes = 65535;
  options.unread_bytes_max = 0;  // what waits is charged to both windows
  return options;
}

TEST(ClientResponseTest, MessageWaitsForTheReaderAndHoldsItsWindow) {
  const std::string message = Message(std::string(40000, 'x'));
  const std::string frames = ResponseHead(1) + "\n" + Data(1, message.substr(0, 16000)) + "\n" +
                             Data(1, message.substr(16000, 16000)) + "\n" + Data(1, message.substr(32000));
  ClientScript script(SmallWindows());
  script.Handshake()
      .Spawn(CallStreamWhenTold)
      .Drop()
      .Peer(frames)
      .ExpectReturned(1, 0)
      .ExpectReturned(0, 0)
      .Set("1")
      .ExpectLog({"read xxxxxxxxxxxxxxxxxxxx"})
      .ExpectReturned(1, static_cast<int64_t>(message.size()))
      .ExpectReturned(0, static_cast<int64_t>(message.size()))
      .Run();
}

TEST(ClientResponseTest, WhatWasNeverReadIsReturnedToTheConnectionWhenTheCallEnds) {
  const std::string message = Message(std::string(40000, 'x'));
  ClientScript script(SmallWindows());
  script.Handshake()
      .Spawn(CallStreamWhenTold)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, message.substr(0, 16000)) + "\n" + Data(1, message.substr(16000, 16000)) +
            "\n" + Data(1, message.substr(32000)))
      .Peer("RST_STREAM 1 INTERNAL_ERROR")
      .ExpectReturned(0, static_cast<int64_t>(message.size()))
      .Run();
}

// ---- what may be wrong ----------------------------------------------------------------------------------------------

TEST(AbuseCardinality, NoReplyAndTwoRepliesToAUnaryCallAreUnimplemented) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Spawn(CallUnary)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Trailers(1))
      .ExpectLog({"UNIMPLEMENTED: expected exactly one message on this half of the call, got none"})
      .Peer(ResponseHead(3) + "\n" + Data(3, Message("a") + Message("b")))
      .ExpectLog({"UNIMPLEMENTED: expected exactly one message on this half of the call, got a second one"})
      .ExpectWritten({"RST_STREAM 3 INTERNAL_ERROR"})
      .ExpectNothingLeft()
      .Run();
}

TEST(AbuseFlag, BrokenEnvelopesAreInternal) {
  const struct {
    std::string bytes;
    std::string text;
  } cases[] = {
      {Envelope(1, 2, "xy"), "INTERNAL: message has its compressed flag set..."},
      {Envelope(9, 2, "xy"), "INTERNAL: message prefix: expected compressed-flag 0 or 1, got 9"},
      {Envelope(0, 3, "\x0a\x7fz"), "INTERNAL: ..."},
  };
  for (const auto& broken : cases) {
    ClientScript script;
    script.Handshake()
        .Spawn(CallUnary)
        .Drop()
        .Peer(ResponseHead(1) + "\n" + Data(1, broken.bytes))
        .ExpectLog({broken.text})
        .ExpectWritten({"RST_STREAM 1 INTERNAL_ERROR"})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(W16Messages, MessageCutOffByTheStatusIsInternalUnlessTheStatusIsAnErrorItself) {
  for (const std::string& cut : {std::string("\0\0\0", 3), Envelope(0, 9, "half")}) {
    ClientScript script;
    script.Handshake()
        .Spawn(CallStream)
        .Spawn(CallStream)
        .Drop()
        .Peer(ResponseHead(1) + "\n" + Data(1, Message("a") + cut) + "\n" + Trailers(1))
        .ExpectLog({"read a", "INTERNAL: stream ended inside a message..."})
        .Peer(ResponseHead(3) + "\n" + Data(3, Message("a") + cut) + "\n" + Trailers(3, "grpc-status=10"))
        .ExpectLog({"read a", "ABORTED: "})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(W17MessageLimit, LimitOfAMessageIsCheckedFromItsPrefixAlone) {
  ChannelOptions options;
  options.max_receive_message_bytes = 100;
  for (uint32_t length : {99u, 100u}) {
    ClientScript script(options);
    script.Handshake()
        .Spawn(CallStream)
        .Drop()
        .Peer(ResponseHead(1) + "\n" + Data(1, Message(std::string(length - 2, 'x'))) + "\n" + Trailers(1))
        .ExpectLog({"read " + std::to_string(length - 2), "OK"})
        .Run();
  }
  ClientScript script(options);
  script.Handshake()
      .Spawn(CallStream)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Envelope(0, 101)))
      .ExpectLog({"RESOURCE_EXHAUSTED: message of 101 bytes is over the limit of 100 bytes (option "
                  "max_receive_message_bytes)"})
      .ExpectWritten({"RST_STREAM 1 ENHANCE_YOUR_CALM"})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
