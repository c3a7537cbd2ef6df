// Interceptors on the client: what they see and change, in which order, and how a call ends around them.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/core/why.h"
#include "weir/tests/support/client_script.h"
#include "weir/tests/support/test_interceptor.h"

namespace weir {
namespace {

using bench::Payload;
using std::chrono::seconds;
using testing::ClientScript;
using testing::ClientWorld;
using testing::Data;
using testing::Line;
using testing::Message;
using testing::RequestLine;
using testing::ResponseHead;
using testing::StartedNext;
using testing::TestCall;
using testing::Trailers;

using InterceptedScript = testing::InterceptedScript<ClientScript, ClientWorld, ChannelOptions>;

Task<void> CallUnary(ClientWorld& world) {
  TestCall call = world.Call("Unary", "hello", CallOptions().Timeout(absl::Seconds(10)));
  absl::StatusOr<Payload> reply = co_await call.Reply();
  world.Log(reply.ok() ? "reply " + reply->body() : Line(reply.status()));
}

Task<void> CallUnaryLater(ClientWorld& world) {
  TestCall call = world.Call("Unary", "hello");
  co_await world.signal("await it");
  absl::StatusOr<Payload> reply = co_await call.Reply();
  world.Log(reply.ok() ? "reply " + reply->body() : Line(reply.status()));
}

Task<void> CallBidi(ClientWorld& world) {
  TestCall call = world.Open("BidiEcho");
  const bool first = co_await call.Write("a");
  const bool second = co_await call.Write("b");
  world.Log(first && second ? "written" : "refused");
  while (std::optional<Payload> payload = co_await call.Read()) world.Log("read " + payload->body());
  absl::Status status = co_await call.Finish();
  world.Log(Line(status));
}

Task<void> DropWhenTold(ClientWorld& world) {
  TestCall call = world.Call("Unary", "hello");
  co_await world.signal("drop");
}

// ---- seeing ---------------------------------------------------------------------------------------------------------

absl::Status LogMessage(ClientWorld& world, std::string who, InterceptedMessage& message) {
  world.Log(absl::StrCat(who, " ", message.As<Payload>()->body(), ", ", message.FramedBytes(), " bytes"));
  return absl::OkStatus();
}

Task<absl::Status> LogAs(ClientWorld& world, InterceptedCall& call, const Next& next, std::string name) {
  world.Log(absl::StrCat(name, ": before, to ", std::string(call.target()), " at \"", std::string(call.peer()), "\""));
  call.OnInitialMetadata([&world, name](Metadata& metadata) {
    world.Log(absl::StrCat(name, ": initial ", std::string(metadata.Get("color").value_or("none"))));
  });
  call.OnRequestMessage([&](InterceptedMessage& message) { return LogMessage(world, name + ": request", message); });
  call.OnResponseMessage([&](InterceptedMessage& message) { return LogMessage(world, name + ": response", message); });
  absl::Status status = co_await next(call);
  world.Log(absl::StrCat(name, ": after ", Line(status), ", trailing ",
                         std::string(call.trailing_metadata().Get("shape").value_or("none")), ", from ",
                         std::string(call.peer())));
  co_return status;
}
Task<absl::Status> LogOuter(ClientWorld& world, InterceptedCall& call, const Next& next) {
  return LogAs(world, call, next, "outer");
}
Task<absl::Status> LogInner(ClientWorld& world, InterceptedCall& call, const Next& next) {
  return LogAs(world, call, next, "inner");
}

TEST(ClientInterceptorTest, TheFirstOneIsOutermostAndAllSeeTheWholeCall) {
  InterceptedScript script({LogOuter, LogInner});
  script->Handshake()
      .Spawn(CallUnary)
      .ExpectLog({"outer: before, to unix:/nowhere/to/be/found at \"\"",
                  "inner: before, to unix:/nowhere/to/be/found at \"\"", "outer: request hello, 12 bytes",
                  "inner: request hello, 12 bytes"})
      .ExpectWritten({"HEADERS 1 ...", Data(1, Message("hello"), "END_STREAM")})
      .Peer(ResponseHead(1, "color=red"))
      .ExpectLog({"inner: initial red", "outer: initial red"})
      .Peer(Data(1, Message("hi")))
      .ExpectLog({"inner: response hi, 9 bytes", "outer: response hi, 9 bytes"})
      .Peer(Trailers(1, "grpc-status=0 shape=round"))
      .ExpectLog(
          {"inner: after OK, trailing round, from peer", "outer: after OK, trailing round, from peer", "reply hi"})
      .ExpectNothingLeft()
      .Run();
}

std::shared_ptr<testing::TestInterceptor<ClientWorld>> of_the_call;  // of the script that runs

Task<void> CallWithItsOwn(ClientWorld& world) {
  TestCall call = world.Call("Unary", "hello", CallOptions().Intercept(of_the_call).Intercept(of_the_call));
  absl::StatusOr<Payload> reply = co_await call.Reply();
  world.Log(reply.ok() ? "reply " + reply->body() : Line(reply.status()));
}

TEST(ClientInterceptorTest, OneOfACallRunsInsideThoseOfItsChannelWhichMayHaveNone) {
  of_the_call = std::make_shared<testing::TestInterceptor<ClientWorld>>(LogInner);
  InterceptedScript with_others({LogOuter});
  with_others->Do(of_the_call->Enter())
      .Handshake()
      .Spawn(CallWithItsOwn)
      .ExpectLog({"outer: before...", "inner: before...", "inner: before...", "outer: request hello, 12 bytes",
                  "inner: request hello, 12 bytes", "inner: request hello, 12 bytes"})
      .Spawn(CallUnary)
      .ExpectLog({"outer: before...", "outer: request hello, 12 bytes"})
      .Run();
  ClientScript alone;
  alone.Do(of_the_call->Enter())
      .Handshake()
      .Spawn(CallWithItsOwn)
      .Drop()
      .Peer(Trailers(1, ":status=200 content-type=application/grpc grpc-status=5"))
      .ExpectLog({"inner: after NOT_FOUND: , trailing none, from peer",
                  "inner: after NOT_FOUND: , trailing none, from peer", "NOT_FOUND: "})
      .ExpectNothingLeft()
      .Run();
}

TEST(ClientInterceptorTest, AStreamIsTheSameAsAUnaryCallWithMoreMessages) {
  InterceptedScript script({LogInner});
  script->Handshake()
      .Spawn(CallBidi)
      .ExpectLog({"inner: before...", "inner: request a, 8 bytes", "inner: request b, 8 bytes", "written"})
      .ExpectWritten({RequestLine(1, "BidiEcho"), Data(1, Message("a") + Message("b"))})
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("c") + Message("d")) + "\n" + Trailers(1, "grpc-status=5"))
      .ExpectLog({"inner: initial none", "inner: response c, 8 bytes", "read c", "inner: response d, 8 bytes", "read d",
                  "inner: after NOT_FOUND: , trailing none, from peer", "NOT_FOUND: "})
      .ExpectNothingLeft()
      .Run();
}

// ---- changing -------------------------------------------------------------------------------------------------------

absl::Status Shout(InterceptedMessage& message) {
  Payload* const payload = message.Mutable<Payload>();
  payload->set_body(payload->body() + "!");
  return absl::OkStatus();
}

Task<absl::Status> ChangeAll(ClientWorld& world, InterceptedCall& call, const Next& next) {
  call.request_metadata().Set("tenant", "blue");
  call.SetTimeout(absl::Seconds(3));
  call.OnInitialMetadata([](Metadata& metadata) { metadata.Set("color", "green"); });
  call.OnRequestMessage(Shout);
  call.OnResponseMessage(Shout);
  absl::Status status = co_await next(call);
  call.trailing_metadata().Add("seen", "yes");
  if (absl::IsNotFound(status)) status = absl::OkStatus();
  co_return status;
}

Task<void> CallAndKeepTheRequest(ClientWorld& world) {
  TestCall call = world.Open("BidiEcho");
  const bool written = co_await call.Write("a");
  call.WritesDone();
  Metadata initial = co_await call.InitialMetadata();
  std::optional<Payload> payload = co_await call.Read();
  absl::Status status = co_await call.Finish();
  world.Log(absl::StrCat(written, " ", std::string(initial.Get("color").value_or("none")), " ",
                         payload ? payload->body() : "nothing", " ", Line(status), " ",
                         std::string(call.trailing_metadata().Get("seen").value_or("no"))));
}

TEST(ClientInterceptorTest, ChangesMetadataMessagesTimeoutAndStatus) {
  InterceptedScript script({ChangeAll, ChangeAll});
  script->Handshake()
      .Spawn(CallAndKeepTheRequest)
      .Do([](ClientWorld& world) {
        const testing::Lines written = world.TakeWritten();
        ASSERT_EQ(written.size(), 2u);
        EXPECT_NE(written[0].find("tenant=blue"), std::string::npos) << written[0];
        EXPECT_NE(written[0].find("grpc-timeout="), std::string::npos) << written[0];
        EXPECT_EQ(written[1], Data(1, Message("a!!"), "END_STREAM"));
      })
      .Peer(ResponseHead(1, "color=red") + "\n" + Data(1, Message("b")) + "\n" + Trailers(1, "grpc-status=5"))
      .ExpectLog({"1 green b!! OK yes"})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::Status> LogWhatItKnows(ClientWorld& world, InterceptedCall& call, const Next& next) {
  const absl::Duration left = call.deadline() - world.loop().WallNow();
  absl::Status status = co_await next(call);
  world.Log(absl::StrCat(absl::FormatDuration(left), " left, color ",
                         std::string(call.initial_metadata().Get("color").value_or("none"))));
  co_return status;
}

TEST(ClientInterceptorTest, KnowsTheDeadlineAndAfterwardsTheInitialMetadata) {
  InterceptedScript script({LogWhatItKnows});
  script->Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer(ResponseHead(1, "color=red") + "\n" + Data(1, Message("hi")) + "\n" + Trailers(1))
      .ExpectLog({"10s left, color red", "reply hi"})
      .Spawn(CallUnaryLater)
      .Drop()
      .Peer(ResponseHead(3) + "\n" + Data(3, Message("hi")) + "\n" + Trailers(3))
      .Set("await it")
      .ExpectLog({"inf left, color none", "reply hi"})
      .ExpectNothingLeft()
      .Run();
}

TEST(ClientInterceptorTest, AnInterceptorsTimeoutEndsTheCall) {
  InterceptedScript script({ChangeAll});
  script->Handshake()
      .Spawn(CallBidi)
      .Drop()
      .Advance(seconds(4))
      .ExpectLog({"DEADLINE_EXCEEDED: deadline of 3s exceeded while waiting for the response"})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::Status> AddBadMetadata(ClientWorld& world, InterceptedCall& call, const Next& next) {
  call.request_metadata().Add("grpc-mine", "x");
  absl::Status status = co_await next(call);
  world.Log("after " + Line(status));
  co_return status;
}

TEST(ClientInterceptorTest, MetadataThatMayNotBeSentFailsTheCall) {
  InterceptedScript script({AddBadMetadata});
  script->Handshake()
      .Spawn(CallUnary)
      .ExpectLog({"after INTERNAL: metadata key \"grpc-mine\"...", "INTERNAL: metadata key \"grpc-mine\"..."})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

// ---- refusing and answering -----------------------------------------------------------------------------------------

Task<absl::Status> Refuse(ClientWorld& world, InterceptedCall& call, const Next& next) {
  co_return absl::PermissionDeniedError("not today");
}

TEST(ClientInterceptorTest, ARefusedCallSendsNothing) {
  InterceptedScript script({LogOuter, Refuse, LogInner});
  script->Handshake()
      .Spawn(CallUnary)
      .ExpectLog({"outer: before...", "outer: after PERMISSION_DENIED: not today...", "PERMISSION_DENIED: not today"})
      .Spawn(CallBidi)
      .ExpectLog({"outer: before...", "outer: after PERMISSION_DENIED: not today...", "refused",
                  "PERMISSION_DENIED: not today"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::Status> Answer(ClientWorld& world, InterceptedCall& call, const Next& next) {
  Payload payload;
  payload.set_body("cached");
  call.trailing_metadata().Add("shape", "square");
  absl::Status replied = call.Reply(wire::Outgoing(payload));
  if (!replied.ok()) world.Log(Line(replied));
  absl::Status again = call.Reply(wire::Outgoing(payload));
  if (replied.ok()) world.Log(Line(again));
  co_return replied;
}

TEST(ClientInterceptorTest, AnAnsweredCallSendsNothing) {
  InterceptedScript script({LogOuter, Answer});
  script->Handshake()
      .Spawn(CallUnary)
      .ExpectLog({"outer: before...", "outer: response cached, 13 bytes",
                  "FAILED_PRECONDITION: /bench.Echo/Unary: Reply: there is a reply already; reply without calling next",
                  "outer: after OK, trailing square, from ", "reply cached"})
      .Spawn(CallUnaryLater)
      .Drop()
      .Set("await it")
      .ExpectLog({"reply cached"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

TEST(ClientInterceptorTest, OnlyUnaryCallsCanBeAnswered) {
  InterceptedScript script({Answer});
  script->Handshake()
      .Spawn(CallBidi)
      .ExpectLog({"FAILED_PRECONDITION: /bench.Echo/BidiEcho: Reply: expected a method with one request...", "refused",
                  "FAILED_PRECONDITION: ..."})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::Status> RefuseB(ClientWorld& world, InterceptedCall& call, const Next& next) {
  const auto refuse = [](InterceptedMessage& message) {
    return message.As<Payload>()->body() == "b" ? absl::InvalidArgumentError("b is not a letter") : absl::OkStatus();
  };
  call.OnRequestMessage(refuse);
  call.OnResponseMessage(refuse);
  absl::Status status = co_await next(call);
  world.Log("after " + Line(status));
  co_return status;
}

TEST(ClientInterceptorTest, AHookThatRefusesARequestEndsTheCall) {
  InterceptedScript script({RefuseB});
  script->Handshake()
      .Spawn(CallBidi)
      .ExpectLog({"after INVALID_ARGUMENT: b is not a letter", "refused", "INVALID_ARGUMENT: b is not a letter"})
      .ExpectNothingLeft()
      .Run();
}

TEST(ClientInterceptorTest, AHookThatRefusesAResponseEndsTheCall) {
  InterceptedScript script({RefuseB});
  script->Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("b")))
      .ExpectLog({"after INVALID_ARGUMENT: b is not a letter", "INVALID_ARGUMENT: b is not a letter"})
      .ExpectWritten({"RST_STREAM 1 INTERNAL_ERROR"})
      .ExpectNothingLeft()
      .Run();
}

// ---- time -----------------------------------------------------------------------------------------------------------

Task<absl::Status> GetToken(ClientWorld& world, InterceptedCall& call, const Next& next) {
  co_await world.signal("token");
  call.request_metadata().Add("authorization", "Bearer x");
  absl::Status status = co_await next(call);
  world.Log("after " + Line(status));
  co_return status;
}

TEST(ClientInterceptorTest, WhatIsWrittenWaitsForAnInterceptorThatWaits) {
  InterceptedScript script({GetToken, RefuseB});
  script->Handshake()
      .Spawn(CallUnary)
      .ExpectWritten({})
      .Set("token")
      .ExpectWritten({"HEADERS 1 ...", Data(1, Message("hello"), "END_STREAM")})
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("hi")) + "\n" + Trailers(1))
      .ExpectLog({"after OK", "after OK", "reply hi"})
      .ExpectNothingLeft()
      .Run();
}

TEST(ClientInterceptorTest, TheDeadlineDoesNotWaitForAnInterceptor) {
  InterceptedScript script({LogOuter, GetToken});
  script->Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Advance(seconds(11))
      .ExpectLog({"DEADLINE_EXCEEDED: ..."})
      .Set("token")
      .ExpectLog({"after DEADLINE_EXCEEDED: ...", "outer: after DEADLINE_EXCEEDED: ..."})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

TEST(ClientInterceptorTest, ADroppedCallEndsTheChainBeforeAndInNext) {
  InterceptedScript script({GetToken});
  script->Handshake()
      .Spawn(DropWhenTold)
      .Set("drop")
      .ExpectLog({})
      .Set("token")
      .ExpectLog({"after CANCELLED: the caller dropped the call"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
  InterceptedScript other({GetToken});
  other->Handshake()
      .Set("token")
      .Spawn(DropWhenTold)
      .Drop()
      .Set("drop")
      .ExpectLog({"after CANCELLED: the caller dropped the call"})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::Status> Linger(ClientWorld& world, InterceptedCall& call, const Next& next) {
  absl::Status status = co_await next(call);
  co_await world.signal("linger");
  world.Log("lingered: " + Line(status));
  co_return absl::AbortedError("by the interceptor");
}

TEST(ClientInterceptorTest, TheUserIsToldWhenTheInterceptorsHaveReturned) {
  InterceptedScript script({Linger});
  script->Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("hi")) + "\n" + Trailers(1))
      .ExpectLog({})
      .Set("linger")
      .ExpectLog({"lingered: OK", "ABORTED: by the interceptor"})
      .ExpectNothingLeft()
      .Run();
}

TEST(ClientInterceptorTest, AClosedChannelEndsItsCallsThroughTheirInterceptors) {
  InterceptedScript script({Linger});
  script->Handshake()
      .Spawn(CallUnary)
      .Shutdown()
      .ExpectLog({})
      .Set("linger")
      .ExpectLog({"lingered: CANCELLED: the channel was closed", "ABORTED: by the interceptor"})
      .ExpectNothingLeft()
      .Run();
}

TEST(ClientInterceptorTest, FailureToConnectGoesThroughTheInterceptors) {
  InterceptedScript script({Linger});
  script->Connect()
      .Spawn(CallUnary)
      .Lose()
      .ExpectLog({})
      .Set("linger")
      .ExpectLog({"lingered: UNAVAILABLE: cannot connect...", "ABORTED: by the interceptor"})
      .Run();
}

// ---- statuses of other calls ----------------------------------------------------------------------------------------

// As a call ends that another server has refused: safe to make again, that call.
absl::Status OfAnotherCall() {
  return MarkUnprocessed(WithWhy(absl::UnavailableError("no token"), Why{.by = Why::By::kNetwork, .http2 = "GOAWAY"}));
}

Task<void> CallAndLogWhy(ClientWorld& world) {
  TestCall call = world.Call("Unary", "hello");
  absl::StatusOr<Payload> reply = co_await call.Reply();
  const Why why = WhyOf(reply.status()).value_or(Why());
  world.Log(absl::StrCat(Line(reply.status()), "; ", ToString(why)));
}

Task<absl::Status> GiveUpForAnother(ClientWorld& world, InterceptedCall& call, const Next& next) {
  const StartedNext rest(next, call);
  co_await world.signal("give up");
  co_return OfAnotherCall();
}

Task<absl::Status> RefuseForAnother(ClientWorld& world, InterceptedCall& call, const Next& next) {
  co_return OfAnotherCall();
}

Task<absl::Status> FailForAnother(ClientWorld& world, InterceptedCall& call, const Next& next) {
  absl::Status status = co_await next(call);
  co_return OfAnotherCall();
}

Task<absl::Status> RefuseResponseForAnother(ClientWorld& world, InterceptedCall& call, const Next& next) {
  call.OnResponseMessage([](InterceptedMessage&) { return OfAnotherCall(); });
  absl::Status status = co_await next(call);
  co_return status;
}

TEST(ClientInterceptorTest, ACallThatEndsWithTheStatusOfAnotherKeepsItsOwnWhy) {
  InterceptedScript gives_up({GiveUpForAnother});
  gives_up->Handshake()
      .Spawn(CallAndLogWhy)
      .Drop()
      .Set("give up")
      .ExpectLog({"UNAVAILABLE: no token; by=us phase=headers processed=unknown..."})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Run();
  InterceptedScript before({RefuseForAnother});
  before->Handshake()
      .Spawn(CallAndLogWhy)
      .ExpectLog({"UNAVAILABLE: no token; by=us phase=start processed=no..."})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
  InterceptedScript after({FailForAnother});
  after->Handshake()
      .Spawn(CallAndLogWhy)
      .Drop()
      .Peer(Trailers(1, ":status=200 content-type=application/grpc grpc-status=5"))
      .ExpectLog({"UNAVAILABLE: no token; by=peer phase=headers processed=yes..."})
      .Spawn(CallAndLogWhy)
      .Drop()
      .Peer(ResponseHead(3) + "\n" + Data(3, Message("hi")) + "\n" + Trailers(3))
      .ExpectLog({"UNAVAILABLE: no token; by=us phase=trailers processed=yes..."})
      .ExpectNothingLeft()
      .Run();
  InterceptedScript hook({RefuseResponseForAnother});
  hook->Handshake()
      .Spawn(CallAndLogWhy)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("hi")))
      .ExpectLog({"UNAVAILABLE: no token; by=us phase=body processed=yes..."})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

// ---- mistakes -------------------------------------------------------------------------------------------------------

Task<absl::Status> CallNextTwice(ClientWorld& world, InterceptedCall& call, const Next& next) {
  absl::Status first = co_await next(call);
  absl::Status second = co_await next(call);
  world.Log(Line(second));
  co_return first;
}

TEST(ClientInterceptorTest, ASecondNextIsRefused) {
  InterceptedScript script({CallNextTwice});
  script->Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer(Trailers(1, ":status=200 content-type=application/grpc grpc-status=5"))
      .ExpectLog({"FAILED_PRECONDITION: an interceptor called next a second time...", "NOT_FOUND: "})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::Status> GiveUp(ClientWorld& world, InterceptedCall& call, const Next& next) {
  const StartedNext rest(next, call);
  co_await world.signal("give up");
  co_return absl::ResourceExhaustedError("patience");
}

TEST(ClientInterceptorTest, AnInterceptorThatReturnsBeforeNextCancelsTheCall) {
  InterceptedScript script({GiveUp, LogInner});
  script->Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Set("give up")
      .ExpectLog({"RESOURCE_EXHAUSTED: patience"})
      .ExpectWritten({"RST_STREAM 1 ENHANCE_YOUR_CALM"})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::Status> Throw(ClientWorld& world, InterceptedCall& call, const Next& next) {
  absl::Status status = co_await next(call);
  throw std::runtime_error("from the interceptor");
}

TEST(ClientInterceptorTest, AnExceptionIsUnknown) {
  InterceptedScript script({Throw});
  script->Handshake()
      .Spawn(CallUnary)
      .Drop()
      .Peer(ResponseHead(1) + "\n" + Data(1, Message("hi")) + "\n" + Trailers(1))
      .ExpectLog({"UNKNOWN: an interceptor threw: from the interceptor"})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
