// How a channel finds out that its server is gone, and what it learns of one that wants fewer PINGs: gRFC A8.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/why.h"
#include "weir/tests/support/client_script.h"

namespace weir {
namespace {

using bench::Payload;
using std::chrono::hours;
using std::chrono::milliseconds;
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

constexpr char kPing[] = "PING 776569722d6b6121";
constexpr char kPong[] = "PING ACK 776569722d6b6121";

Task<void> CallUnary(ClientWorld& world) {
  TestCall call = world.Call("Unary", "hello");
  absl::StatusOr<Payload> reply = co_await call.Reply();
  world.Log(reply.ok() ? "reply " + reply->body() : Line(reply.status()));
  if (!reply.ok()) world.Log(WhyOf(reply.status())->by == Why::By::kNetwork ? "by the network" : "by another");
}

ChannelOptions Keepalive(absl::Duration time, bool without_calls = false) {
  ChannelOptions options;
  options.connection.keepalive = {.time = time, .timeout = absl::Seconds(20), .without_calls = without_calls};
  return options;
}

std::string Reply(int stream_id) {
  return ResponseHead(stream_id) + "\n" + Data(stream_id, Message("hello")) + "\n" + Trailers(stream_id);
}

TEST(ClientKeepalive, ServerThatDoesNotAnswerIsNoticedAtTheTimeoutAndItsCallsEnd) {
  ClientScript script(Keepalive(absl::Seconds(60)));
  script.Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Advance(milliseconds(59'999))
      .ExpectWritten({})
      .Advance(milliseconds(1))
      .ExpectWritten({kPing})
      .Advance(milliseconds(19'999))
      .ExpectLog({})
      .Advance(milliseconds(1))
      .ExpectLog({"UNAVAILABLE: connection to peer: keepalive: no answer within 20s...", "by the network"})
      .Do([](ClientWorld& w) { EXPECT_EQ(w.core().peer_counts().count(Timeout::kKeepalive), 1u); })
      .Advance(seconds(1))
      .ExpectNothingLeft()
      .Run();
}

TEST(ClientKeepalive, AnswerOrAnyByteKeepsTheConnection) {
  for (const std::string& bytes : {std::string(kPong), ResponseHead(1)}) {
    ClientScript script(Keepalive(absl::Seconds(60)));
    script.Handshake()
        .Spawn(CallUnary)
        .Drop()
        .Advance(seconds(60))
        .ExpectWritten({kPing})
        .Peer(bytes)
        .Advance(milliseconds(59'999))
        .ExpectWritten({})
        .ExpectLog({})
        .Advance(milliseconds(1))
        .ExpectWritten({kPing})
        .Run();
  }
}

TEST(ClientKeepalive, WithoutCallsNothingIsSentUntilTheNextOne) {
  ClientScript script(Keepalive(absl::Seconds(60)));
  script.Handshake()
      .Advance(hours(5))
      .ExpectWritten({})
      .Spawn(CallUnary)
      .ExpectWritten({kPing, RequestLine(1, "Unary"), Data(1, Message("hello"), "END_STREAM")})
      .Peer(std::string(kPong) + "\n" + Reply(1))
      .ExpectLog({"reply hello"})
      .Spawn(CallUnary)
      .ExpectWritten({RequestLine(3, "Unary"), Data(3, Message("hello"), "END_STREAM")})
      .Run();
}

TEST(ClientKeepalive, PingsWithoutCallsIfThatIsWanted) {
  ClientScript script(Keepalive(absl::Seconds(60), true));
  script.Handshake()
      .Advance(seconds(60))
      .ExpectWritten({kPing})
      .Peer(kPong)
      .Advance(seconds(60))
      .ExpectWritten({kPing});
  script.Run();
}

TEST(ClientKeepalive, IsOffByDefault) {
  ClientScript script;
  script.Handshake().Spawn(CallUnary).Drop().Advance(hours(1000)).ExpectWritten({}).ExpectLog({}).Run();
}

TEST(ClientKeepalive, TooManyPingsDoublesTheTimeOfTheChannelAndIsLoggedOnce) {
  ClientScript script(Keepalive(absl::Seconds(60)));
  script.Handshake()
      .Do([](ClientWorld& w) { ::testing::internal::CaptureStderr(); })
      .Spawn(CallUnary)
      .Peer("GOAWAY last=0 ENHANCE_YOUR_CALM \"too_many_pings\"")
      .Do([](ClientWorld& w) {
        const std::string log = ::testing::internal::GetCapturedStderr();
        EXPECT_EQ(
            log.find("weir::Channel to unix:/nowhere/to/be/found: peer sent \"too_many_pings\". This channel pings "
                     "after 1m of silence"),
            0u)
            << log;
        EXPECT_EQ(w.core().keepalive_time().value(), absl::Minutes(2));
      })
      .Run();
}

TEST(ClientLimits, ServerThatGoesBeyondOneLosesTheConnectionAndItIsCounted) {
  ChannelOptions options;
  options.budgets.settings = {.burst = 3, .per_second = 0};
  ClientScript script(options);
  script.Handshake()
      .Spawn(CallUnary)
      .Peer("SETTINGS\nSETTINGS\nSETTINGS")
      .Advance(seconds(1))
      .Do([](ClientWorld& w) { EXPECT_EQ(w.core().peer_counts().count(transport::H2Limit::kSettings), 1u); })
      .Run();
}

TEST(ClientSettings, ServerThatDoesNotAcknowledgeThemLosesTheConnection) {
  ClientScript script;
  script.Connect()
      .Peer("SETTINGS")
      .Spawn(CallUnary)
      .Drop()
      .Advance(milliseconds(9'999))
      .ExpectLog({})
      .Advance(milliseconds(1))
      .ExpectLog({"UNAVAILABLE: connection to peer failed: SETTINGS: expected their acknowledgement within 10s "
                  "(ChannelOptions::connection.settings_ack_timeout)...",
                  "by another"})
      .ExpectLastWritten(
          "GOAWAY last=0 SETTINGS_TIMEOUT \"SETTINGS: expected their acknowledgement within 10s "
          "(ChannelOptions::connection.settings_ack_timeout)\"")
      .Do([](ClientWorld& w) { EXPECT_EQ(w.core().peer_counts().count(Timeout::kSettingsAck), 1u); })
      .Advance(seconds(1))
      .ExpectNothingLeft()
      .Run();
}

TEST(ClientHeaderBlock, ServerThatDoesNotEndItLosesTheConnection) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .Drop()
      .PeerBytes(testing::Frames(ResponseHead(1)).substr(0, 12))
      .Advance(milliseconds(9'999))
      .ExpectLog({})
      .Advance(milliseconds(1))
      .ExpectWritten(
          {"GOAWAY last=0 ENHANCE_YOUR_CALM \"header block: expected its end within 10 s (header_block_timeout)\""})
      .Advance(seconds(1))
      .ExpectLog({"UNAVAILABLE: connection to peer failed: header block: expected its end within 10 s "
                  "(header_block_timeout)...",
                  "by ..."})
      .Do([](ClientWorld& w) { EXPECT_EQ(w.core().peer_counts().count(Timeout::kHeaderBlock), 1u); })
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
