// When a PING is sent, and when the peer is given up: gRFC A8 on a clock that the test moves.
#include "weir/rpc/life/keepalive.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "weir/rpc/life/acknowledge_timeout.h"
#include "weir/rpc/life/keepalive_time.h"

namespace weir {
namespace {

using Act = Keepalive::Act;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using transport::MonotonicTime;

constexpr MonotonicTime kStart{};
constexpr MonotonicTime kNever = MonotonicTime::max();

MonotonicTime At(std::chrono::nanoseconds since_start) { return kStart + since_start; }

KeepaliveOptions Every(absl::Duration time, bool without_calls = false) {
  return {.time = time, .timeout = absl::Seconds(20), .without_calls = without_calls};
}

Keepalive Started(const KeepaliveOptions& options) {
  static std::deque<KeepaliveOptions> kept;  // they outlive what they are for
  kept.push_back(options);
  Keepalive keepalive;
  keepalive.Start(kept.back(), kStart);
  return keepalive;
}

TEST(KeepaliveTest, IsOffByDefault) {
  Keepalive keepalive = Started(KeepaliveOptions());
  EXPECT_EQ(keepalive.due(), kNever);
  EXPECT_FALSE(keepalive.is_asleep());
}

TEST(KeepaliveTest, PingIsSentAfterSilenceAndNotBefore) {
  Keepalive keepalive = Started(Every(absl::Seconds(60)));
  EXPECT_EQ(keepalive.due(), At(seconds(60)));
  EXPECT_EQ(keepalive.OnTime(At(milliseconds(59999)), kStart, true), Act::kNone);
  EXPECT_EQ(keepalive.OnTime(At(seconds(60)), kStart, true), Act::kPing);
  EXPECT_EQ(keepalive.due(), At(seconds(80)));
}

TEST(KeepaliveTest, SilenceIsCountedFromTheLastByteRead) {
  Keepalive keepalive = Started(Every(absl::Seconds(60)));
  EXPECT_EQ(keepalive.OnTime(At(seconds(60)), At(seconds(45)), true), Act::kNone);
  EXPECT_EQ(keepalive.due(), At(seconds(105)));
  EXPECT_EQ(keepalive.OnTime(At(seconds(105)), At(seconds(45)), true), Act::kPing);
}

TEST(KeepaliveTest, PeerThatSaysNothingIsGivenUpAtTheTimeoutAndNotBefore) {
  Keepalive keepalive = Started(Every(absl::Seconds(60)));
  ASSERT_EQ(keepalive.OnTime(At(seconds(60)), kStart, true), Act::kPing);
  EXPECT_EQ(keepalive.OnTime(At(milliseconds(79999)), kStart, true), Act::kNone);
  EXPECT_EQ(keepalive.OnTime(At(seconds(80)), kStart, true), Act::kGiveUp);
}

TEST(KeepaliveTest, AnyByteIsAnAnswer) {
  for (const seconds answered : {seconds(60), seconds(61), seconds(79)}) {
    Keepalive keepalive = Started(Every(absl::Seconds(60)));
    ASSERT_EQ(keepalive.OnTime(At(seconds(60)), kStart, true), Act::kPing);
    EXPECT_EQ(keepalive.OnTime(At(seconds(80)), At(answered), true), Act::kNone) << answered.count();
    EXPECT_EQ(keepalive.due(), At(answered + seconds(60)));
  }
}

TEST(KeepaliveTest, PeerThatIsSlowAfterItsAnswerIsPingedAgain) {
  Keepalive keepalive = Started(Every(absl::Seconds(10)));
  ASSERT_EQ(keepalive.OnTime(At(seconds(10)), kStart, true), Act::kPing);
  // The answer came at 12 s; when the timeout is looked at, ten more seconds of silence have passed.
  EXPECT_EQ(keepalive.OnTime(At(seconds(30)), At(seconds(12)), true), Act::kPing);
}

TEST(KeepaliveTest, WithoutCallsItFallsAsleepAndTheNextCallSendsThePingFirst) {
  Keepalive keepalive = Started(Every(absl::Seconds(60)));
  EXPECT_EQ(keepalive.OnTime(At(seconds(60)), kStart, false), Act::kNone);
  EXPECT_TRUE(keepalive.is_asleep());
  EXPECT_EQ(keepalive.due(), kNever);
  EXPECT_EQ(keepalive.OnCall(At(hours(1)), kStart), Act::kPing);
  EXPECT_FALSE(keepalive.is_asleep());
  EXPECT_EQ(keepalive.OnTime(At(hours(1) + seconds(20)), kStart, true), Act::kGiveUp);
}

TEST(KeepaliveTest, CallAfterAShortSilenceSendsNoPing) {
  Keepalive keepalive = Started(Every(absl::Seconds(60)));
  ASSERT_EQ(keepalive.OnTime(At(seconds(60)), kStart, false), Act::kNone);
  EXPECT_EQ(keepalive.OnCall(At(seconds(100)), At(seconds(70))), Act::kNone);
  EXPECT_EQ(keepalive.due(), At(seconds(130)));
}

TEST(KeepaliveTest, PingsWithoutCallsIfThatIsWanted) {
  Keepalive keepalive = Started(Every(absl::Seconds(60), true));
  EXPECT_EQ(keepalive.OnTime(At(seconds(60)), kStart, false), Act::kPing);
}

TEST(KeepaliveTimeTest, LessThanTenSecondsCountsAsTen) {
  for (const int wanted : {0, 9, 10, 11}) {
    EXPECT_EQ(KeepaliveTime(Every(absl::Seconds(wanted)), "a").value(), absl::Seconds(std::max(wanted, 10)));
  }
  EXPECT_EQ(KeepaliveTime(KeepaliveOptions(), "a").value(), absl::InfiniteDuration());
}

transport::H2GoAway TooManyPings() {
  return {.last_stream_id = 1, .error_code = transport::ErrorCode::kEnhanceYourCalm, .debug_data = "too_many_pings"};
}

TEST(KeepaliveTimeTest, TooManyPingsDoublesItAndIsLoggedOnceWithBothSettings) {
  KeepaliveTime time(Every(absl::Seconds(30), true), "db:443");
  const std::string line = time.OnGoAway(TooManyPings(), absl::Seconds(30), "10.0.0.7:443");
  EXPECT_EQ(
      line,
      "weir::Channel to db:443: 10.0.0.7:443 sent \"too_many_pings\". This channel pings after 30s of silence, also "
      "without calls (ChannelOptions::connection.keepalive); the server allows that less often (of weir: "
      "ServerOptions::connection.pings, 5 minutes and only with calls by default; of gRPC: "
      "min_recv_ping_interval_without_data, permit_keepalive_without_calls). Next connections wait 1m, and twice as "
      "long each time it is said again: set both alike");
  EXPECT_EQ(time.value(), absl::Minutes(1));
  // Another connection that was made before.
  EXPECT_EQ(time.OnGoAway(TooManyPings(), absl::Seconds(30), "10.0.0.8:443"), "");
  EXPECT_EQ(time.value(), absl::Minutes(1));
  EXPECT_EQ(time.OnGoAway(TooManyPings(), absl::Minutes(1), "10.0.0.8:443"), "");
  EXPECT_EQ(time.value(), absl::Minutes(2));
}

TEST(KeepaliveTimeTest, OtherGoAwaysChangeNothing) {
  KeepaliveTime time(Every(absl::Seconds(30)), "a");
  transport::H2GoAway other = TooManyPings();
  other.error_code = transport::ErrorCode::kNoError;
  EXPECT_EQ(time.OnGoAway(other, absl::Seconds(30), "b"), "");
  other = TooManyPings();
  other.debug_data = "too_many_resets";
  EXPECT_EQ(time.OnGoAway(other, absl::Seconds(30), "b"), "");
  EXPECT_EQ(time.value(), absl::Seconds(30));
}

TEST(AcknowledgeTimeoutTest, IsTheKeepalivesTimeoutWhereThatIsOn) {
  EXPECT_EQ(AcknowledgeTimeout(Every(absl::Hours(2)), absl::Seconds(30)), absl::Seconds(20));
  EXPECT_EQ(AcknowledgeTimeout(KeepaliveOptions(), absl::Seconds(30)), absl::Seconds(30));
}

}  // namespace
}  // namespace weir
