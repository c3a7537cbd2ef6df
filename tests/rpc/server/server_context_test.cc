// What a handler may do with its context to notice, and to wait for, the end of its call.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/tests/support/server_script.h"

namespace weir {
namespace {

using bench::Payload;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Data;
using testing::Message;
using testing::Request;
using testing::ServerScript;
using testing::ServerWorld;
using testing::Trailers;

Task<absl::Status> SleepThreeTimes(ServerWorld& world, ServerContext& context, Reader<Payload>& reader,
                                   Writer<Payload>& writer) {
  for (int i = 0; i < 3; ++i) {
    const bool slept = co_await context.Sleep(absl::Seconds(2));
    world.Log(slept ? "slept" : "woken");
  }
  const bool zero = co_await context.Sleep(-absl::InfiniteDuration());
  world.Log(absl::StrCat("zero: ", zero));
  co_return absl::OkStatus();
}

TEST(SleepTest, LastsItsTime) {
  ServerScript script;
  script.Bidi(SleepThreeTimes)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Advance(milliseconds(1999))
      .ExpectLog({})
      .Advance(milliseconds(1))
      .ExpectLog({"slept"})
      .Advance(seconds(5))
      .ExpectLog({"slept", "slept", "zero: 1"})
      .ExpectNothingLeft()
      .Run();
}

TEST(SleepTest, EndsWithTheCall) {
  ServerScript script;
  script.Bidi(SleepThreeTimes)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Advance(seconds(3))
      .ExpectLog({"slept"})
      .Peer("RST_STREAM 1 CANCEL")
      .ExpectLog({"woken", "woken", "zero: 0"})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::Status> LogDeadline(ServerWorld& world, ServerContext& context, Reader<Payload>& reader,
                               Writer<Payload>& writer) {
  world.Log(absl::FormatDuration(context.deadline() - world.loop().WallNow()));
  co_return absl::OkStatus();
}

// Or the timer cancels nested calls before their inherited deadline, if the turn of the loop has taken long.
TEST(DeadlineTest, IsThatOfItsTimer) {
  ServerScript script;
  script.Bidi(LogDeadline).Handshake().Peer(Request(1, "BidiEcho", "grpc-timeout=5S")).ExpectLog({"5s"}).Run();
}

Task<absl::Status> SleepForEver(ServerWorld& world, ServerContext& context, Reader<Payload>& reader,
                                Writer<Payload>& writer) {
  const bool slept = co_await context.Sleep(absl::InfiniteDuration());
  world.Log(slept ? "slept" : "woken");
  co_return absl::OkStatus();
}

TEST(SleepTest, TheDeadlineAndTheStopOfTheServerEndIt) {
  ServerScript script;
  script.Bidi(SleepForEver)
      .Handshake()
      .Peer(Request(1, "BidiEcho", "grpc-timeout=5S") + "\n" + Request(3, "BidiEcho"))
      .Advance(seconds(6))
      .ExpectLog({"woken"})
      .Stop()
      .ExpectLog({"woken"})
      .PeerCloses()
      .ExpectNothingLeft()
      .Run();
}

Task<void> LogWhenCancelled(ServerWorld& world, ServerContext& context, std::string who) {
  co_await context.Cancelled();
  world.Log(who + ": cancelled");
}

class Ignore final : public TaskRoot {
  void OnTaskDone() noexcept override {}
};

Task<absl::Status> WaitTwice(ServerWorld& world, ServerContext& context, Reader<Payload>& reader,
                             Writer<Payload>& writer) {
  Ignore ignore;
  Task<void> other = LogWhenCancelled(world, context, "other");
  other.Start(&ignore);
  co_await LogWhenCancelled(world, context, "handler");
  co_await LogWhenCancelled(world, context, "again");
  co_return absl::OkStatus();
}

TEST(CancelledTest, EveryWaiterGoesOnAlsoOneThatComesLate) {
  ServerScript script;
  script.Bidi(WaitTwice)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Advance(seconds(10))
      .ExpectLog({})
      .Peer("RST_STREAM 1 CANCEL")
      .ExpectLog({"other: cancelled", "handler: cancelled", "again: cancelled"})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::Status> DropWaiters(ServerWorld& world, ServerContext& context, Reader<Payload>& reader,
                               Writer<Payload>& writer) {
  Ignore ignore;
  {
    Task<void> first = LogWhenCancelled(world, context, "never");
    first.Start(&ignore);
    Task<absl::Status> second = SleepForEver(world, context, reader, writer);
    second.Start(&ignore);
  }
  context.OnCancel([&world] { world.Log("callback"); });
  co_await world.signal("go on");
  co_return absl::OkStatus();
}

TEST(CancelledTest, WaitersThatAreDestroyedAreForgotten) {
  ServerScript script;
  script.Bidi(DropWaiters)
      .Handshake()
      .Peer(Request(1, "BidiEcho") + "\n" + Request(3, "BidiEcho"))
      .Peer("RST_STREAM 1 CANCEL")
      .ExpectLog({"callback"})
      .Set("go on")
      .ExpectLog({})
      .ExpectNothingLeft()
      .Run();
}

std::stop_token kept_token;  // of the call that has ended

Task<absl::Status> KeepToken(ServerWorld& world, ServerContext& context, Reader<Payload>& reader,
                             Writer<Payload>& writer) {
  const std::stop_token token = context.stop_token();
  kept_token = token;
  const std::stop_callback callback(token, [&world] { world.Log("stopped"); });
  std::optional<Payload> payload = co_await reader.Read();
  world.Log(absl::StrCat("stop requested: ", token.stop_requested(),
                         ", of a new token: ", context.stop_token().stop_requested()));
  co_return absl::OkStatus();
}

TEST(StopTokenTest, StopsWhenTheCallIsCancelled) {
  ServerScript script;
  script.Bidi(KeepToken)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Peer("RST_STREAM 1 CANCEL")
      .ExpectLog({"stopped", "stop requested: 1, of a new token: 1"})
      .ExpectNothingLeft()
      .Do([](ServerWorld&) { EXPECT_TRUE(kept_token.stop_requested()); })
      .Run();
}

TEST(StopTokenTest, DoesNotStopWhenTheCallEndsWell) {
  ServerScript script;
  script.Bidi(KeepToken)
      .Handshake()
      .Peer(Request(1, "BidiEcho", "", "END_STREAM"))
      .ExpectLog({"stop requested: 0, of a new token: 0"})
      .ExpectNothingLeft()
      .Do([](ServerWorld&) {
        EXPECT_FALSE(kept_token.stop_requested());
        EXPECT_FALSE(kept_token.stop_possible());
      })
      .Run();
}

// ---- one operation --------------------------------------------------------------------------------------------------

Task<absl::Status> EchoWithin(ServerWorld& world, ServerContext& context, Reader<Payload>& reader,
                              Writer<Payload>& writer) {
  while (std::optional<Payload> payload = co_await reader.Read().Within(absl::Seconds(5))) {
    const bool written = co_await writer.Write(*payload).Within(absl::Seconds(3));
    if (!written) world.Log("refused");
  }
  world.Log(context.IsCancelled() ? "cancelled" : "end");
  co_return absl::OkStatus();
}

TEST(WithinTest, AReadThatTakesLongerEndsTheCall) {
  ServerScript script;
  script.Bidi(EchoWithin)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Advance(seconds(4))
      .Peer(Data(1, Message("a")))
      .Advance(seconds(4))
      .ExpectLog({})
      .Drop()
      .Advance(seconds(1))
      .ExpectLog({"cancelled"})
      .ExpectWritten(
          {Trailers(1, "grpc-status=4 grpc-message=\"/bench.Echo/BidiEcho: Read: no message came within 5s\""),
           "RST_STREAM 1 NO_ERROR"})
      .ExpectNothingLeft()
      .Run();
}

TEST(WithinTest, AWriteThatIsNotTakenEndsTheCall) {
  ServerScript script;
  script.Bidi(EchoWithin)
      .Handshake("INITIAL_WINDOW_SIZE=4")
      .Peer(Request(1, "BidiEcho") + "\n" + Data(1, Message("a")))
      .Advance(seconds(2))
      .ExpectLog({})
      .Advance(seconds(1))
      .ExpectLog({"refused", "cancelled"})
      .Drop()
      .ExpectNothingLeft()
      .Run();
}

TEST(WithinTest, OperationsThatEndInTimeLeaveNoTimer) {
  ServerScript script;
  script.Bidi(EchoWithin)
      .Handshake()
      .Peer(Request(1, "BidiEcho") + "\n" + Data(1, Message("a"), "END_STREAM"))
      .ExpectLog({"end"})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
