// What a client makes of a response: W19 to W23, and the order of messages and status (W32).
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/tests/rpc/clauses/client_calls.h"

namespace weir {
namespace {

using std::chrono::seconds;
using testing::Answer;
using testing::CallStream;
using testing::CallStreamLater;
using testing::CallUnary;
using testing::ClientScript;
using testing::ClientWorld;
using testing::Data;
using testing::Envelope;
using testing::Lines;
using testing::Message;
using testing::ResponseHead;
using testing::Trailers;
using Call = Task<void> (*)(ClientWorld&);

// One call, what the server answers, what the caller sees, and what the client still writes.
void ExpectSeen(Call call, const std::string& response, const Lines& seen, const Lines& written = {}) {
  SCOPED_TRACE(response);
  ClientScript script;
  script.Handshake().Spawn(call).Drop().Peer(response).ExpectLog(seen).ExpectWritten(written).ExpectNothingLeft().Run();
}

const std::string kHead = ":status=200 content-type=application/grpc ";

// ---- W19: Response -> (Response-Headers *Length-Prefixed-Message Trailers) / Trailers-Only --------------------------

TEST(W19Response, HeadMessagesTrailers) {
  ExpectSeen(
      CallStream,
      ResponseHead(1, "a=1") + "\n" + Data(1, Message("x") + Message("y")) + "\n" + Trailers(1, "grpc-status=0 b=2"),
      {"initial a=1", "read x", "read y", "OK", "trailing b=2"});
  ExpectSeen(CallStream, ResponseHead(1) + "\n" + Trailers(1), {"OK"});
}

TEST(W19Response, TrailersOnlyIsOneBlockThatEndsTheStream) {
  ExpectSeen(CallStream, Trailers(1, kHead + "grpc-status=10 grpc-message=busy b=2"),
             {"ABORTED: busy", "trailing b=2"});
  ExpectSeen(CallStream, Trailers(1, kHead + "grpc-status=0"), {"OK"});
}

// The client has said all: its stream is closed, and what comes late is dropped. See FramesAfterTheEnd in settings_test
// for a stream that is still half open.
TEST(W19Response, BodyBehindTrailersOnlyIsDropped) {
  ExpectSeen(CallStream, Trailers(1, kHead + "grpc-status=10") + "\n" + Data(1, Message("x"), "END_STREAM"),
             {"ABORTED: "});
}

TEST(W19Response, EndWithoutTrailersIsUnknown) {
  ExpectSeen(CallUnary, ResponseHead(1) + "\n" + Data(1, Message("x"), "END_STREAM"),
             {"UNKNOWN: the server ended the stream without trailers..."});
  ExpectSeen(CallStream, ResponseHead(1) + "\n" + Data(1, Message("x")) + "\n" + Data(1, "", "END_STREAM"),
             {"read x", "UNKNOWN: the server ended the stream without trailers..."});
  ExpectSeen(CallStream, Trailers(1, kHead), {"UNKNOWN: peer ended the call without grpc-status"});
}

TEST(W19Response, MessageBeforeTheHeadEndsTheConnection) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer(Data(1, Message("x")))
      .ExpectWritten({"GOAWAY last=0 ..."})
      .PeerCloses()
      .ExpectLog({"UNAVAILABLE: ..."})
      .ExpectNothingLeft()
      .Run();
}

TEST(W19Response, SecondHeadThatDoesNotEndTheStreamIsNoResponse) {
  ExpectSeen(CallUnary, ResponseHead(1) + "\n" + ResponseHead(1), {"INTERNAL: ..."}, {"RST_STREAM 1 PROTOCOL_ERROR"});
}

// ---- W20: Status -> "grpc-status" 1*DIGIT ; 0-9 ---------------------------------------------------------------------

TEST(W20GrpcStatus, EveryNumberIsItsCode) {
  const char* const codes[] = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  for (int number = 0; number <= 16; ++number) {
    const std::string line = number == 0 ? "OK" : absl::StrCat(codes[number], ": ");
    ExpectSeen(CallStream, ResponseHead(1) + "\n" + Trailers(1, absl::StrCat("grpc-status=", number)), {line});
    ExpectSeen(CallStream, Trailers(1, absl::StrCat(kHead, "grpc-status=", number)), {line});
  }
}

TEST(W20GrpcStatus, WhatIsNoCodeIsUnknownAndQuoted) {
  for (const char* value : {"17", "99", "-1", "+1", "1.0", "0x1", "cheese", "1a", "18446744073709551617"}) {
    ExpectSeen(CallStream, ResponseHead(1) + "\n" + Trailers(1, absl::StrCat("grpc-status=", value)),
               {absl::StrCat("UNKNOWN: grpc-status: expected a number from 0 to 16, got \"", value, "\"")});
  }
  ExpectSeen(CallStream, ResponseHead(1) + "\n" + Trailers(1, "grpc-status=\"\""), {"UNKNOWN: grpc-status: ..."});
}

TEST(W20GrpcStatus, AbsentIsUnknownAndKeepsTheMessage) {
  ExpectSeen(CallStream, ResponseHead(1) + "\n" + Trailers(1, "grpc-message=why b=2"),
             {"UNKNOWN: peer ended the call without grpc-status: why", "trailing b=2"});
}

TEST(W20GrpcStatus, TheFirstOfTwoCounts) {
  ExpectSeen(CallStream,
             ResponseHead(1) + "\n" + Trailers(1, "grpc-status=5 grpc-status=0 grpc-message=a grpc-message=b"),
             {"NOT_FOUND: a"});
}

TEST(W20GrpcStatus, OnlyTheBlockThatEndsTheStreamCarriesIt) {
  ExpectSeen(CallStream,
             ResponseHead(1, "grpc-status=5 grpc-message=head") + "\n" + Data(1, Message("x")) + "\n" + Trailers(1),
             {"read x", "OK"});
  ExpectSeen(CallStream, ResponseHead(1, "grpc-status=0") + "\n" + Trailers(1, "grpc-status=10 grpc-message=end"),
             {"ABORTED: end"});
  ExpectSeen(CallStream, ResponseHead(1, "grpc-status=5") + "\n" + Trailers(1, "b=2"),
             {"UNKNOWN: peer ended the call without grpc-status", "trailing b=2"});
}

TEST(W20GrpcStatus, LeadingZerosAreRead) {
  ExpectSeen(CallStream, Trailers(1, kHead + "grpc-status=010"), {"ABORTED: "});
}

// ---- W21: Status-Message -> "grpc-message" Percent-Encoded ----------------------------------------------------------

TEST(W21GrpcMessage, DecodingNeverFails) {
  const struct {
    const char* wire;
    const char* text;
  } rows[] = {
      {"plain", "plain"},
      {"50%25", "50%"},
      {"%E2%98%BA", "\xe2\x98\xba"},
      {"%e2%98%ba", "\xe2\x98\xba"},
      {"%0A%0d%00end", ""},  // below: holds NUL
      {"100%", "100%"},
      {"%4", "%4"},
      {"%zz%41", "%zzA"},
      {"%%41", "%A"},
      {"%ff%fe", "\xff\xfe"},    // no UTF-8: kept
      {"\xc3\xa4", "\xc3\xa4"},  // raw: kept
  };
  for (const auto& row : rows) {
    std::string text = absl::StrCat("ABORTED: ", row.text);
    if (row.text[0] == '\0') text = absl::StrCat("ABORTED: \n\r", std::string(1, '\0'), "end");
    ExpectSeen(CallStream,
               ResponseHead(1) + "\n" + Trailers(1, absl::StrCat("grpc-status=10 grpc-message=\"", row.wire, "\"")),
               {text});
  }
}

TEST(W21GrpcMessage, MessageBesideOkIsIgnored) {
  ExpectSeen(CallStream, ResponseHead(1) + "\n" + Trailers(1, "grpc-status=0 grpc-message=fine"), {"OK"});
}

// ---- W22: the HTTP status counts only without grpc-status -----------------------------------------------------------

TEST(W22HttpStatus, IsMappedWhereThereIsNoGrpcStatus) {
  const struct {
    int http;
    const char* code;
  } rows[] = {{400, "INTERNAL"},      {401, "UNAUTHENTICATED"}, {403, "PERMISSION_DENIED"},
              {404, "UNIMPLEMENTED"}, {429, "UNAVAILABLE"},     {431, "INTERNAL"},
              {502, "UNAVAILABLE"},   {503, "UNAVAILABLE"},     {504, "UNAVAILABLE"},
              {204, "UNKNOWN"},       {302, "UNKNOWN"},         {418, "UNKNOWN"},
              {500, "UNKNOWN"},       {599, "UNKNOWN"},         {999, "UNKNOWN"}};
  for (const auto& row : rows) {
    ExpectSeen(CallUnary, absl::StrCat("HEADERS 1 END_STREAM :status=", row.http),
               {absl::StrCat(row.code, ": peer answered HTTP ", row.http, " with content-type \"\", ...")});
    ExpectSeen(CallUnary, absl::StrCat("HEADERS 1 :status=", row.http, " content-type=application/grpc"),
               {absl::StrCat(row.code, ": peer answered HTTP ", row.http, ", expected 200")}, {"RST_STREAM 1 ..."});
  }
}

TEST(W22HttpStatus, GrpcStatusBesideItCounts) {
  ExpectSeen(CallUnary, "HEADERS 1 END_STREAM :status=503 grpc-status=10 grpc-message=mine", {"ABORTED: mine"});
  // Also where a page of the proxy's follows, which nobody reads.
  ExpectSeen(CallUnary, "HEADERS 1 :status=503 content-type=text/html grpc-status=10\n" + Data(1, "<html>"),
             {"ABORTED: "}, {"RST_STREAM 1 ..."});
  ExpectSeen(CallUnary, "HEADERS 1 :status=503 content-type=application/grpc grpc-status=8\n", {"RESOURCE_EXHAUSTED: "},
             {"RST_STREAM 1 ..."});
}

TEST(W22HttpStatus, OkBesideAnHttpErrorThatABodyFollowsDoesNotMakeTheCallOk) {
  ExpectSeen(CallStream, "HEADERS 1 :status=503 content-type=text/html grpc-status=0\n" + Data(1, "<html>"),
             {"UNAVAILABLE: peer answered HTTP 503 ..."}, {"RST_STREAM 1 CANCEL"});
}

TEST(W22HttpStatus, UpToSixteenInterimResponsesArePassedOver) {
  std::string interim;
  for (int i = 0; i < 16; ++i) interim += i % 2 == 0 ? "HEADERS 1 :status=100\n" : "HEADERS 1 :status=103 link=x\n";
  ExpectSeen(CallUnary, interim + Answer(1, "hi"), {"reply hi"});
  ExpectSeen(CallUnary, interim + "HEADERS 1 :status=100\n" + Answer(1, "hi"), {"RESOURCE_EXHAUSTED: ..."},
             {"RST_STREAM 1 ENHANCE_YOUR_CALM"});
}

TEST(W22HttpStatus, InterimResponseThatEndsTheStreamIsNoResponse) {
  ExpectSeen(CallUnary, "HEADERS 1 END_STREAM :status=100", {"INTERNAL: ..."}, {"RST_STREAM 1 PROTOCOL_ERROR"});
}

// ---- W23 ------------------------------------------------------------------------------------------------------------

TEST(W23ContentType, WhatIsNotGrpcIsNamedWithItsHttpStatus) {
  ExpectSeen(CallUnary, "HEADERS 1 :status=200 content-type=text/html\n" + Data(1, "<html>"),
             {"UNKNOWN: peer answered HTTP 200 with content-type \"text/html\", expected application/grpc"},
             {"RST_STREAM 1 ..."});
  ExpectSeen(CallUnary, "HEADERS 1 :status=404 content-type=application/grpc-web\n",
             {"UNIMPLEMENTED: peer answered HTTP 404 with content-type \"application/grpc-web\", ..."},
             {"RST_STREAM 1 ..."});
  ExpectSeen(CallUnary, "HEADERS 1 :status=200\n", {"UNKNOWN: peer answered HTTP 200 with content-type \"\", ..."},
             {"RST_STREAM 1 ..."});
}

TEST(W23ContentType, SuffixesAreGrpc) {
  for (const char* type : {"application/grpc+proto", "\"application/grpc;charset=utf-8\"", "Application/GRPC"}) {
    ExpectSeen(
        CallUnary,
        absl::StrCat("HEADERS 1 :status=200 content-type=", type, "\n", Data(1, Message("hi")), "\n", Trailers(1)),
        {"reply hi"});
  }
}

// ---- W32: gRPC's status_ordering.md ---------------------------------------------------------------------------------

TEST(W32StatusOrder, MessagesComeBeforeTheStatusHoweverLateTheyAreRead) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallStreamLater)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("a") + Message("b")) + "\n" + Trailers(1, "grpc-status=10"))
      .ExpectLog({})
      .Set("go on")
      .ExpectLog({"read a", "read b", "ABORTED: "})
      .ExpectNothingLeft()
      .Run();
}

TEST(W32StatusOrder, DeadlineOvertakesMessagesThatNobodyHasRead) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallStreamLater)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("a") + Message("b")))
      .Advance(seconds(11))
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .Set("go on")
      .ExpectLog({"DEADLINE_EXCEEDED: ..."})
      .ExpectNothingLeft()
      .Run();
}

TEST(W32StatusOrder, DeadlineOvertakesAlsoAStatusThatIsThereButUnread) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallStreamLater)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("a")) + "\n" + Trailers(1))
      .Advance(seconds(11))
      .Set("go on")
      .ExpectLog({"DEADLINE_EXCEEDED: ..."})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

TEST(W32StatusOrder, NoMessageComesAfterTheStatus) {
  ExpectSeen(CallStream, ResponseHead(1) + "\n" + Trailers(1) + "\n" + Data(1, Message("late")), {"OK"});
}

}  // namespace
}  // namespace weir
