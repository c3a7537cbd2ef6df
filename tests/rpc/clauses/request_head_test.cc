// What a server makes of the head of a request: W01 to W06. One row, one request; the rows that are refused never
// reach the handler.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/tests/support/server_script.h"

namespace weir {
namespace {

using bench::Payload;
using testing::Data;
using testing::Message;
using testing::ResponseHead;
using testing::ServerScript;
using testing::ServerWorld;
using testing::Trailers;

Task<absl::StatusOr<Payload>> Echo(ServerWorld& world, ServerContext& context, const Payload& request) {
  world.Log(absl::StrCat("handler: authority ", std::string(context.authority())));
  co_return request;
}

// Waits for the end of the call.
Task<absl::Status> Wait(ServerWorld& world, ServerContext& context, Reader<Payload>& reader, Writer<Payload>& writer) {
  context.OnCancel([&world] { world.Log("cancelled"); });
  while (co_await reader.Read()) {
  }
  co_return absl::OkStatus();
}

// The fields of a good request, of which a row changes some.
struct Head {
  std::string method = ":method=POST";
  std::string scheme = ":scheme=http";
  std::string path = ":path=/bench.Echo/Unary";
  std::string authority = ":authority=test";
  std::string te = "te=trailers";
  std::string content_type = "content-type=application/grpc";
  std::string more;

  std::string Text() const {
    return absl::StrCat(method, " ", scheme, " ", path, " ", authority, " ", te, " ", content_type, " ", more);
  }
};

void ExpectServed(const std::string& head, const std::string& authority = "test") {
  SCOPED_TRACE(head);
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer("HEADERS 1 " + head + "\n" + Data(1, Message("x"), "END_STREAM"))
      .ExpectLog({"handler: authority " + authority})
      .ExpectWritten({ResponseHead(1), Data(1, Message("x")), Trailers(1)})
      .ExpectNothingLeft()
      .Run();
}

// A status without a handler, as one header block; the rest of an open request is not wanted.
void ExpectRefused(const std::string& head, const std::string& answer) {
  SCOPED_TRACE(head);
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer("HEADERS 1 " + head)
      .ExpectWritten({"HEADERS 1 END_STREAM " + answer, "RST_STREAM 1 NO_ERROR"})
      .Peer("HEADERS 3 END_STREAM " + head)
      .ExpectWritten({"HEADERS 3 END_STREAM " + answer})
      .ExpectLog({})
      .ExpectNothingLeft()
      .Run();
}

// No HTTP message at all: its stream is reset, and the next call is served.
void ExpectMalformed(const std::string& head) {
  SCOPED_TRACE(head);
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer("HEADERS 1 " + head)
      .ExpectWritten({"RST_STREAM 1 PROTOCOL_ERROR"})
      .Peer("HEADERS 3 " + Head().Text() + "\n" + Data(3, Message("x"), "END_STREAM"))
      .ExpectWritten({ResponseHead(3), Data(3, Message("x")), Trailers(3)})
      .ExpectLog({"handler: authority test"})
      .ExpectNothingLeft()
      .Run();
}

// ---- W01 ------------------------------------------------------------------------------------------------------------

TEST(W01RequestOrder, AnyOrderIsTakenAsLongAsThePseudoHeaderFieldsComeFirst) {
  ExpectServed(
      ":authority=test :path=/bench.Echo/Unary :method=POST :scheme=http x=1 content-type=application/grpc te=trailers "
      "grpc-timeout=1H");
  ExpectServed(":scheme=http :authority=test :method=POST :path=/bench.Echo/Unary content-type=application/grpc");
  ExpectMalformed(":method=POST :scheme=http :path=/bench.Echo/Unary te=trailers :authority=test");
}

TEST(W01RequestOrder, SchemeIsNotLookedAt) {
  ExpectServed(Head{.scheme = ":scheme=https"}.Text());
  ExpectServed(Head{.scheme = ":scheme=unix"}.Text());
}

// ---- W02 ------------------------------------------------------------------------------------------------------------

TEST(W02Method, AnythingButPostIsHttp405) {
  for (const char* method : {"GET", "PUT", "HEAD", "OPTIONS", "post", "POSTER"}) {
    ExpectRefused(Head{.method = absl::StrCat(":method=", method)}.Text(),
                  absl::StrCat(":status=405 content-type=application/grpc grpc-status=13 grpc-message=\":method: "
                               "expected POST, got \\\"",
                               method, "\\\"\""));
  }
}

TEST(W02Method, MissingOrEmptyMethodIsNoRequest) {
  ExpectMalformed(Head{.method = ""}.Text());
  ExpectMalformed(Head{.method = ":method=\"\""}.Text());
  ExpectMalformed(Head{.method = ":method=POST :method=POST"}.Text());
}

// ---- W03 ------------------------------------------------------------------------------------------------------------

constexpr char kUnimplemented[] =
    ":status=200 content-type=application/grpc grpc-accept-encoding=...";  // and grpc-status=12: see below

TEST(W03Path, UnknownAndMalformedPathsAreUnimplementedAndReachNoHandler) {
  for (const char* path : {
           "/bench.Echo/unary",                // case counts
           "/bench.Echo/Unary/",               // a slash too many
           "/bench.Echo//Unary",               // doubled
           "//bench.Echo/Unary",               // doubled in front
           "/bench.Echo/Unary?x=1",            // a query
           "/bench.Echo/Unary#x",              // a fragment
           "/bench.Echo/Una%72y",              // not decoded
           "/bench.Echo/../bench.Echo/Unary",  // not normalized
           "/bench.Echo/",                     // no method
           "/bench.Echo",                      // no second slash
           "/",                                //
           "bench.Echo/Unary",                 // no leading slash
           "Unary",                            //
           "*",                                //
           "http://test/bench.Echo/Unary",     // absolute
       }) {
    ExpectRefused(Head{.path = absl::StrCat(":path=", path)}.Text(), kUnimplemented);
  }
}

TEST(W03Path, StatusIsTwelveAndNamesWhatCame) {
  ExpectRefused(Head{.path = ":path=bench.Echo/Unary"}.Text(),
                ":status=200 content-type=application/grpc grpc-accept-encoding=identity,gzip,deflate grpc-status=12 "
                "grpc-message=\":path: expected \\\"/package.Service/Method\\\", got \\\"bench.Echo/Unary\\\"\"");
}

TEST(W03Path, PathThatHttpDoesNotAllowIsNoRequest) {
  ExpectMalformed(Head{.path = ""}.Text());
  ExpectMalformed(Head{.path = ":path=\"\""}.Text());
  ExpectMalformed(Head{.path = ":path=\"/bench.Echo/Un ary\""}.Text());
  ExpectMalformed(Head{.path = ":path=\"/bench.Echo/Un\\nary\""}.Text());
}

// ---- :authority -----------------------------------------------------------------------------------------------------

TEST(W01Authority, WhatClientsOfUnixSocketsSendIsTaken) {
  // grpc++ 1.51, Python, grpc-go today.
  ExpectServed(Head{.authority = ":authority=localhost"}.Text(), "localhost");
  // grpc++ and Python since 1.57, Swift: the path, percent-encoded. It is not decoded.
  ExpectServed(Head{.authority = ":authority=%2Frun%2Fx.sock"}.Text(), "%2Frun%2Fx.sock");
  // grpc-java, grpc-go for years: the path as it is.
  ExpectServed(Head{.authority = ":authority=/run/x.sock"}.Text(), "/run/x.sock");
  ExpectServed(Head{.authority = ":authority=run/x.sock"}.Text(), "run/x.sock");
  ExpectServed(Head{.authority = ":authority=\"\""}.Text(), "");
}

TEST(W01Authority, HostStandsInForIt) {
  ExpectServed(Head{.authority = "", .more = "host=other:1"}.Text(), "other:1");
  ExpectServed(Head{.more = "host=other:1"}.Text(), "test");
}

TEST(W01Authority, WhatNoUriMayHoldIsNoRequest) {
  ExpectMalformed(Head{.authority = ""}.Text());
  ExpectMalformed(Head{.authority = ":authority=\"a b\""}.Text());
  ExpectMalformed(Head{.authority = ":authority=\"a\\\\b\""}.Text());
  ExpectMalformed(Head{.authority = ":authority=a :authority=a"}.Text());
}

// ---- W04 ------------------------------------------------------------------------------------------------------------

TEST(W04Te, MissingTeIsServed) { ExpectServed(Head{.te = ""}.Text()); }

TEST(W04Te, AnyOtherTeIsNoRequest) {
  for (const char* te : {"gzip", "\"trailers, gzip\"", "Trailers", "\"\""}) {
    ExpectMalformed(Head{.te = absl::StrCat("te=", te)}.Text());
  }
}

// ---- W05 ------------------------------------------------------------------------------------------------------------

// How long the handler runs until it is cancelled: exact, on the loop's clock.
void ExpectDeadline(const std::string& timeout, std::chrono::nanoseconds after) {
  SCOPED_TRACE(timeout);
  ServerScript script(testing::Undisturbed());
  script.Bidi(Wait)
      .Handshake()
      .Peer("HEADERS 1 " + Head{.path = ":path=/bench.Echo/BidiEcho", .more = "grpc-timeout=" + timeout}.Text())
      .Advance(after - std::chrono::nanoseconds(1))
      .ExpectLog({})
      .ExpectWritten({})
      .Advance(std::chrono::nanoseconds(1))
      .ExpectLog({"cancelled"})
      .ExpectWritten(
          {"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=4 ...", "RST_STREAM 1 NO_ERROR"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W05Timeout, EveryUnitIsReadExactly) {
  using namespace std::chrono_literals;
  ExpectDeadline("2H", 2h);
  ExpectDeadline("3M", 3min);
  ExpectDeadline("4S", 4s);
  ExpectDeadline("5m", 5ms);
  ExpectDeadline("6u", 6us);
  ExpectDeadline("7n", 7ns);
  ExpectDeadline("00000100S", 100s);
  ExpectDeadline("99999999n", 99'999'999ns);
  ExpectDeadline("99999999u", 99'999'999us);
  ExpectDeadline("99999999m", 99'999'999ms);
  ExpectDeadline("99999999S", 99'999'999s);
}

TEST(W05Timeout, WhatCannotBeReadIsInternalAndReachesNoHandler) {
  for (const char* timeout : {"\"\"", "S", "1", "-1S", "+1S", "1.5S", "1s", "1h", "1 S", "\"1S,2S\"", "123456789S",
                              "99999999999999999999H", "0x1S", "1SS", "\\xc2\\xb5"}) {
    ExpectRefused(Head{.more = absl::StrCat("grpc-timeout=\"", timeout[0] == '"' ? "" : timeout, "\"")}.Text(),
                  ":status=200 content-type=application/grpc grpc-status=13 grpc-message=\"grpc-timeout: expected 1-8 "
                  "digits and a unit HMSmun, got ...");
  }
}

TEST(W05Timeout, TheFirstOfTwoCounts) { ExpectDeadline("1S grpc-timeout=2S", std::chrono::seconds(1)); }

// ---- W06 ------------------------------------------------------------------------------------------------------------

TEST(W06ContentType, ApplicationGrpcWithOrWithoutASuffixIsServed) {
  for (const char* type : {"application/grpc", "application/grpc+proto", "application/grpc+json", "application/grpc+x",
                           "\"application/grpc;charset=utf-8\"", "\"application/grpc; charset=utf-8\"",
                           "\"application/grpc+proto;v=1\"", "Application/GRPC"}) {
    ExpectServed(Head{.content_type = absl::StrCat("content-type=", type)}.Text());
  }
}

TEST(W06ContentType, AnythingElseIsHttp415) {
  for (const char* type : {"application/json", "application/grpc-web", "application/grpc-web+proto", "application/grp",
                           "application/grpcx", "text/html", "\"\"", "\"text/plain, application/grpc\""}) {
    ExpectRefused(Head{.content_type = absl::StrCat("content-type=", type)}.Text(),
                  ":status=415 content-type=application/grpc grpc-status=13 grpc-message=\"content-type: expected "
                  "application/grpc, got ...");
  }
  ExpectRefused(Head{.content_type = ""}.Text(), ":status=415 content-type=application/grpc grpc-status=13 ...");
}

}  // namespace
}  // namespace weir
