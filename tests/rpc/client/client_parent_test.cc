// Calls made on behalf of another one: what they inherit, and who may go first.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "weir/rpc/core/cancel_scope.h"
#include "weir/tests/support/client_script.h"
#include "weir/tests/support/test_interceptor.h"

namespace weir {
namespace {

using bench::Payload;
using std::chrono::seconds;
using testing::ClientScript;
using testing::ClientWorld;
using testing::Line;
using testing::TestCall;

class FakeParent final : public ParentCall {
 public:
  std::string_view method() const override { return "/front.Front/Ask"; }
  absl::Time deadline() const override { return deadline_; }
  std::optional<transport::MonotonicTime> monotonic_deadline() const override { return monotonic_deadline_; }
  const Metadata& metadata() const override { return metadata_; }
  std::stop_token stop_token() const override { return stop_.get_token(); }

  absl::Time deadline_ = absl::InfiniteFuture();
  std::optional<transport::MonotonicTime> monotonic_deadline_;
  Metadata metadata_;
  std::stop_source stop_;
};

std::unique_ptr<FakeParent> parent;  // of the script that runs

ClientScript& WithParent(ClientScript& script) {
  return script.Do([](ClientWorld&) { parent = std::make_unique<FakeParent>(); }).Handshake();
}

Task<void> CallUnary(ClientWorld& world) {
  TestCall call = world.Call("Unary", "hello", CallOptions().Parent(*parent).Metadata("tracestate", "own"));
  absl::StatusOr<Payload> reply = co_await call.Reply();
  world.Log(reply.ok() ? "reply" : Line(reply.status()));
}

Task<void> CallWithTimeout(ClientWorld& world) {
  TestCall call = world.Call("Unary", "hello", CallOptions().Timeout(absl::Seconds(10)).Parent(*parent));
  absl::StatusOr<Payload> reply = co_await call.Reply();
  world.Log(reply.ok() ? "reply" : Line(reply.status()));
}

Task<void> MakeAndDrop(ClientWorld& world) {
  { TestCall call = world.Call("Unary", "hello", CallOptions().Parent(*parent)); }
  co_return;
}

TEST(ParentTest, TheTraceContextIsSentUnlessTheCallHasItsOwn) {
  ClientScript script;
  WithParent(script)
      .Do([](ClientWorld&) {
        parent->metadata_ = Metadata{{"traceparent", "00-1-2-3"},
                                     {"tracestate", "theirs"},

                                     {"authorization", "secret"}};
      })
      .Spawn(CallUnary)
      .Do([](ClientWorld& world) {
        const std::string head = world.TakeWritten().at(0);
        EXPECT_NE(head.find("traceparent=00-1-2-3"), std::string::npos) << head;
        EXPECT_NE(head.find("tracestate=own"), std::string::npos) << head;
        EXPECT_EQ(head.find("theirs"), std::string::npos) << head;
        EXPECT_EQ(head.find("secret"), std::string::npos) << head;
        EXPECT_EQ(head.find("grpc-timeout"), std::string::npos) << head;
      })
      .Run();
}

TEST(ParentTest, TheParentsDeadlineCountsIfItIsSooner) {
  ClientScript script;
  WithParent(script)
      .Do([](ClientWorld&) { parent->deadline_ = absl::Now() + absl::Seconds(100); })
      .Spawn(CallUnary)
      .Spawn(CallWithTimeout)
      .Drop()
      .Advance(seconds(11))
      .ExpectLog({"DEADLINE_EXCEEDED: deadline of 10s exceeded while waiting for the response"})
      .Advance(seconds(90))
      .Do([](ClientWorld& world) {
        const testing::Lines log = world.TakeLog();
        ASSERT_EQ(log.size(), 1u);
        EXPECT_NE(log[0].find("deadline inherited from /front.Front/Ask exceeded"), std::string::npos) << log[0];
      })
      .ExpectNothingLeft()
      .Run();
}

TEST(ParentTest, TheParentsDeadlineIsReadByTheClockOfTheLoop) {
  ClientScript script;
  WithParent(script)
      .Advance(std::chrono::hours(1))
      .Do([](ClientWorld& world) { parent->deadline_ = world.loop().WallNow() + absl::Seconds(10); })
      .Spawn(CallUnary)
      .Drop()
      .Advance(seconds(9))
      .ExpectLog({})
      .Advance(seconds(1))
      .ExpectLog(
          {"DEADLINE_EXCEEDED: deadline inherited from /front.Front/Ask exceeded while waiting for the response"})
      .ExpectNothingLeft()
      .Run();
}

// An hour, as if the clock had been set after the parent's call had come.
TEST(ParentTest, AWallClockThatIsSetDoesNotMoveTheDeadlineOfAServersCall) {
  for (const absl::Duration moved : {-absl::Hours(1), absl::Hours(1)}) {
    ClientScript script;
    WithParent(script)
        .Do([moved](ClientWorld& world) {
          parent->deadline_ = world.loop().WallNow() + absl::Seconds(10) + moved;
          parent->monotonic_deadline_ = world.loop().Now() + seconds(10);
        })
        .Spawn(CallUnary)
        .Drop()
        .Advance(seconds(9))
        .ExpectLog({})
        .Advance(seconds(1))
        .ExpectLog(
            {"DEADLINE_EXCEEDED: deadline inherited from /front.Front/Ask exceeded while waiting for the response"})
        .ExpectNothingLeft()
        .Run();
  }
}

Task<absl::Status> ShortenTimeout(ClientWorld& world, InterceptedCall& call, const Next& next) {
  call.SetTimeout(absl::Seconds(3));
  absl::Status status = co_await next(call);
  co_return status;
}

TEST(ParentTest, AnInterceptorsTimeoutIsNotInherited) {
  testing::InterceptedScript<ClientScript, ClientWorld, ChannelOptions> script({ShortenTimeout});
  WithParent(*script)
      .Do([](ClientWorld&) { parent->deadline_ = absl::Now() + absl::Seconds(100); })
      .Spawn(CallUnary)
      .Drop()
      .Advance(seconds(4))
      .ExpectLog({"DEADLINE_EXCEEDED: deadline of 3s exceeded while waiting for the response"})
      .ExpectNothingLeft()
      .Run();
}

TEST(ParentTest, CancellationOfTheParentCancelsTheCall) {
  ClientScript script;
  WithParent(script)
      .Spawn(CallUnary)
      .Drop()
      .Do([](ClientWorld&) { parent->stop_.request_stop(); })
      .ExpectLog({"CANCELLED: cancelled with its parent /front.Front/Ask"})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Spawn(CallUnary)
      .ExpectLog({"CANCELLED: cancelled with its parent /front.Front/Ask"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

TEST(ParentTest, CancellationAfterTheParentsDeadlineIsTheDeadline) {
  ClientScript script;
  WithParent(script)
      .Do([](ClientWorld& world) { parent->deadline_ = absl::Now() - absl::Seconds(1); })
      .Spawn(CallUnary)
      .Do([](ClientWorld&) { parent->stop_.request_stop(); })
      .ExpectLog({"DEADLINE_EXCEEDED: deadline inherited from /front.Front/Ask..."})
      .ExpectNothingLeft()
      .Run();
}

TEST(ParentTest, CancellationMayComeFromAnotherThread) {
  ClientScript script;
  WithParent(script)
      .Spawn(CallUnary)
      .Drop()
      .Do([](ClientWorld&) { std::thread([] { parent->stop_.request_stop(); }).join(); })
      .ExpectLog({"CANCELLED: ..."})
      .ExpectNothingLeft()
      .Run();
}

TEST(ParentTest, EitherMayGoFirst) {
  ClientScript parent_first;
  WithParent(parent_first)
      .Spawn(CallUnary)
      .Drop()
      .Do([](ClientWorld&) { parent.reset(); })
      .ExpectLog({})
      .Peer("RST_STREAM 1 CANCEL")
      .ExpectLog({"CANCELLED: peer reset..."})
      .ExpectNothingLeft()
      .Run();
  ClientScript child_first;
  WithParent(child_first)
      .Spawn(MakeAndDrop)
      .ExpectNothingLeft()
      .Do([](ClientWorld&) { parent->stop_.request_stop(); })
      .ExpectNothingLeft()
      .Run();
}

TEST(CancelScopeTest, InheritsAndIsCancelledWithItsParentOrByItself) {
  FakeParent above;
  above.deadline_ = absl::UnixEpoch();
  above.metadata_.Add("traceparent", "1");
  CancelScope with_parent(above);
  EXPECT_EQ(with_parent.method(), "/front.Front/Ask");
  EXPECT_EQ(with_parent.deadline(), absl::UnixEpoch());
  EXPECT_EQ(with_parent.metadata().Get("traceparent"), "1");
  CancelScope alone;
  EXPECT_EQ(alone.deadline(), absl::InfiniteFuture());
  {
    CancelScope below(with_parent);
    below.Cancel();
    EXPECT_TRUE(below.IsCancelled());
  }
  EXPECT_FALSE(with_parent.IsCancelled());
  above.stop_.request_stop();
  EXPECT_TRUE(with_parent.IsCancelled());
  EXPECT_FALSE(alone.IsCancelled());
}

}  // namespace
}  // namespace weir
