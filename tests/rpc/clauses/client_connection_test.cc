// Calls and the life of their connection, seen by a client: W24 (resets), W26, W27, W28 (GOAWAY), W30, W31; and limits
// that a server sets or takes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/tests/rpc/clauses/client_calls.h"
#include "weir/transport/h2/connection.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using testing::Answer;
using testing::CallStream;
using testing::CallStreamLater;
using testing::CallUnary;
using testing::ClientScript;
using testing::ClientWorld;
using testing::Data;
using ::testing::Each;
using ::testing::HasSubstr;
using testing::Message;
using testing::RequestLine;
using testing::ResponseHead;
using ::testing::SizeIs;
using ::testing::StartsWith;
using testing::Trailers;
using testing::WriteForEver;

// Each of these channels has one server; a new connection is looked for in vain.
constexpr char kNowhere[] = "UNAVAILABLE: cannot connect...";
constexpr char kGoAway[] = "UNAVAILABLE: peer sent GOAWAY...";

// ---- W24: the error code of RST_STREAM as a status ------------------------------------------------------------------

TEST(W24Reset, EveryErrorCodeIsMapped) {
  const struct {
    std::string code;
    std::string line;
  } rows[] = {
      {"NO_ERROR", "INTERNAL: ..."},
      {"PROTOCOL_ERROR", "INTERNAL: ..."},
      {"INTERNAL_ERROR", "INTERNAL: ..."},
      {"FLOW_CONTROL_ERROR", "INTERNAL: ..."},
      {"SETTINGS_TIMEOUT", "INTERNAL: ..."},
      {"STREAM_CLOSED", "INTERNAL: ..."},  // not in gRPC's table
      {"FRAME_SIZE_ERROR", "INTERNAL: ..."},
      {"REFUSED_STREAM", "UNAVAILABLE: peer reset stream 1: REFUSED_STREAM(7) (unprocessed)"},
      {"CANCEL", "CANCELLED: peer reset stream 1: CANCEL(8)"},
      {"COMPRESSION_ERROR", "INTERNAL: ..."},
      {"CONNECT_ERROR", "INTERNAL: ..."},
      {"ENHANCE_YOUR_CALM", "RESOURCE_EXHAUSTED: ..."},
      {"INADEQUATE_SECURITY", "PERMISSION_DENIED: ..."},
      {"HTTP_1_1_REQUIRED", "INTERNAL: ..."},  // not in gRPC's table
      {"ERROR_0x77", "INTERNAL: ..."},         // nobody's
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.code);
    ClientScript script;
    script.Handshake()
        .Spawn(CallUnary)
        .Drop()
        .Peer("RST_STREAM 1 " + row.code)
        .ExpectLog({row.line})
        .ExpectWritten({})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(W24Reset, AfterTheTrailersItTakesNothingBackWhateverItsCode) {
  for (const char* code : {"NO_ERROR", "CANCEL", "INTERNAL_ERROR", "REFUSED_STREAM"}) {
    ClientScript script;
    script.Handshake()
        .Spawn(WriteForEver)
        .Drop()
        .Peer(Trailers(1, ":status=200 content-type=application/grpc grpc-status=10") + "\nRST_STREAM 1 " + code)
        .ExpectLog({"refused", "ABORTED: "})
        .ExpectNothingLeft()
        .Run();
  }
}

// ---- W27: a CANCELLED that comes when our own deadline has passed ---------------------------------------------------

TEST(W27Deadline, FirstWhoNoticesItMakesNoDifferenceToTheCaller) {
  // The server is first: its grpc-timeout was rounded up, but its clock may run faster.
  ClientScript script;
  script.Handshake()
      .Spawn(WriteForEver)
      .Drop()
      .Advance(milliseconds(9990))
      .Peer(Trailers(1, ":status=200 content-type=application/grpc grpc-status=4 grpc-message=late"))
      .ExpectLog({"refused", "DEADLINE_EXCEEDED: late"})
      .ExpectNothingLeft()
      .Run();
}

// The server knows the deadline too and may be first to act on it: its CANCELLED is then our deadline.
TEST(W27Deadline, CancelledByTheServerWhenOurDeadlineHasPassedIsTheDeadline) {
  ClientScript script;
  script.Handshake()
      .Spawn(WriteForEver)
      .Drop()
      .PeerLate("RST_STREAM 1 CANCEL", seconds(11))
      .ExpectLog({"refused", "DEADLINE_EXCEEDED: ..."})
      .ExpectWritten({})  // the reset was first
      .ExpectNothingLeft()
      .Run();
}

// ---- W28: GOAWAY ----------------------------------------------------------------------------------------------------

TEST(W28GoAway, StreamsAboveTheLastIdAreUnprocessedAndTheOthersFinish) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Spawn(CallUnary)
      .Spawn(CallUnary)
      .Drop()
      .Peer("GOAWAY last=3 NO_ERROR")
      .ExpectLog({kGoAway})
      .Peer(Answer(1, "one"))
      .Peer(Answer(3, "three"))
      .ExpectLog({"reply one", "reply three"})
      .PeerCloses()
      .ExpectNothingLeft()
      .Run();
}

TEST(W28GoAway, LastIdZeroLeavesEveryCallUnprocessed) {
  for (const char* code : {"NO_ERROR", "ENHANCE_YOUR_CALM", "INTERNAL_ERROR"}) {
    ClientScript script;
    script.Handshake()
        .Spawn(CallUnary)
        .Spawn(CallUnary)
        .Drop()
        .Peer(absl::StrCat("GOAWAY last=0 ", code, " \"too_many_pings\""))
        .ExpectLog({kGoAway, kGoAway})
        .PeerCloses()
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(W28GoAway, NoticeAloneEndsNoCallAndTakesNoNewOne) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer("GOAWAY last=2147483647 NO_ERROR")
      .ExpectLog({})
      .Spawn(CallUnary)
      .ExpectLog({kNowhere})  // there is no other server to go to
      .ExpectWritten({})
      .Peer("GOAWAY last=1 NO_ERROR")
      .Peer(Answer(1, "one"))
      .ExpectLog({"reply one"})
      .Run();
}

TEST(W28GoAway, LastIdThatRisesEndsTheConnectionAndTakesNothingBack) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Spawn(CallUnary)
      .Drop()
      .Peer("GOAWAY last=1 NO_ERROR")
      .ExpectLog({kGoAway})
      .Peer("GOAWAY last=3 NO_ERROR")
      .ExpectWritten({"GOAWAY last=0 PROTOCOL_ERROR..."})
      .PeerCloses()
      .ExpectLog({"UNAVAILABLE: ..."})
      .ExpectNothingLeft()
      .Run();
}

TEST(W28GoAway, AnswerToAnUnprocessedStreamIsDropped) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Spawn(CallUnary)
      .Drop()
      .Peer("GOAWAY last=1 NO_ERROR\n" + Answer(3, "late"))
      .ExpectLog({kGoAway})
      .Peer(Answer(1, "one"))
      .ExpectLog({"reply one"})
      .Run();
}

// ---- W30 and W31 ----------------------------------------------------------------------------------------------------

TEST(W30Ping, IsAnsweredWithItsOwnOctetsWhileACallWaits) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer("PING 0123456789abcdef")
      .ExpectWritten({"PING ACK 0123456789abcdef"})
      .Peer("PING ACK 0123456789abcdef")  // of a ping that nobody sent
      .ExpectWritten({})
      .ExpectLog({})
      .Run();
}

TEST(W31Loss, CallsUnderWayAreUnavailableAndNotMarkedUnprocessed) {
  for (const std::string& before :
       {std::string("PING 0000000000000000"), ResponseHead(1), ResponseHead(1) + "\n" + Data(1, std::string(2, 0))}) {
    ClientScript script;
    script.Handshake()
        .Spawn(CallUnary)
        .Drop()
        .Peer(before)
        .Lose()
        .ExpectLog({"UNAVAILABLE: ..."})
        .ExpectNothingLeft()
        .Run();
  }
}

// ---- places ---------------------------------------------------------------------------------------------------------

TEST(MaxConcurrentStreams, ZeroKeepsCallsWaitingUntilTheirDeadline) {
  ClientScript script;
  script.Handshake("MAX_CONCURRENT_STREAMS=0")
      .Spawn(WriteForEver)
      .ExpectWritten({})
      .ExpectLog({})
      .Advance(seconds(11))
      .ExpectLog({"refused", "DEADLINE_EXCEEDED: ..."})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

TEST(MaxConcurrentStreams, LoweredBelowWhatIsOpenTouchesNoOpenStream) {
  ClientScript script;
  script.Handshake("MAX_CONCURRENT_STREAMS=2")
      .Spawn(CallUnary)
      .Spawn(CallUnary)
      .Drop()
      .Peer("SETTINGS MAX_CONCURRENT_STREAMS=1")
      .Spawn(CallUnary)
      .ExpectWritten({"SETTINGS ACK"})
      .Peer(Answer(1, "one"))
      .ExpectLog({"reply one"})
      .ExpectWritten({})  // one is open still
      .Peer(Answer(3, "three"))
      .ExpectLog({"reply three"})
      .ExpectWritten({RequestLine(5, "Unary"), Data(5, Message("hello"), "END_STREAM")})
      .Run();
}

// A server that says "no calls" and goes: without a pause, the channel would do nothing but connect.
TEST(MaxConcurrentStreams, ZeroAndThenTheEndMakesAPause) {
  for (const bool goes_away : {false, true}) {
    ClientScript script;
    script.Handshake("MAX_CONCURRENT_STREAMS=0").Spawn(CallUnary).Spawn(CallUnary).ExpectLog({});
    if (goes_away) script.Peer("GOAWAY last=0 NO_ERROR");
    if (!goes_away) script.PeerCloses();
    // The reason is the end of that connection: no other has been tried, and none is while the pause lasts.
    const std::string reason = goes_away ? "sent GOAWAY" : "closed";
    const auto expect_failed = [reason](size_t calls) {
      return [reason, calls](ClientWorld& world) {
        EXPECT_THAT(world.TakeLog(),
                    AllOf(SizeIs(calls), Each(StartsWith("UNAVAILABLE: cannot connect")), Each(HasSubstr(reason))));
      };
    };
    script.Do(expect_failed(2)).Spawn(CallUnary).Do(expect_failed(1)).Shutdown().ExpectNothingLeft().Run();
  }
}

// ---- stream identifiers ---------------------------------------------------------------------------------------------

constexpr uint32_t kTired = transport::H2Connection::kStreamIdTired;

TEST(StreamIds, BelowThreeQuartersTheConnectionGoesOn) {
  ClientScript script;
  script.FirstStream(kTired - 4)
      .Handshake()
      .Spawn(CallUnary)
      .Spawn(CallUnary)
      .ExpectWritten({RequestLine(kTired - 4, "Unary"), Data(kTired - 4, Message("hello"), "END_STREAM"),
                      RequestLine(kTired - 2, "Unary"), Data(kTired - 2, Message("hello"), "END_STREAM")})
      .Run();
}

TEST(StreamIds, AtThreeQuartersNewCallsGoToANewConnectionAndNoCallNotices) {
  ClientScript script;
  script.FirstStream(kTired - 2)
      .Handshake()
      .Spawn(CallUnary)
      .Spawn(CallUnary)  // the last one here
      .ExpectWritten({RequestLine(kTired - 2, "Unary"), Data(kTired - 2, Message("hello"), "END_STREAM"),
                      RequestLine(kTired, "Unary"), "GOAWAY last=0 NO_ERROR",
                      Data(kTired, Message("hello"), "END_STREAM")})
      .ExpectLog({})
      .Spawn(CallUnary)
      .ExpectLog({kNowhere})  // asked for a new connection, which there is none
      .ExpectWritten({})
      .Peer(Answer(kTired - 2, "one"))
      .Peer(Answer(kTired, "two"))
      .ExpectLog({"reply one", "reply two"})
      .PeerCloses()
      .Shutdown()
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
