// Timeouts of a channel's calls, and of single operations.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "weir/tests/support/client_script.h"

namespace weir {
namespace {

using bench::Payload;
using std::chrono::hours;
using std::chrono::seconds;
using testing::ClientScript;
using testing::ClientWorld;
using testing::Data;
using testing::Line;
using testing::Message;
using testing::ResponseHead;
using testing::TestCall;
using testing::Trailers;

Task<void> CallWith(ClientWorld& world, CallOptions options) {
  TestCall call = world.Call("Unary", "hello", options);
  absl::StatusOr<Payload> reply = co_await call.Reply();
  world.Log(reply.ok() ? "reply" : Line(reply.status()));
}
Task<void> Plain(ClientWorld& world) { return CallWith(world, CallOptions()); }
Task<void> Sooner(ClientWorld& world) { return CallWith(world, CallOptions().Timeout(absl::Seconds(1))); }
Task<void> Never(ClientWorld& world) { return CallWith(world, CallOptions().Timeout(absl::InfiniteDuration())); }

ChannelOptions WithDefault() {
  ChannelOptions options;
  options.default_timeout = absl::Seconds(5);
  return options;
}

TEST(DefaultTimeoutTest, CountsForCallsThatSetNone) {
  ClientScript script(WithDefault());
  script.Handshake()
      .Spawn(Plain)
      .Spawn(Sooner)
      .Spawn(Never)
      .Advance(seconds(2))
      .ExpectLog({"DEADLINE_EXCEEDED: deadline of 1s exceeded..."})
      .Advance(seconds(4))
      .ExpectLog({"DEADLINE_EXCEEDED: deadline of 5s exceeded..."})
      .Advance(hours(24))
      .ExpectLog({})
      .Peer("RST_STREAM 5 CANCEL")
      .ExpectLog({"CANCELLED: ..."})
      .ExpectNothingLeft()
      .Run();
}

// ---- giving up ------------------------------------------------------------------------------------------------------

Task<void> GiveUpAReadAndReadAgain(ClientWorld& world) {
  TestCall call = world.Call("ServerStream", "");
  {
    class Ignore final : public TaskRoot {
      void OnTaskDone() noexcept override {}
    } ignore;
    Task<std::optional<Payload>> given_up = call.ReadAsTask();
    given_up.Start(&ignore);
  }
  co_await world.signal("again");
  while (std::optional<Payload> payload = co_await call.Read()) world.Log("read " + payload->body());
}

TEST(GiveUpTest, AMessageThatComesAfterwardsWaitsForTheNextRead) {
  ClientScript script;
  script.Handshake()
      .Spawn(GiveUpAReadAndReadAgain)
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("a")))
      .Set("again")
      .ExpectLog({"read a"})
      .Peer(Trailers(1))
      .ExpectNothingLeft()
      .Run();
}

// ---- one operation --------------------------------------------------------------------------------------------------

Task<void> ReadPatiently(ClientWorld& world) {
  TestCall call = world.Call("ServerStream", "");
  while (std::optional<Payload> payload = co_await call.Read().Within(absl::Seconds(5))) {
    world.Log("read " + payload->body());
  }
  absl::Status status = co_await call.Finish();
  world.Log(Line(status));
}

TEST(WithinTest, AReadThatTakesLongerEndsTheCall) {
  ClientScript script;
  script.Handshake()
      .Spawn(ReadPatiently)
      .Drop()
      .Advance(seconds(4))
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("a") + Message("b")))
      .ExpectLog({"read a", "read b"})
      .Advance(seconds(4))
      .ExpectLog({})
      .Advance(seconds(1))
      .ExpectLog({"DEADLINE_EXCEEDED: Read: no message came within 5s"})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

TEST(WithinTest, AReadThatEndsInTimeLeavesNoTimer) {
  ClientScript script;
  script.Handshake()
      .Spawn(ReadPatiently)
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("a")) + "\n" + Trailers(1))
      .ExpectLog({"read a", "OK"})
      .ExpectNothingLeft()
      .Run();
}

Task<void> WriteImpatiently(ClientWorld& world) {
  TestCall call = world.Open("BidiEcho");
  while (co_await call.WriteWithin("aaaaaaaaaa", absl::Seconds(3))) world.Log("written");
  absl::Status status = co_await call.Finish();
  world.Log(Line(status));
}

TEST(WithinTest, AWriteThatIsNotTakenEndsTheCall) {
  ClientScript script;
  script.Handshake("INITIAL_WINDOW_SIZE=40")
      .Spawn(WriteImpatiently)
      .Drop()
      .Advance(seconds(2))
      .Peer("WINDOW_UPDATE 1 11")
      .ExpectLog({"written"})
      .Advance(seconds(2))
      .ExpectLog({})
      .Advance(seconds(1))
      .ExpectLog({"DEADLINE_EXCEEDED: Write: the peer took no more within 3s"})
      .ExpectNothingLeft()
      .Run();
}

Task<void> DropWhileReading(ClientWorld& world) {
  TestCall call = world.Call("ServerStream", "");
  std::optional<Payload> payload = co_await call.Read().Within(absl::InfiniteDuration());
  world.Log(payload ? "read one" : "nothing");
  call.Cancel();
  payload = co_await call.Read().Within(absl::ZeroDuration());
  world.Log(payload ? "read two" : "nothing");
}

TEST(WithinTest, NoTimeAndAllTimeAreLegal) {
  ClientScript script;
  script.Handshake()
      .Spawn(DropWhileReading)
      .Advance(hours(24))
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("a")))
      .ExpectLog({"read one", "nothing"})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
