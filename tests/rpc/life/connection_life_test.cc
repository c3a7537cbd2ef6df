// A server's connection from its first second to its last: what is due, and not before.
#include "weir/rpc/server/connection_life.h"

#include <gtest/gtest.h>

#include <vector>

namespace weir {
namespace {

using Act = ConnectionLife::Act;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using transport::MonotonicTime;

constexpr MonotonicTime kStart{};

MonotonicTime At(std::chrono::nanoseconds since_start) { return kStart + since_start; }

// Nothing but what a test is about.
ServerConnectionOptions Never() {
  ServerConnectionOptions options;
  options.keepalive.time = options.max_idle = options.max_age = absl::InfiniteDuration();
  options.handshake_timeout = options.settings_ack_timeout = absl::InfiniteDuration();
  return options;
}

std::vector<transport::H2Event> Settings(bool ack) {
  std::vector<transport::H2Event> events;
  events.push_back(transport::H2SettingsReceived{.ack = ack});
  return events;
}

class Life {
 public:
  explicit Life(ServerConnectionOptions options, double chance = 0)
      : options_(options), life(options_, kStart, chance) {}

  Act Next(MonotonicTime now, bool has_streams = false) { return life.OnTime(now, last_read, has_streams); }

 private:
  const ServerConnectionOptions options_;

 public:
  ConnectionLife life;
  MonotonicTime last_read{};
};

TEST(ConnectionLifeTest, NothingIsEverDueIfEverythingIsInfinite) {
  Life connection(Never());
  EXPECT_EQ(connection.life.due(), MonotonicTime::max());
  EXPECT_EQ(connection.Next(At(hours(10000))), Act::kNone);
}

TEST(ConnectionLifeTest, HandshakeHasItsTime) {
  ServerConnectionOptions options = Never();
  options.handshake_timeout = absl::Seconds(10);
  Life connection(options);
  EXPECT_EQ(connection.Next(At(milliseconds(9999))), Act::kNone);
  EXPECT_EQ(connection.life.due(), At(seconds(10)));
  EXPECT_EQ(connection.Next(At(seconds(10))), Act::kNoHandshake);
  EXPECT_EQ(connection.life.due(), MonotonicTime::max()) << "the connection has ended";
}

TEST(ConnectionLifeTest, AcknowledgementHasItsTimeFromTheClientsSettings) {
  ServerConnectionOptions options = Never();
  options.handshake_timeout = absl::Seconds(10);
  options.settings_ack_timeout = absl::Seconds(10);
  Life connection(options);
  connection.life.OnEvents(Settings(false), At(seconds(9)));
  connection.life.OnEvents(Settings(false), At(seconds(15)));  // more of them do not win time
  EXPECT_EQ(connection.Next(At(milliseconds(18999))), Act::kNone);
  EXPECT_EQ(connection.Next(At(seconds(19))), Act::kNoAck);
}

TEST(ConnectionLifeTest, SettledConnectionIsNotAskedAgain) {
  ServerConnectionOptions options = Never();
  options.handshake_timeout = options.settings_ack_timeout = absl::Seconds(10);
  Life connection(options);
  connection.life.OnEvents(Settings(false), At(seconds(9)));
  EXPECT_FALSE(connection.life.settled());
  connection.life.OnEvents(Settings(true), At(seconds(18)));
  EXPECT_TRUE(connection.life.settled());
  EXPECT_EQ(connection.life.due(), MonotonicTime::max());
}

TEST(ConnectionLifeTest, IdleConnectionIsDrainedOnce) {
  ServerConnectionOptions options = Never();
  options.max_idle = absl::Hours(1);
  Life connection(options);
  EXPECT_EQ(connection.Next(At(hours(1) - milliseconds(1))), Act::kNone);
  EXPECT_EQ(connection.Next(At(hours(1))), Act::kDrainIdle);
  connection.life.OnDrain(At(hours(1)));
  EXPECT_EQ(connection.Next(At(hours(1))), Act::kNone);
}

TEST(ConnectionLifeTest, IdlenessBeginsWithTheEndOfTheLastCall) {
  ServerConnectionOptions options = Never();
  options.max_idle = absl::Hours(1);
  Life connection(options);
  EXPECT_EQ(connection.Next(At(hours(1)), true), Act::kNone) << "a call runs";
  connection.life.OnIdle(At(minutes(90)));
  EXPECT_EQ(connection.Next(At(hours(2))), Act::kNone);
  EXPECT_EQ(connection.life.due(), At(minutes(150)));
  EXPECT_EQ(connection.Next(At(minutes(150))), Act::kDrainIdle);
}

TEST(ConnectionLifeTest, AgeDiffersByTenPercent) {
  ServerConnectionOptions options = Never();
  options.max_age = absl::Minutes(10);
  EXPECT_EQ(Life(options, -1).life.due(), At(minutes(9)));
  EXPECT_EQ(Life(options, 0).life.due(), At(minutes(10)));
  EXPECT_EQ(Life(options, 1).life.due(), At(minutes(11)));
}

TEST(ConnectionLifeTest, OldConnectionIsDrainedAndEndsAfterTheGrace) {
  ServerConnectionOptions options = Never();
  options.max_age = absl::Minutes(10);
  options.max_age_grace = absl::Minutes(1);
  Life connection(options);
  EXPECT_EQ(connection.Next(At(minutes(10) - milliseconds(1)), true), Act::kNone);
  EXPECT_EQ(connection.Next(At(minutes(10)), true), Act::kDrainOld);
  connection.life.OnDrain(At(minutes(10)));
  EXPECT_EQ(connection.Next(At(minutes(10) + seconds(5)), true), Act::kFinishDrain);
  EXPECT_EQ(connection.Next(At(minutes(11) - milliseconds(1)), true), Act::kNone);
  EXPECT_EQ(connection.Next(At(minutes(11)), true), Act::kGraceOver);
}

TEST(ConnectionLifeTest, DrainWaitsFiveSecondsForItsPing) {
  Life connection(Never());
  connection.life.OnDrain(At(seconds(1)));
  EXPECT_EQ(connection.Next(At(milliseconds(5999))), Act::kNone);
  EXPECT_EQ(connection.Next(At(seconds(6))), Act::kFinishDrain);
  EXPECT_EQ(connection.Next(At(seconds(6))), Act::kNone);
}

TEST(ConnectionLifeTest, SilentClientIsPingedEvenWithoutCalls) {
  ServerConnectionOptions options = Never();
  options.keepalive.time = absl::Hours(2);
  Life connection(options);
  EXPECT_EQ(connection.Next(At(hours(2))), Act::kPing);
  EXPECT_EQ(connection.Next(At(hours(2))), Act::kNone);
  EXPECT_EQ(connection.Next(At(hours(2) + seconds(20))), Act::kNoAnswer);
}

}  // namespace
}  // namespace weir
