// A peer that breaks the rules, on either side: rows of the README's second table that no clause has. The fault of one
// call ends that call; the fault of a connection ends it with the error code that HTTP/2 names, and every call on it
// with a status.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "weir/tests/rpc/clauses/client_calls.h"
#include "weir/tests/support/server_script.h"

namespace weir {
namespace {

using bench::Payload;
using testing::Answer;
using testing::CallStream;
using testing::CallUnary;
using testing::ClientScript;
using testing::ClientWorld;
using testing::Data;
using testing::Envelope;
using testing::Lines;
using testing::Message;
using testing::Request;
using testing::ResponseHead;
using testing::ServerScript;
using testing::ServerWorld;
using testing::Trailers;

Task<absl::StatusOr<Payload>> Echo(ServerWorld& world, ServerContext& context, const Payload& request) {
  world.Log("unary " + request.body());
  co_return request;
}

Task<absl::Status> ReadAll(ServerWorld& world, ServerContext& context, Reader<Payload>& reader,
                           Writer<Payload>& writer) {
  context.OnCancel([&world] { world.Log("cancelled"); });
  while (std::optional<Payload> payload = co_await reader.Read()) world.Log("read " + payload->body());
  co_return absl::OkStatus();
}

// Ignores that its client has ended, until it is told to return.
Task<absl::Status> Deaf(ServerWorld& world, ServerContext& context, Reader<Payload>& reader, Writer<Payload>& writer) {
  context.OnCancel([&world] { world.Log("cancelled"); });
  co_await world.signal("return");
  co_return absl::OkStatus();
}

// ---- lengths --------------------------------------------------------------------------------------------------------

TEST(AbuseLength, LargestPrefixIsRefusedBeforeItsMessage) {
  ServerScript server;
  server.Bidi(ReadAll)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Peer(Data(1, Message("a") + Envelope(0, 0xffffffff)))
      .ExpectLog({"read a", "cancelled"})
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=8 "
                      "grpc-message=\"message of 4294967295 bytes ...",
                      "RST_STREAM 1 NO_ERROR"})
      .ExpectNothingLeft()
      .Run();
  ClientScript client;
  client.Handshake()
      .Spawn(CallStream)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("a") + Envelope(0, 0xffffffff)))
      .ExpectLog({"read a", "RESOURCE_EXHAUSTED: message of 4294967295 bytes ..."})
      .ExpectWritten({"RST_STREAM 1 ENHANCE_YOUR_CALM"})
      .ExpectNothingLeft()
      .Run();
}

TEST(AbuseLength, EmptyFramesBetweenAndInsideMessagesMeanNothing) {
  const std::string message = Message("a");
  const std::string frames = Data(1, "") + "\n" + Data(1, message.substr(0, 2)) + "\n" + Data(1, "") + "\n" +
                             Data(1, message.substr(2)) + "\n" + Data(1, "") + "\n";
  ServerScript server;
  server.Bidi(ReadAll)
      .Handshake()
      .Peer(Request(1, "BidiEcho") + "\n" + frames + Data(1, "", "END_STREAM"))
      .ExpectLog({"read a"})
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=0"})
      .ExpectNothingLeft()
      .Run();
  ClientScript client;
  client.Handshake()
      .Spawn(CallStream)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + frames + Trailers(1))
      .ExpectLog({"read a", "OK"})
      .ExpectNothingLeft()
      .Run();
}

TEST(AbuseLength, ContentLengthThatLiesResetsTheStream) {
  ServerScript server;
  server.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary", "content-length=3") + "\n" + Data(1, Message("a"), "END_STREAM"))
      .ExpectLog({})
      .ExpectWritten({"RST_STREAM 1 PROTOCOL_ERROR"})
      .ExpectNothingLeft()
      .Run();
  ClientScript client;
  client.Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer(ResponseHead(1, "content-length=3") + "\n" + Data(1, Message("a")))
      .ExpectLog({"INTERNAL: ..."})
      .ExpectWritten({"RST_STREAM 1 PROTOCOL_ERROR"})
      .ExpectNothingLeft()
      .Run();
}

// ---- trailers -------------------------------------------------------------------------------------------------------

TEST(AbuseTrailers, MalformedOnesAreInternalForTheCallAndNothingForTheOthers) {
  for (const char* fields : {":status=200 grpc-status=0", "grpc-status=0 Upper=1", "grpc-status=0 connection=close",
                             "grpc-status=0 a=\"x\\ny\""}) {
    SCOPED_TRACE(fields);
    ClientScript script;
    script.Handshake()
        .Spawn(CallUnary)
        .Spawn(CallUnary)
        .Drop()
        .Peer(ResponseHead(1) + "\n" + Data(1, Message("a")) + "\n" + Trailers(1, fields))
        .ExpectLog({"INTERNAL: ..."})
        .ExpectWritten({"RST_STREAM 1 PROTOCOL_ERROR"})
        .Peer(Answer(3, "b"))
        .ExpectLog({"reply b"})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(AbuseTrailers, MalformedTrailersOfARequestCancelItsHandler) {
  ServerScript script;
  script.Bidi(ReadAll)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Peer("HEADERS 1 END_STREAM :path=/x")
      .ExpectLog({"cancelled"})
      .ExpectWritten({"RST_STREAM 1 PROTOCOL_ERROR"})
      .ExpectNothingLeft()
      .Run();
}

// ---- frames after the end -------------------------------------------------------------------------------------------

TEST(AbuseAfterTheEnd, OfARequestEndsTheConnectionAndCancelsWhatRuns) {
  for (const std::string& late : {Data(1, "x"), std::string("HEADERS 1 a=b"), Request(1, "BidiEcho")}) {
    SCOPED_TRACE(late);
    ServerScript script;
    script.Bidi(Deaf)
        .Handshake()
        .Peer(Request(1, "BidiEcho", "", "END_STREAM"))
        .Peer(late)
        .ExpectWritten({"GOAWAY last=1 STREAM_CLOSED..."})
        .PeerCloses()
        .ExpectLog({"cancelled"})
        .Set("return")
        .ExpectLog({"connection gone"})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(AbuseAfterTheEnd, OfAResponseTakesNothingFromCallsThatHaveTheirs) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Spawn(CallUnary)
      .Drop()
      .Peer(Answer(1, "a") + "\n" + Data(1, "") + "\n" + Trailers(1, "grpc-status=10"))
      .ExpectLog({"reply a"})
      .ExpectWritten({})
      .Peer(Answer(3, "b"))
      .ExpectLog({"reply b"})
      .ExpectNothingLeft()
      .Run();
}

// ---- windows and settings -------------------------------------------------------------------------------------------

TEST(AbuseWindow, OverflowOfAStreamsWindowResetsThatStream) {
  ServerScript server;
  server.Bidi(Deaf)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Peer("WINDOW_UPDATE 1 2147483647")
      .ExpectLog({"cancelled"})
      .ExpectWritten({"RST_STREAM 1 FLOW_CONTROL_ERROR"})
      .Set("return")
      .ExpectNothingLeft()
      .Run();
  ClientScript client;
  client.Handshake()
      .Spawn(testing::WriteForEver)
      .Drop()
      .Peer("WINDOW_UPDATE 1 2147483647\nWINDOW_UPDATE 1 2147483647")
      .ExpectLog({"refused", "INTERNAL: ..."})
      .ExpectWritten({"RST_STREAM 1 FLOW_CONTROL_ERROR"})
      .ExpectNothingLeft()
      .Run();
}

struct Violation {
  const char* frames;
  const char* code;
};

// What a server and a client say to each of them alike.
constexpr Violation kViolations[] = {
    {"SETTINGS ENABLE_PUSH=2", "PROTOCOL_ERROR"},
    {"SETTINGS INITIAL_WINDOW_SIZE=2147483648", "FLOW_CONTROL_ERROR"},
    {"SETTINGS INITIAL_WINDOW_SIZE=4294967295", "FLOW_CONTROL_ERROR"},
    {"SETTINGS MAX_FRAME_SIZE=16383", "PROTOCOL_ERROR"},
    {"SETTINGS MAX_FRAME_SIZE=16777216", "PROTOCOL_ERROR"},
    {"FRAME type=0x4 flags=1 hex:000100000000", "FRAME_SIZE_ERROR"},  // an ACK with a payload
    {"FRAME type=0x4 hex:0001000000", "FRAME_SIZE_ERROR"},            // not a multiple of six
    {"FRAME type=0x4 stream=1", "PROTOCOL_ERROR"},
    {"WINDOW_UPDATE 0 0", "PROTOCOL_ERROR"},
    {"WINDOW_UPDATE 0 2147483647", "FLOW_CONTROL_ERROR"},
    {"FRAME type=0x8 hex:000001", "FRAME_SIZE_ERROR"},
    {"FRAME type=0x6 hex:00", "FRAME_SIZE_ERROR"},
    {"PING 0000000000000000\nFRAME type=0x6 stream=1 hex:0000000000000000", "PROTOCOL_ERROR"},
    {"FRAME type=0x7 hex:00", "FRAME_SIZE_ERROR"},
    {"FRAME type=0x0 stream=1 length=16385", "FRAME_SIZE_ERROR"},
    {"FRAME type=0x3 stream=1 hex:000000", "FRAME_SIZE_ERROR"},
    {"RST_STREAM 0 CANCEL", "PROTOCOL_ERROR"},
    {"RST_STREAM 101 CANCEL", "PROTOCOL_ERROR"},  // idle
    {"DATA 0 \"x\"", "PROTOCOL_ERROR"},
    {"CONTINUATION 1 END_HEADERS a=b", "PROTOCOL_ERROR"},
    {"FRAME type=0x1 flags=0x5 stream=1 hex:ff8000", "COMPRESSION_ERROR"},    // no such entry of the table
    {"FRAME type=0x1 flags=0x5 stream=1 hex:3fe21f88", "COMPRESSION_ERROR"},  // a larger table than we allow
};

std::string GoAway(int last, const char* code) { return absl::StrCat("GOAWAY last=", last, " ", code, "..."); }

// The last frame written; a PING may have been answered before.
template <class World>
void ExpectLastWritten(World& world, const std::string& expected) {
  const Lines written = world.TakeWritten();
  testing::ExpectLines({expected}, written.empty() ? Lines() : Lines({written.back()}));
}

TEST(AbuseConnection, ServerSaysWhichErrorItWasAndCancelsItsHandlers) {
  for (const Violation& row : kViolations) {
    SCOPED_TRACE(row.frames);
    ServerScript script;
    script.Bidi(ReadAll)
        .Handshake()
        .Peer(Request(1, "BidiEcho"))
        .Peer(row.frames)
        .Do([&row](ServerWorld& world) { ExpectLastWritten(world, GoAway(1, row.code)); })
        .PeerCloses()
        .ExpectLog({"cancelled", "connection gone"})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(AbuseConnection, ClientSaysWhichErrorItWasAndEndsItsCallsAsUnavailable) {
  for (const Violation& row : kViolations) {
    SCOPED_TRACE(row.frames);
    ClientScript script;
    script.Handshake()
        .Spawn(CallUnary)
        .Drop()
        .Peer(row.frames)
        .Do([&row](ClientWorld& world) { ExpectLastWritten(world, GoAway(0, row.code)); })
        .PeerCloses()
        .ExpectLog({"UNAVAILABLE: ..."})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(AbuseConnection, EveryLegalSettingIsAcknowledgedAndTheCallGoesOn) {
  for (const char* settings :
       {"SETTINGS MAX_FRAME_SIZE=16384", "SETTINGS MAX_FRAME_SIZE=16777215", "SETTINGS INITIAL_WINDOW_SIZE=2147483647",
        "SETTINGS HEADER_TABLE_SIZE=0", "SETTINGS HEADER_TABLE_SIZE=4294967295", "SETTINGS 0x1234=5", "SETTINGS"}) {
    SCOPED_TRACE(settings);
    ClientScript script;
    script.Handshake()
        .Spawn(CallUnary)
        .Drop()
        .Peer(settings)
        .ExpectWritten({"SETTINGS ACK"})
        .Peer(Answer(1, "a"))
        .ExpectLog({"reply a"})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(AbuseConnection, PushedStreamEndsTheConnection) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer("FRAME type=0x5 flags=0x4 stream=1 hex:00000002828684")
      .ExpectWritten({GoAway(0, "PROTOCOL_ERROR")})
      .PeerCloses()
      .ExpectLog({"UNAVAILABLE: ..."})
      .ExpectNothingLeft()
      .Run();
}

TEST(AbuseConnection, MoreStreamsThanAllowedEndsTheConnection) {
  weir::ServerOptions options;
  options.max_concurrent_streams = 1;
  ServerScript script(options);
  script.Bidi(ReadAll)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Peer(Request(3, "BidiEcho"))
      .ExpectWritten({GoAway(1, "PROTOCOL_ERROR")})
      .PeerCloses()
      .ExpectLog({"cancelled", "connection gone"})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
