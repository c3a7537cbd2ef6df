// Custom metadata as the other side sees it: W11 (names), W12 (-bin), W13 (duplicates), W14 (ASCII values), W15
// (sizes). What a client may send is tested in tests/rpc/client/client_write_test, what a handler may in
// server_send_test.
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
using testing::Lines;
using testing::Message;
using testing::Request;
using testing::ResponseHead;
using testing::ServerScript;
using testing::ServerWorld;
using testing::Trailers;

Task<absl::StatusOr<Payload>> ShowMetadata(ServerWorld& world, ServerContext& context, const Payload& request) {
  for (const auto& [key, value] : context.metadata()) world.Log(absl::StrCat(key, "=", value));
  co_return request;
}

// Sends back what it got.
Task<absl::StatusOr<Payload>> EchoMetadata(ServerWorld& world, ServerContext& context, const Payload& request) {
  for (const auto& [key, value] : context.metadata()) context.AddTrailingMetadata(key, value);
  co_return request;
}

// What handler and caller see of `fields`: the same, in a request, a response head and trailers; and no call fails for
// them.
void ExpectSeen(const std::string& fields, const Lines& seen) {
  SCOPED_TRACE(fields);
  ServerScript server;
  server.Unary(ShowMetadata)
      .Handshake()
      .Peer(Request(1, "Unary", fields) + "\n" + Data(1, Message("x"), "END_STREAM"))
      .ExpectLog(seen)
      .ExpectWritten({ResponseHead(1), Data(1, Message("x")), Trailers(1)})
      .ExpectNothingLeft()
      .Run();
  Lines initial;
  Lines trailing = {"OK"};
  for (const std::string& line : seen) {
    initial.push_back("initial " + line);
    trailing.push_back("trailing " + line);
  }
  ClientScript client;
  client.Handshake()
      .Spawn(CallStream)
      .Drop()
      .Peer(ResponseHead(1, fields))
      .ExpectLog(initial)
      .Peer(Trailers(1, "grpc-status=0 " + fields))
      .ExpectLog(trailing)
      .ExpectNothingLeft()
      .Run();
}

// ---- W11: Header-Name -> 1*( %x30-39 / %x61-7A / "_" / "-" / ".") ---------------------------------------------------

TEST(W11Names, EveryLegalOctetPasses) {
  ExpectSeen("a=1 z9=2 a-b=3 a_b=4 a.b=5 0=6 -=7", {"a=1", "z9=2", "a-b=3", "a_b=4", "a.b=5", "0=6", "-=7"});
}

TEST(W11Names, NamesThatHttpAllowsAndGrpcDoesNotAreDroppedAlone) {
  ExpectSeen("a=1 a!b=2 a~b=3 a|b=4 a$=5 b=6", {"a=1", "b=6"});
}

TEST(W11Names, NamesOfTheProtocolNeverReachTheApplication) {
  ExpectSeen("grpc-foo=1 grpc-previous-rpc-attempts=1 grpc-trace-bin=AA grpc-tags-bin=AA a=1", {"a=1"});
}

TEST(W11Names, UpperCaseIsNoHttp2) {
  ServerScript script;
  script.Unary(ShowMetadata)
      .Handshake()
      .Peer(Request(1, "Unary", "Tenant=blue"))
      .ExpectLog({})
      .ExpectWritten({"RST_STREAM 1 PROTOCOL_ERROR"})
      .ExpectNothingLeft()
      .Run();
}

// ---- W12: "Implementations MUST accept padded and un-padded values and should emit un-padded values" ----------------

TEST(W12Binary, PaddedAndUnpaddedAreTheSame) {
  ExpectSeen("a-bin=YQ a-bin=YQ== a-bin=YWI a-bin=YWI= a-bin=YWJj",
             {"a-bin=a", "a-bin=a", "a-bin=ab", "a-bin=ab", "a-bin=abc"});
  ExpectSeen("a-bin=\"\"", {"a-bin="});
}

TEST(W12Binary, ListsAreSplitBeforeTheyAreDecoded) {
  ExpectSeen("a-bin=YQ,YWI,YWJj", {"a-bin=a", "a-bin=ab", "a-bin=abc"});
  ExpectSeen("a-bin=YQ==,YWI=", {"a-bin=a", "a-bin=ab"});
  ExpectSeen("a-bin=\"YQ, YWI\"", {"a-bin=a", "a-bin=ab"});  // a proxy's blank
  ExpectSeen("a-bin=YQ,,YWI", {"a-bin=a", "a-bin=", "a-bin=ab"});
}

TEST(W12Binary, WhatIsNotBase64IsDroppedAloneAndFailsNoCall) {
  ExpectSeen("a-bin=Y b-bin=YQ c-bin=Y!Q= d-bin=Y=Q= e-bin=YQ===", {"b-bin=a"});
  ExpectSeen("a-bin=YQ,Y a=1", {"a=1"});  // the whole field: which of its values were meant is not known
}

TEST(W12Binary, AListOfMoreValuesThanABlockMayHaveFieldsIsDroppedAlone) {
  ExpectSeen("a-bin=\"" + std::string(200, ',') + "\" b-bin=YQ", {"b-bin=a"});
}

TEST(W12Binary, AnyBytesGoBackUnpadded) {
  ServerScript script;
  script.Unary(EchoMetadata)
      .Handshake()
      .Peer(Request(1, "Unary", "a-bin=AP+A a-bin=AA==,AQ") + "\n" + Data(1, Message("x"), "END_STREAM"))
      .ExpectWritten(
          {ResponseHead(1), Data(1, Message("x")), Trailers(1, "grpc-status=0 a-bin=AP+A a-bin=AA a-bin=AQ")})
      .ExpectNothingLeft()
      .Run();
}

// ---- W13 ------------------------------------------------------------------------------------------------------------

TEST(W13Duplicates, KeepTheirOrderAmongAllOthers) {
  ExpectSeen("a=1 b=2 a=3 b-bin=YQ a=1 b-bin=YWI", {"a=1", "b=2", "a=3", "b-bin=a", "a=1", "b-bin=ab"});
}

TEST(W13Duplicates, TextIsNotSplitAtCommas) { ExpectSeen("a=\"1,2, 3\"", {"a=1,2, 3"}); }

// ---- W14: "Implementations must not error due to receiving an invalid ASCII-Value that's a valid field-value in HTTP"

TEST(W14Values, PrintableAsciiPassesAsItIs) {
  ExpectSeen("a=\"!\\\"#$%&'()*+,-./:;<=>?@[\\\\]^_`{|}~\"", {"a=!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"});
  ExpectSeen("a=\"\" b=\"x y\"", {"a=", "b=x y"});
}

TEST(W14Values, WhiteSpaceAroundAValueIsStripped) {
  ExpectSeen("a=\"  x y  \" b=\"\\tz\\t\" c=\"   \"", {"a=x y", "b=z", "c="});
}

TEST(W14Values, OtherOctetsOfHttpAreDroppedAlone) {
  ExpectSeen("a=1 b=\"gr\\xc3\\xbc\\xc3\\x9fe\" c=\"\\xff\\xfe\" d=\"x\\ty\" e=2", {"a=1", "e=2"});
}

TEST(W14Values, OctetsThatNoFieldMayHoldAreDroppedAloneUnlessTheySplitMessages) {
  ExpectSeen("a=1 b=\"x\\x01y\" c=\"x\\x7fy\" d=2", {"a=1", "d=2"});
  for (const char* value : {"\"x\\x00y\"", "\"x\\ny\"", "\"x\\ry\""}) {
    ServerScript script;
    script.Unary(ShowMetadata)
        .Handshake()
        .Peer(Request(1, "Unary", absl::StrCat("a=", value)))
        .ExpectWritten({"RST_STREAM 1 PROTOCOL_ERROR"})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(W14Values, WhatIsReceivedMayBeSentBack) {
  ServerScript script;
  script.Unary(EchoMetadata)
      .Handshake()
      .Peer(Request(1, "Unary", "user-agent=me a=\" x \" b=\"\\xc3\\xbc\" c-bin=YQ==,YWI grpc-x=1") + "\n" +
            Data(1, Message("x"), "END_STREAM"))
      .ExpectWritten({ResponseHead(1), Data(1, Message("x")), Trailers(1, "grpc-status=0 a=x c-bin=YQ c-bin=YWI")})
      .ExpectNothingLeft()
      .Run();
}

// ---- W15: SETTINGS_MAX_HEADER_LIST_SIZE: sum of name + value + 32 ---------------------------------------------------

// A field "x=..." that makes a block of the four pseudo-header fields and the three of gRPC `bytes` large.
std::string Filled(size_t bytes) {
  size_t taken = 33;  // of the field itself, without its value
  for (const std::string_view field : {":methodPOST", ":schemehttp", ":path/bench.Echo/Unary", ":authoritytest",
                                       "tetrailers", "content-typeapplication/grpc"}) {
    taken += field.size() + 32;
  }
  return "x=" + std::string(bytes - taken, 'v');
}

constexpr size_t kHeaderListBytesMax = 16 * 1024;

TEST(W15Size, RequestHeadUpToTheLimitIsServedAndALargerOneEndsItsCallOnly) {
  ServerScript script;
  script.Unary(EchoMetadata)
      .Handshake()
      .Peer(Request(1, "Unary", Filled(kHeaderListBytesMax)))
      .ExpectWritten({})
      .Peer(Request(3, "Unary", Filled(kHeaderListBytesMax + 1)))
      .ExpectWritten(
          {"HEADERS 3 END_STREAM :status=200 content-type=application/grpc grpc-status=8 "
           "grpc-message=\"metadata of the request: 16385 bytes in 7 fields, the protocol's included, are over "
           "the limit of 16384 bytes by 1 (option max_metadata_bytes)\"",
           "RST_STREAM 3 NO_ERROR"})
      .Peer(Request(5, "Unary", "a=1") + "\n" + Data(5, Message("x"), "END_STREAM"))
      .ExpectWritten({ResponseHead(5), Data(5, Message("x")), Trailers(5, "grpc-status=0 a=1")})
      .ExpectLeft({"handlers: 1", "streams: 1"})
      .Run();
}

TEST(W15Size, ResponseHeadOrTrailersOverTheLimitAreResourceExhaustedForTheirCallOnly) {
  std::string much;  // in one frame: the 32 octets for each field are only counted
  for (int i = 0; i < 100; ++i) much += "x=" + std::string(140, 'v') + " ";
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Spawn(CallUnary)
      .Spawn(CallUnary)
      .Drop()
      .Peer(ResponseHead(1, much))
      .ExpectLog({"RESOURCE_EXHAUSTED: ..."})
      .ExpectWritten({"RST_STREAM 1 ENHANCE_YOUR_CALM"})
      .Peer(ResponseHead(3) + "\n" + Data(3, Message("a")) + "\n" + Trailers(3, "grpc-status=0 " + much))
      .ExpectLog({"RESOURCE_EXHAUSTED: ..."})
      .ExpectWritten({"RST_STREAM 3 ENHANCE_YOUR_CALM"})
      .Peer(Answer(5, "b"))
      .ExpectLog({"reply b"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W15Size, OverFourTimesTheLimitTheConnectionEnds) {
  ServerScript script;
  script.Unary(EchoMetadata)
      .Handshake()
      .Peer("HEADERS 1 NO_END_HEADERS :method=POST :scheme=http a=" + std::string(16000, 'v'))
      .Peer("CONTINUATION 1 b=" + std::string(16000, 'v'))
      .Peer("CONTINUATION 1 c=" + std::string(16000, 'v'))
      .Peer("CONTINUATION 1 d=" + std::string(16000, 'v'))
      .Peer("CONTINUATION 1 END_HEADERS e=" + std::string(16000, 'v'))
      .ExpectWritten({"GOAWAY last=1 ENHANCE_YOUR_CALM \"header block: ..."})
      .PeerCloses()
      .ExpectLog({"connection gone"})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
