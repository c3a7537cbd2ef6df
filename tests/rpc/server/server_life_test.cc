// How long a server's connection lives, as its client sees it: GOAWAYs with their reasons, PINGs, and what ends calls.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/tests/support/server_script.h"

namespace weir {
namespace {

using bench::Payload;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Data;
using testing::Message;
using testing::Request;
using testing::ResponseHead;
using testing::ServerScript;
using testing::ServerWorld;
using testing::Trailers;

// "weir-ka!"
constexpr char kKeepalivePing[] = "PING 776569722d6b6121";

Task<absl::StatusOr<Payload>> Echo(ServerWorld& world, ServerContext& context, const Payload& request) {
  co_return request;
}

// Returns when told, or when it is cancelled.
Task<absl::StatusOr<Payload>> Wait(ServerWorld& world, ServerContext& context, const Payload& request) {
  context.OnCancel([&world, &context] {
    world.Log("cancelled: " + std::string(context.cancel_reason().message()));
    world.signal("return").Set();
  });
  co_await world.signal("return");
  co_return request;
}

Task<absl::StatusOr<bench::Summary>> CountAll(ServerWorld& world, ServerContext& context, Reader<Payload>& reader) {
  bench::Summary summary;
  while (std::optional<Payload> payload = co_await reader.Read()) summary.set_count(summary.count() + 1);
  world.Log(absl::StrCat("read ", summary.count()));
  co_return summary;
}

Task<absl::StatusOr<bench::Summary>> ReadAll(ServerWorld& world, ServerContext& context, Reader<Payload>& reader) {
  context.OnCancel([&world, &context] { world.Log("cancelled: " + std::string(context.cancel_reason().message())); });
  absl::StatusOr<bench::Summary> summary = co_await CountAll(world, context, reader);
  co_return summary;
}

Task<absl::StatusOr<bench::Summary>> ReadLater(ServerWorld& world, ServerContext& context, Reader<Payload>& reader) {
  co_await world.signal("read");
  absl::StatusOr<bench::Summary> summary = co_await CountAll(world, context, reader);
  co_return summary;
}

ServerScript& Call(ServerScript& script, int stream_id) {
  return script.Peer(Request(stream_id, "Unary") + "\n" + Data(stream_id, Message("x"), "END_STREAM"));
}

// ---- the beginning --------------------------------------------------------------------------------------------------

TEST(ServerHandshake, ClientThatSaysNothingIsToldAndClosed) {
  ServerScript script;
  script.Start()
      .Drop()
      .Advance(milliseconds(9'999))
      .ExpectWritten({})
      .Advance(milliseconds(1))
      .ExpectWritten(
          {"SETTINGS ...",
           "GOAWAY last=0 SETTINGS_TIMEOUT \"handshake: expected the client's preface and SETTINGS within 10s "
           "(ServerOptions::connection.handshake_timeout)\""})
      .Advance(seconds(1))
      .ExpectLog({"connection gone"})
      .ExpectTimeouts({Timeout::kHandshake})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerHandshake, HalfAPrefaceIsNone) {
  ServerScript script;
  script.Start()
      .PeerBytes("PRI * HTTP/2.0\r\n")
      .Drop()
      .Advance(seconds(10))
      .ExpectWritten({"SETTINGS ...", "GOAWAY last=0 SETTINGS_TIMEOUT \"handshake: ..."});
  script.Run();
}

TEST(ServerHandshake, SettingsThatAreNotAcknowledgedEndTheConnectionAndItsCalls) {
  ServerScript script;
  script.Unary(Wait).Start().Peer("PREFACE\nSETTINGS");
  Call(script, 1)
      .Drop()
      .Advance(milliseconds(9'999))
      .ExpectWritten({})
      .Advance(milliseconds(1))
      .ExpectLog({"cancelled: SETTINGS: expected their acknowledgement within 10s "
                  "(ServerOptions::connection.settings_ack_timeout)"})
      .ExpectLastWritten(
          "GOAWAY last=1 SETTINGS_TIMEOUT \"SETTINGS: expected their acknowledgement within 10s "
          "(ServerOptions::connection.settings_ack_timeout)\"")
      .ExpectTimeouts({Timeout::kSettingsAck})
      .Run();
}

TEST(ServerHandshake, HeaderBlockMustEndInTime) {
  for (const bool cut : {true, false}) {
    ServerScript script;
    const std::string whole = testing::Frames(Request(1, "Unary"));
    script.Handshake();
    if (cut) {
      script.PeerBytes(whole.substr(0, whole.size() - 1));
    } else {
      std::string open = whole;
      open[4] = static_cast<char>(open[4] & ~0x4);  // without END_HEADERS
      script.PeerBytes(open);
    }
    script.Advance(milliseconds(9'999))
        .ExpectWritten({})
        .Advance(milliseconds(1))
        .ExpectWritten(
            {"GOAWAY last=1 ENHANCE_YOUR_CALM \"header block: expected its end within 10 s (header_block_timeout)\""})
        .Advance(seconds(1))
        .ExpectTimeouts({Timeout::kHeaderBlock})
        .Run();
  }
}

TEST(ServerHandshake, HeaderBlockThatEndsInTimeLeavesNothingBehind) {
  ServerScript script;
  const std::string whole = testing::Frames(Request(1, "Unary") + "\n" + Data(1, Message("x"), "END_STREAM"));
  script.Unary(Echo)
      .Handshake()
      .PeerBytes(whole.substr(0, 20))
      .Advance(milliseconds(9'999))
      .PeerBytes(whole.substr(20))
      .ExpectWritten({ResponseHead(1), Data(1, Message("x")), Trailers(1)})
      .Advance(seconds(60))
      .ExpectWritten({})
      .ExpectTimeouts({})
      .ExpectNothingLeft()
      .Run();
}

// ---- messages -------------------------------------------------------------------------------------------------------

// Three ticks of 15 s after the one that finds the message begun, and one more: 60 s, and up to 15 s for the first
// tick.
TEST(ServerMessageTimeout, MessageThatDoesNotGoOnIsCancelled) {
  const std::string whole = Message("never comes");
  ServerScript script;
  script.ClientStream(ReadAll)
      .Handshake()
      .Peer(Request(1, "ClientStream") + "\n" + Data(1, whole.substr(0, 8)))
      .Advance(seconds(60))
      .ExpectLog({})
      .ExpectWritten({})
      .Advance(seconds(15))
      .ExpectLog({"cancelled: message: expected the rest of it within 1m of the last part "
                  "(ServerOptions::connection.message_timeout)",
                  "read 0"})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectTimeouts({Timeout::kMessage})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerMessageTimeout, MessageThatGoesOnSlowlyIsTaken) {
  const std::string whole = Message("comes slowly");
  ServerScript script;
  script.ClientStream(ReadAll).Handshake().Peer(Request(1, "ClientStream"));
  for (const char byte : whole) script.Peer(Data(1, std::string(1, byte))).Advance(seconds(60));
  script.Peer(Data(1, "", "END_STREAM")).ExpectLog({"read 1"}).ExpectTimeouts({}).Run();
}

TEST(ServerMessageTimeout, NobodyIsCancelledForWhatTheHandlerDoesNotRead) {
  const std::string whole = Message("x");
  ServerScript script;
  script.ClientStream(ReadLater)
      .Handshake()
      .Peer(Request(1, "ClientStream") + "\n" + Data(1, whole + whole.substr(0, 3)))
      .Advance(minutes(30))
      .ExpectLog({})
      .Peer(Data(1, whole.substr(3), "END_STREAM"))
      .Set("read")
      .ExpectLog({"read 2"})
      .Run();
}

TEST(ServerMessageTimeout, StreamBetweenMessagesMayWaitForEver) {
  ServerScript script;
  script.ClientStream(ReadAll)
      .Handshake()
      .Peer(Request(1, "ClientStream") + "\n" + Data(1, Message("x")))
      .Advance(minutes(90))
      .ExpectLog({})
      .Peer(Data(1, "", "END_STREAM"))
      .ExpectLog({"read 1"})
      .Run();
}

// ---- what is no call ------------------------------------------------------------------------------------------------

constexpr char kGet[] = "HEADERS 1 END_STREAM :method=GET :scheme=http :path=/ :authority=test";
constexpr char kPageHead[] = "HEADERS 1 :status=200 content-type=\"text/plain; charset=utf-8\"";

TEST(ServerPage, PlainGetIsAnsweredWithAPageOfText) {
  ServerScript script;
  script.Handshake()
      .Peer(kGet)
      .ExpectWritten({kPageHead,
                      Data(1, "A gRPC server (weir). There are no pages here: call its methods with a gRPC client.\n"),
                      "HEADERS 1 END_STREAM grpc-status=..."})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerPage, PageWaitsForItsWindowButNotForEver) {
  ServerScript script;
  script.Handshake("INITIAL_WINDOW_SIZE=1")
      .Peer(kGet)
      .ExpectWritten({kPageHead, Data(1, "A")})
      .Advance(seconds(300))
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectTimeouts({Timeout::kStreamWriteStall})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerPage, OtherPathsAreRefusedAsBefore) {
  ServerScript script;
  script.Handshake()
      .Peer("HEADERS 1 END_STREAM :method=GET :scheme=http :path=/a :authority=test")
      .ExpectWritten({"HEADERS 1 END_STREAM :status=405 ..."})
      .Run();
}

// ---- PINGs ----------------------------------------------------------------------------------------------------------

TEST(ServerKeepalive, SilentClientIsPingedAndItsAnswerIsEnough) {
  ServerScript script(testing::LongLived());
  script.Handshake()
      .Advance(hours(2) - milliseconds(1))
      .ExpectWritten({})
      .Advance(milliseconds(1))
      .ExpectWritten({kKeepalivePing})
      .Peer("PING ACK 776569722d6b6121")
      .Advance(hours(2) - milliseconds(1))
      .ExpectWritten({})
      .Advance(milliseconds(1))
      .ExpectWritten({kKeepalivePing})
      .Run();
}

TEST(ServerKeepalive, ClientThatDoesNotAnswerLosesItsCalls) {
  ServerScript script(testing::LongLived());
  script.Unary(Wait).Handshake();
  Call(script, 1)
      .Advance(hours(2))
      .ExpectWritten({kKeepalivePing})
      .Advance(milliseconds(19'999))
      .ExpectLog({})
      .Advance(milliseconds(1))
      .ExpectLog({"cancelled: connection to peer: keepalive: no answer within 20s "
                  "(ServerOptions::connection.keepalive.timeout)"})
      .ExpectTimeouts({Timeout::kKeepalive})
      .Advance(seconds(1))
      .ExpectLog({"connection gone"})
      .ExpectNothingLeft()
      .Run();
}

constexpr char kPing[] = "PING 0000000000000000";
constexpr char kPong[] = "PING ACK 0000000000000000";
constexpr char kTooManyPings[] = "GOAWAY last=1 ENHANCE_YOUR_CALM \"too_many_pings\"";

TEST(ServerPingRules, ThirdStrikeWhileACallIsOpenEndsTheConnection) {
  ServerScript script;
  script.Unary(Wait).Handshake();
  Call(script, 1);
  script.Peer(kPing).ExpectWritten({kPong});
  for (int strike = 1; strike <= 2; ++strike) script.Advance(seconds(299)).Peer(kPing).ExpectWritten({kPong});
  script.Advance(seconds(299)).Peer(kPing).ExpectLastWritten(kTooManyPings).Run();
}

TEST(ServerPingRules, PingEveryFiveMinutesWhileACallIsOpenIsNoStrike) {
  ServerScript script;
  script.Unary(Wait).Handshake();
  Call(script, 1);
  for (int i = 0; i < 10; ++i) script.Peer(kPing).ExpectWritten({kPong}).Advance(seconds(300));
  script.Run();
}

TEST(ServerPingRules, WithoutCallsTheIntervalIsTwoHours) {
  ServerScript script(testing::LongLived());
  script.Unary(Echo).Handshake();
  Call(script, 1).Drop();
  for (int i = 0; i < 3; ++i) script.Peer(kPing).ExpectWritten({kPong}).Advance(minutes(6));
  script.Peer(kPing)
      .ExpectLastWritten(kTooManyPings)
      .Advance(seconds(1))
      .ExpectLimits({transport::H2Limit::kPingStrikes})
      .Run();
}

TEST(ServerPingRules, ClientsMayBeLetPingWithoutCalls) {
  weir::ServerOptions options = testing::LongLived();
  options.connection.pings.without_calls = true;
  options.connection.pings.min_interval = absl::Seconds(30);
  ServerScript script(options);
  script.Handshake();
  for (int i = 0; i < 10; ++i) script.Peer(kPing).ExpectWritten({kPong}).Advance(seconds(30));
  script.Run();
}

TEST(ServerPingRules, EveryAnswerForgivesTheStrikes) {
  ServerScript script;
  script.Unary(Echo).Handshake();
  for (int i = 0; i < 10; ++i) {
    Call(script, 2 * i + 1).Drop();
    for (int ping = 0; ping < 3; ++ping) script.Peer(kPing).ExpectWritten({kPong});
  }
  script.Run();
}

// ---- the end --------------------------------------------------------------------------------------------------------

TEST(ServerMaxIdle, ConnectionWithoutCallsIsDrainedAfterAnHour) {
  ServerScript script;
  script.Unary(Echo).Handshake().Advance(minutes(59));
  Call(script, 1)
      .Drop()
      .Advance(minutes(60) - milliseconds(1))
      .ExpectWritten({})
      .Advance(milliseconds(1))
      .ExpectFirstGoAwayAndAnswer()
      .ExpectWritten({"GOAWAY last=1 NO_ERROR \"max_idle\""})
      .ExpectTimeouts({Timeout::kMaxIdle})
      .PeerCloses()
      .ExpectLog({"connection gone"})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerMaxIdle, CallThatComesWithTheGoAwayIsServed) {
  weir::ServerOptions options;
  options.connection.max_idle = absl::Minutes(1);
  ServerScript script(options);
  script.Unary(Echo).Handshake().Advance(minutes(1));
  Call(script, 1)
      .ExpectWritten(
          {"GOAWAY last=2147483647 NO_ERROR", "PING ...", ResponseHead(1), Data(1, Message("x")), Trailers(1)})
      .Run();
}

TEST(ServerMaxAge, OldConnectionIsDrainedAndItsCallsEndByThemselves) {
  weir::ServerOptions options;
  options.connection.max_age = absl::Minutes(10);
  ServerScript script(options);
  script.Unary(Wait).Handshake();
  Call(script, 1)
      .Advance(minutes(10) - milliseconds(1))
      .ExpectWritten({})
      .Advance(milliseconds(1))
      .ExpectFirstGoAwayAndAnswer()
      .ExpectWritten({"GOAWAY last=1 NO_ERROR \"max_age\""})
      .Set("return")
      .ExpectWritten({ResponseHead(1), Data(1, Message("x")), Trailers(1)})
      .PeerCloses()
      .ExpectLog({"connection gone"})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerMaxAge, CallsThatOutliveTheGraceAreCancelled) {
  weir::ServerOptions options;
  options.connection.max_age = absl::Minutes(10);
  options.connection.max_age_grace = absl::Seconds(30);
  ServerScript script(options);
  script.Unary(Wait).Handshake();
  Call(script, 1)
      .Advance(minutes(10))
      .ExpectFirstGoAwayAndAnswer()
      .Drop()
      .Advance(milliseconds(29'999))
      .ExpectLog({})
      .Advance(milliseconds(1))
      .ExpectLog({"cancelled: max_age: expected the connection's calls to end within 30s "
                  "(ServerOptions::connection.max_age_grace)"})
      .ExpectTimeouts({Timeout::kMaxAge, Timeout::kMaxAgeGrace})
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=14 ..."})
      .Advance(seconds(1))
      .ExpectLog({"connection gone"})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
