// What a server does with the request half of a call: messages cut out of DATA, the window, and everything that may be
// wrong with either.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/tests/support/server_script.h"

namespace weir {
namespace {

using bench::Payload;
using bench::Summary;
using testing::Data;
using testing::Envelope;
using testing::Message;
using testing::Request;
using testing::ResponseHead;
using testing::ServerScript;
using testing::ServerWorld;
using testing::Trailers;

// ---- handlers -------------------------------------------------------------------------------------------------------

Task<absl::StatusOr<Payload>> Echo(ServerWorld& world, ServerContext& context, const Payload& request) {
  world.Log(absl::StrCat("unary ", request.body()));
  co_return request;
}

// Says what it read.
Task<absl::StatusOr<Summary>> Count(ServerWorld& world, ServerContext& context, Reader<Payload>& reader) {
  Summary summary;
  while (std::optional<Payload> payload = co_await reader.Read()) {
    world.Log(absl::StrCat("read ", payload->body()));
    summary.set_count(summary.count() + 1);
  }
  world.Log("read nothing more");
  co_return summary;
}

// Reads one message after each signal "1", "2", ...; logs sizes.
Task<absl::StatusOr<Summary>> CountWhenTold(ServerWorld& world, ServerContext& context, Reader<Payload>& reader) {
  Summary summary;
  for (int i = 1;; ++i) {
    co_await world.signal(std::to_string(i));
    std::optional<Payload> payload = co_await reader.Read();
    if (!payload) break;
    world.Log(absl::StrCat("read ", payload->body().size()));
    summary.set_count(summary.count() + 1);
  }
  world.Log("read nothing more");
  co_return summary;
}

std::string SummaryOf(int count) {
  Summary summary;
  summary.set_count(count);
  std::string bytes = summary.SerializeAsString();
  return Envelope(0, bytes.size(), bytes);
}

// ---- messages -------------------------------------------------------------------------------------------------------

TEST(ServerReceiveTest, RequestRunsTheHandlerAndItsReplyGoesBack) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary"))
      .ExpectLog({})
      .Peer(Data(1, Message("hello"), "END_STREAM"))
      .ExpectLog({"unary hello"})
      .ExpectWritten({ResponseHead(1), Data(1, Message("hello")), Trailers(1)})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerReceiveTest, HeadDataAndTrailersLeaveInOneWrite) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary"))
      .ExpectWrites(0)
      .Peer(Data(1, Message("hello"), "END_STREAM"))
      .ExpectWrites(1)
      .Run();
}

TEST(W16Messages, RequestOfZeroBytesIsAMessage) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary"))
      .Peer(Data(1, Envelope(0, 0), "END_STREAM"))
      .ExpectLog({"unary "})
      .ExpectWritten({ResponseHead(1), Data(1, Envelope(0, 0)), Trailers(1)})
      .ExpectNothingLeft()
      .Run();
}

TEST(W18EndOfStream, EndOfStreamMayComeAloneBehindTheMessage) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary"))
      .Peer(Data(1, Message("hello")))
      .ExpectLog({})
      .ExpectWritten({})
      .Peer(Data(1, "", "END_STREAM"))
      .ExpectLog({"unary hello"})
      .Run();
}

TEST(W18EndOfStream, TrailersOfARequestEndItToo) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary") + "\n" + Data(1, Message("hello")))
      .Peer("HEADERS 1 END_STREAM checksum=7")
      .ExpectLog({"unary hello"})
      .ExpectWritten({ResponseHead(1), Data(1, Message("hello")), Trailers(1)})
      .ExpectNothingLeft()
      .Run();
}

TEST(W16Messages, MessageMaySpreadOverDataFramesCutAnywhere) {
  const std::string message = Message("hello");
  for (size_t first = 0; first <= message.size(); ++first) {
    for (size_t second = first; second <= message.size(); ++second) {
      SCOPED_TRACE(absl::StrCat("cut at ", first, " and ", second));
      ServerScript script;
      script.Unary(Echo)
          .Handshake()
          .Peer(Request(1, "Unary"))
          .Peer(Data(1, message.substr(0, first)) + "\n" + Data(1, message.substr(first, second - first)) + "\n" +
                Data(1, message.substr(second), "END_STREAM"))
          .ExpectLog({"unary hello"})
          .ExpectNothingLeft()
          .Run();
    }
  }
}

TEST(W16Messages, OneDataFrameMayHoldManyMessages) {
  ServerScript script;
  script.ClientStream(Count)
      .Handshake()
      .Peer(Request(1, "ClientStream"))
      .Peer(Data(1, Message("a") + Message("") + Message("ccc"), "END_STREAM"))
      .ExpectLog({"read a", "read ", "read ccc", "read nothing more"})
      .ExpectWritten({ResponseHead(1), Data(1, SummaryOf(3)), Trailers(1)})
      .ExpectNothingLeft()
      .Run();
}

TEST(W16Messages, PaddingIsNoPartOfAMessage) {
  ServerScript script;
  script.ClientStream(Count)
      .Handshake()
      .Peer(Request(1, "ClientStream"))
      .Peer(Data(1, Message("a"), "padded=200") + "\n" + Data(1, Message("b"), "END_STREAM padded=0"))
      .ExpectLog({"read a", "read b", "read nothing more"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W18EndOfStream, StreamOfNoMessagesIsLegalForAClientStream) {
  ServerScript script;
  script.ClientStream(Count)
      .Handshake()
      .Peer(Request(1, "ClientStream", "", "END_STREAM"))
      .ExpectLog({"read nothing more"})
      .ExpectWritten({ResponseHead(1), Data(1, SummaryOf(0)), Trailers(1)})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerReceiveTest, CallsOfOneConnectionDoNotWaitForEachOther) {
  ServerScript script;
  script.ClientStream(CountWhenTold)
      .Unary(Echo)
      .Handshake()
      .Peer(Request(1, "ClientStream") + "\n" + Data(1, Message("first")))
      .Peer(Request(3, "Unary") + "\n" + Data(3, Message("third"), "END_STREAM"))
      .ExpectLog({"unary third"})
      .ExpectWritten({ResponseHead(3), Data(3, Message("third")), Trailers(3)})
      .ExpectLeft({"handlers: 1", "streams: 1"})
      .Run();
}

// ---- the window -----------------------------------------------------------------------------------------------------

ServerOptions SmallWindows() {
  ServerOptions options;
  options.stream_window_bytes = 65535;
  options.connection_window_bytes = 65535;
  options.unread_bytes_max = 0;  // what waits is charged to both windows
  return options;
}

TEST(ServerReceiveTest, MessageWaitsForTheReaderAndHoldsItsWindow) {
  const std::string message = Message(std::string(40000, 'x'));
  const std::string three_frames = Data(1, message.substr(0, 16000)) + "\n" + Data(1, message.substr(16000, 16000)) +
                                   "\n" + Data(1, message.substr(32000));
  ServerScript script(SmallWindows());
  script.ClientStream(CountWhenTold)
      .Handshake()
      .Peer(Request(1, "ClientStream"))
      .Peer(three_frames)
      .ExpectLog({})
      .ExpectReturned(1, 0)
      .ExpectReturned(0, 0)
      .Set("1")
      .ExpectLog({"read 40000"})
      .ExpectReturned(1, static_cast<int64_t>(message.size()))
      .ExpectReturned(0, static_cast<int64_t>(message.size()))
      .Run();
}

TEST(ServerReceiveTest, MessageLargerThanTheWindowArrivesWhileItsReaderWaits) {
  const std::string message = Message(std::string(200000, 'x'));
  ServerScript script(SmallWindows());
  script.ClientStream(CountWhenTold).Handshake().Peer(Request(1, "ClientStream")).Set("1");
  int64_t sent = 0;
  for (size_t at = 0; at < message.size(); at += 16000) {
    const std::string piece = message.substr(at, 16000);
    sent += static_cast<int64_t>(piece.size());
    script.Peer(Data(1, piece));
    // A peer that keeps to the window could not send more than this without being given some back.
    script.Do([sent](ServerWorld& world) {
      static int64_t returned;
      if (sent == 16000) returned = 0;
      returned += world.TakeReturned(1);
      EXPECT_LT(sent - returned, 65535) << "after " << sent << " bytes only " << returned << " were returned";
    });
  }
  script.ExpectLog({"read 200000"})
      .Peer(Data(1, "", "END_STREAM"))
      .Set("2")
      .ExpectLog({"read nothing more"})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerReceiveTest, WhatWasNeverReadIsReturnedToTheConnectionWhenTheCallEnds) {
  const std::string message = Message(std::string(40000, 'x'));
  ServerScript script(SmallWindows());
  script.ClientStream(CountWhenTold)
      .Handshake()
      .Peer(Request(1, "ClientStream"))
      .Peer(Data(1, message.substr(0, 16000)) + "\n" + Data(1, message.substr(16000, 16000)) + "\n" +
            Data(1, message.substr(32000)))
      .Peer("RST_STREAM 1 CANCEL")
      .ExpectReturned(0, static_cast<int64_t>(message.size()))
      .Run();
}

TEST(ServerReceiveTest, SmallMessagesOfManyStreamsDoNotUseUpTheConnectionsWindow) {
  // Each stream keeps less than a portion back; together they must not keep the connection's window.
  ServerScript script(SmallWindows());
  script.ClientStream(Count).Handshake();
  const std::string message = Message(std::string(3000, 'x'));
  for (int i = 0; i < 21; ++i) script.Peer(Request(2 * i + 1, "ClientStream") + "\n" + Data(2 * i + 1, message));
  script.Do([&message](ServerWorld& world) {
    const int64_t held = 21 * static_cast<int64_t>(message.size()) - world.TakeReturned(0);
    EXPECT_LT(held, 65535 / 2) << "every message was read, and the connection's window is all but closed";
  });
  script.Run();
}

// ---- what may be wrong ----------------------------------------------------------------------------------------------

TEST(AbuseFlag, CompressedFlagWithoutAnEncodingIsInternal) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary"))
      .Peer(Data(1, Envelope(1, 2, "xy")))
      .ExpectLog({})
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=13 "
                      "grpc-message=\"message has its compressed flag set, but the call has no grpc-encoding\"",
                      "RST_STREAM 1 NO_ERROR"})
      .ExpectNothingLeft()
      .Run();
}

TEST(AbuseFlag, FlagOtherThanZeroAndOneIsInternal) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary"))
      .Peer(Data(1, Envelope(7, 2, "xy")))
      .ExpectLog({})
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=13 "
                      "grpc-message=\"message prefix: expected compressed-flag 0 or 1, got 7\"",
                      "RST_STREAM 1 NO_ERROR"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W17MessageLimit, LimitOfAMessageIsCheckedFromItsPrefixAlone) {
  ServerOptions options;
  options.max_receive_message_bytes = 100;
  for (uint32_t length : {99u, 100u}) {
    const std::string body(length - 2, 'x');
    ServerScript script(options);
    script.Unary(Echo)
        .Handshake()
        .Peer(Request(1, "Unary"))
        .Peer(Data(1, Message(body), "END_STREAM"))
        .ExpectWritten({ResponseHead(1), Data(1, Message(body)), Trailers(1)})
        .Run();
  }
  ServerScript script(options);
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary"))
      .Peer(Data(1, Envelope(0, 101)))
      .ExpectLog({})
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=8 "
                      "grpc-message=\"message of 101 bytes is over the limit of 100 bytes (option "
                      "max_receive_message_bytes)\"",
                      "RST_STREAM 1 NO_ERROR"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W16Messages, MessageCutOffByTheEndOfTheStreamIsInternal) {
  for (const std::string& cut : {std::string("\0\0\0", 3), Envelope(0, 9, "half")}) {
    ServerScript script;
    script.Unary(Echo)
        .ClientStream(Count)
        .Handshake()
        .Peer(Request(1, "Unary"))
        .Peer(Data(1, cut, "END_STREAM"))
        .ExpectLog({})
        .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=13 "
                        "grpc-message=\"stream ended inside a message..."})
        .Peer(Request(3, "ClientStream"))
        .Peer(Data(3, Message("a") + cut, "END_STREAM"))
        .ExpectLog({"read a", "read nothing more"})
        .ExpectWritten({"HEADERS 3 END_STREAM :status=200 content-type=application/grpc grpc-status=13 "
                        "grpc-message=\"stream ended inside a message..."})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(AbuseCardinality, UnaryRequestOfNoMessageIsUnimplementedAndRunsNoHandler) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary", "", "END_STREAM"))
      .ExpectLog({})
      .ExpectWritten(
          {"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-accept-encoding=identity,gzip,deflate "
           "grpc-status=12 grpc-message=\"expected exactly one message on this half of the call, got none\""})
      .ExpectNothingLeft()
      .Run();
}

TEST(AbuseCardinality, UnaryRequestOfTwoMessagesIsUnimplementedAndRunsNoHandler) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary"))
      .Peer(Data(1, Message("a") + Message("b")))
      .ExpectLog({})
      .ExpectWritten(
          {"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-accept-encoding=identity,gzip,deflate "
           "grpc-status=12 grpc-message=\"expected exactly one message on this half of the call, got a "
           "second one\"",
           "RST_STREAM 1 NO_ERROR"})
      .ExpectNothingLeft()
      .Run();
}

TEST(AbuseProtobuf, MessageThatIsNoProtobufIsInternal) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary"))
      .Peer(Data(1, Envelope(0, 3, "\x0a\x7fz"), "END_STREAM"))
      .ExpectLog({})
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=13 ..."})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
