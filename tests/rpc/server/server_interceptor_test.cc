// Interceptors on the server: what they see and change around a handler, and how a call ends around them.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/core/why.h"
#include "weir/rpc/wire/message_codec.h"
#include "weir/tests/support/server_script.h"
#include "weir/tests/support/test_interceptor.h"

namespace weir {
namespace {

using bench::Payload;
using std::chrono::seconds;
using testing::Data;
using testing::Line;
using testing::Message;
using testing::Request;
using testing::ResponseHead;
using testing::ServerScript;
using testing::ServerWorld;
using testing::StartedNext;
using testing::Trailers;

using InterceptedScript = testing::InterceptedScript<ServerScript, ServerWorld, ServerOptions>;

std::string UnaryRequest(int stream_id, std::string_view body, std::string_view fields = "") {
  return absl::StrCat(Request(stream_id, "Unary", fields), "\n", Data(stream_id, Message(body), "END_STREAM"));
}

Task<absl::StatusOr<Payload>> Echo(ServerWorld& world, ServerContext& context, const Payload& request) {
  world.Log(absl::StrCat("handler: ", request.body(), ", tenant ",
                         std::string(context.metadata().Get("tenant").value_or("none"))));
  context.AddInitialMetadata("color", "red");
  context.AddTrailingMetadata("shape", "round");
  co_return request;
}

Task<absl::Status> EchoAll(ServerWorld& world, ServerContext& context, Reader<Payload>& reader,
                           Writer<Payload>& writer) {
  while (std::optional<Payload> payload = co_await reader.Read()) {
    const bool written = co_await writer.Write(*payload);
    if (!written) world.Log("refused");
  }
  world.Log(context.IsCancelled() ? "handler: cancelled" : "handler: end");
  co_return absl::OkStatus();
}

Task<absl::Status> Deaf(ServerWorld& world, ServerContext& context, Reader<Payload>& reader, Writer<Payload>& writer) {
  co_await world.signal("handler");
  world.Log(context.IsCancelled() ? "handler: cancelled" : "handler: end");
  co_return absl::OkStatus();
}

// ---- seeing ---------------------------------------------------------------------------------------------------------

absl::Status LogMessage(ServerWorld& world, std::string who, InterceptedMessage& message) {
  world.Log(absl::StrCat(who, " ", message.ToText(), message.As<bench::Summary>() == nullptr ? "" : ", a summary"));
  return absl::OkStatus();
}

Task<absl::Status> LogAs(ServerWorld& world, InterceptedCall& call, const Next& next, std::string name) {
  world.Log(absl::StrCat(name, ": before, ", std::string(call.peer()), " to ", std::string(call.target()),
                         call.deadline() == absl::InfiniteFuture() ? "" : ", with a deadline"));
  call.OnInitialMetadata([&world, name](Metadata& metadata) {
    world.Log(absl::StrCat(name, ": initial ", std::string(metadata.Get("color").value_or("none"))));
  });
  call.OnRequestMessage([&](InterceptedMessage& message) { return LogMessage(world, name + ": request", message); });
  call.OnResponseMessage([&](InterceptedMessage& message) { return LogMessage(world, name + ": response", message); });
  absl::Status status = co_await next(call);
  world.Log(absl::StrCat(name, ": after ", Line(status), ", trailing ",
                         std::string(call.trailing_metadata().Get("shape").value_or("none"))));
  co_return status;
}
Task<absl::Status> LogOuter(ServerWorld& world, InterceptedCall& call, const Next& next) {
  return LogAs(world, call, next, "outer");
}
Task<absl::Status> LogInner(ServerWorld& world, InterceptedCall& call, const Next& next) {
  return LogAs(world, call, next, "inner");
}

TEST(ServerInterceptorTest, TheFirstOneIsOutermostAndAllSeeTheWholeCall) {
  InterceptedScript script({LogOuter, LogInner});
  script->Unary(Echo)
      .Handshake()
      .Peer(UnaryRequest(1, "hello", "grpc-timeout=5S"))
      .ExpectLog({"outer: before, peer to test, with a deadline", "inner: before, peer to test, with a deadline",
                  "outer: request body: \"hello\"", "inner: request body: \"hello\"", "handler: hello, tenant none",
                  "inner: response body: \"hello\"", "outer: response body: \"hello\"", "inner: initial red",
                  "outer: initial red", "inner: after OK, trailing round", "outer: after OK, trailing round"})
      .ExpectWritten(
          {ResponseHead(1, "color=red"), Data(1, Message("hello")), Trailers(1, "grpc-status=0 shape=round")})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerInterceptorTest, AStreamIsTheSameAsAUnaryCallWithMoreMessages) {
  InterceptedScript script({LogInner});
  script->Bidi(EchoAll)
      .Handshake()
      .Peer(Request(1, "BidiEcho") + "\n" + Data(1, Message("a")))
      .ExpectLog({"inner: before, peer to test", "inner: request body: \"a\"", "inner: response body: \"a\"",
                  "inner: initial none"})
      .ExpectWritten({ResponseHead(1), Data(1, Message("a"))})
      .Peer(Data(1, "", "END_STREAM"))
      .ExpectLog({"handler: end", "inner: after OK, trailing none"})
      .ExpectWritten({Trailers(1)})
      .ExpectNothingLeft()
      .Run();
}

// ---- changing -------------------------------------------------------------------------------------------------------

absl::Status Shout(InterceptedMessage& message) {
  Payload* const payload = message.Mutable<Payload>();
  payload->set_body(payload->body() + "!");
  return absl::OkStatus();
}

Task<absl::Status> ChangeAll(ServerWorld& world, InterceptedCall& call, const Next& next) {
  call.request_metadata().Set("tenant", "blue");
  call.OnRequestMessage(Shout);
  call.OnResponseMessage(Shout);
  call.OnInitialMetadata([](Metadata& metadata) { metadata.Set("color", "green"); });
  absl::Status status = co_await next(call);
  call.trailing_metadata().Set("shape", "square");
  co_return status;
}

TEST(ServerInterceptorTest, ChangesMetadataAndMessages) {
  InterceptedScript script({ChangeAll});
  script->Unary(Echo)
      .Handshake()
      .Peer(UnaryRequest(1, "hello", "tenant=red tenant=green"))
      .ExpectLog({"handler: hello!, tenant blue"})
      .ExpectWritten(
          {ResponseHead(1, "color=green"), Data(1, Message("hello!!")), Trailers(1, "grpc-status=0 shape=square")})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::Status> OkToAborted(ServerWorld& world, InterceptedCall& call, const Next& next) {
  absl::Status status = co_await next(call);
  co_return status.ok() ? absl::AbortedError("by the interceptor") : status;
}

TEST(ServerInterceptorTest, TheStatusThatItReturnsIsTheCallsAndTheReplyIsDropped) {
  InterceptedScript script({OkToAborted});
  script->Unary(Echo)
      .Handshake()
      .Peer(UnaryRequest(1, "hello"))
      .ExpectLog({"handler: hello, tenant none"})
      .ExpectWritten(
          {ResponseHead(1, "color=red"), Trailers(1, "grpc-status=10 grpc-message=\"by the interceptor\" shape=round")})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::Status> ShortDeadline(ServerWorld& world, InterceptedCall& call, const Next& next) {
  call.SetTimeout(absl::Seconds(2));
  absl::Status status = co_await next(call);
  world.Log("after " + Line(status));
  co_return status;
}

TEST(ServerInterceptorTest, ATimeoutOfAnInterceptorCancelsTheHandler) {
  InterceptedScript script({ShortDeadline});
  script->Bidi(EchoAll)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Advance(seconds(3))
      .ExpectLog(
          {"handler: cancelled", "after DEADLINE_EXCEEDED: /bench.Echo/BidiEcho: an interceptor's deadline of 2s..."})
      .ExpectWritten(
          {"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=4...", "RST_STREAM 1 NO_ERROR"})
      .ExpectNothingLeft()
      .Run();
}

// ---- refusing and answering -----------------------------------------------------------------------------------------

Task<absl::Status> RefuseStrangers(ServerWorld& world, InterceptedCall& call, const Next& next) {
  if (call.request_metadata().Get("authorization") != "Bearer x") {
    co_return absl::UnauthenticatedError("expected a token");
  }
  absl::Status status = co_await next(call);
  co_return status;
}

TEST(ServerInterceptorTest, ARefusedCallHasNoHandler) {
  InterceptedScript script({LogOuter, RefuseStrangers});
  script->Unary(Echo)
      .Handshake()
      .Peer(UnaryRequest(1, "hello"))
      .ExpectLog({"outer: before...", "outer: after UNAUTHENTICATED: expected a token, trailing none"})
      .Do([](ServerWorld& world) {
        const testing::Lines written = world.TakeWritten();
        ASSERT_FALSE(written.empty());
        EXPECT_NE(written[0].find("grpc-status=16 grpc-message=\"expected a token\""), std::string::npos) << written[0];
      })
      .ExpectNothingLeft()
      .Peer(UnaryRequest(3, "hello", "authorization=\"Bearer x\""))
      .ExpectLog({"outer: before...", "outer: request...", "handler: hello, tenant none", "outer: response...",
                  "outer: initial red", "outer: after OK, trailing round"})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::Status> Answer(ServerWorld& world, InterceptedCall& call, const Next& next) {
  Payload payload;
  payload.set_body("cached");
  absl::Status replied = call.Reply(wire::Outgoing(payload));
  co_return replied;
}

Task<absl::Status> AnswerTwiceInRed(ServerWorld& world, InterceptedCall& call, const Next& next) {
  call.initial_metadata().Set("color", "red");
  Payload payload;
  absl::Status first = call.Reply(wire::Outgoing(payload));
  absl::Status second = call.Reply(wire::Outgoing(payload));
  world.Log(absl::StrCat(Line(first), "; ", Line(second)));
  co_return first;
}

TEST(ServerInterceptorTest, ACallIsAnsweredOnce) {
  InterceptedScript script({AnswerTwiceInRed});
  script->Unary(Echo)
      .Handshake()
      .Peer(UnaryRequest(1, "hello"))
      .ExpectLog({"OK; FAILED_PRECONDITION: /bench.Echo/Unary: Reply: there is a reply already; reply without "
                  "calling next"})
      .Do([](ServerWorld& world) {
        const testing::Lines written = world.TakeWritten();
        ASSERT_GE(written.size(), 3u);
        EXPECT_EQ(written[0], ResponseHead(1, "color=red"));
        EXPECT_EQ(written[1], Data(1, Message("")));
      })
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerInterceptorTest, AnAnsweredCallHasNoHandler) {
  InterceptedScript script({ChangeAll, Answer});
  script->Unary(Echo)
      .Bidi(EchoAll)
      .Handshake()
      .Peer(UnaryRequest(1, "hello"))
      .ExpectLog({})
      .Do([](ServerWorld& world) {
        const testing::Lines written = world.TakeWritten();
        ASSERT_GE(written.size(), 3u);
        EXPECT_EQ(written[1], Data(1, Message("cached!")));
        EXPECT_EQ(written[2], Trailers(1, "grpc-status=0 shape=square"));
      })
      .Peer(Request(3, "BidiEcho", "", "END_STREAM"))
      .ExpectWritten({"HEADERS 3 END_STREAM :status=200 content-type=application/grpc grpc-status=9..."})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::Status> RefuseB(ServerWorld& world, InterceptedCall& call, const Next& next) {
  const auto refuse = [](InterceptedMessage& message) {
    return message.As<Payload>()->body() == "b" ? absl::InvalidArgumentError("b is not a letter") : absl::OkStatus();
  };
  call.OnRequestMessage(refuse);
  absl::Status status = co_await next(call);
  world.Log("after " + Line(status));
  co_return status;
}

Task<absl::Status> ShoutAndRefuse(ServerWorld& world, InterceptedCall& call, const Next& next) {
  call.OnResponseMessage([](InterceptedMessage& message) { return absl::DataLossError("not this"); });
  absl::Status status = co_await next(call);
  world.Log("after " + Line(status));
  co_return status;
}

TEST(ServerInterceptorTest, AHookThatRefusesAMessageEndsTheCall) {
  InterceptedScript requests({RefuseB});
  requests->Bidi(EchoAll)
      .Handshake()
      .Peer(Request(1, "BidiEcho") + "\n" + Data(1, Message("a")))
      .Drop()
      .Peer(Data(1, Message("b")))
      .ExpectLog({"handler: cancelled", "after INVALID_ARGUMENT: b is not a letter"})
      .ExpectWritten({Trailers(1, "grpc-status=3 grpc-message=\"b is not a letter\""), "RST_STREAM 1 NO_ERROR"})
      .ExpectNothingLeft()
      .Run();
  InterceptedScript responses({ShoutAndRefuse});
  responses->Bidi(EchoAll)
      .Unary(Echo)
      .Handshake()
      .Peer(Request(1, "BidiEcho") + "\n" + Data(1, Message("a")))
      .ExpectLog({"refused", "handler: cancelled", "after DATA_LOSS: not this"})
      .Drop()
      .Peer(UnaryRequest(3, "hello"))
      .ExpectLog({"handler: hello, tenant none", "after DATA_LOSS: not this"})
      .ExpectNothingLeft()
      .Run();
}

// ---- the end --------------------------------------------------------------------------------------------------------

TEST(ServerInterceptorTest, NextGivesTheReasonOfACancellationWhenTheHandlerHasReturned) {
  InterceptedScript script({LogInner});
  script->Bidi(Deaf)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Drop()
      .Peer("RST_STREAM 1 CANCEL")
      .ExpectLog({})
      .ExpectLeft({"handlers: 1"})
      .Set("handler")
      .ExpectLog({"handler: cancelled", "inner: after CANCELLED: peer reset stream 1: CANCEL(8), trailing none"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::Status> WaitBefore(ServerWorld& world, InterceptedCall& call, const Next& next) {
  co_await world.signal("go on");
  absl::Status status = co_await next(call);
  world.Log("after " + Line(status));
  co_return status;
}

TEST(ServerInterceptorTest, ACallMayBeCancelledBeforeItsHandlerHasBegun) {
  InterceptedScript script({WaitBefore});
  script->Unary(Echo)
      .Handshake()
      .Peer(UnaryRequest(1, "hello"))
      .Peer("RST_STREAM 1 CANCEL")
      .ExpectLog({})
      .Set("go on")
      .ExpectLog({"after CANCELLED: peer reset..."})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerInterceptorTest, AConnectionMayBeLostWhileAnInterceptorWaits) {
  InterceptedScript script({WaitBefore});
  script->Unary(Echo)
      .Handshake()
      .Peer(UnaryRequest(1, "hello"))
      .Lose()
      .Set("go on")
      .ExpectLog({"after ...", "connection gone"})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::Status> GiveUp(ServerWorld& world, InterceptedCall& call, const Next& next) {
  const StartedNext rest(next, call);
  co_await world.signal("give up");
  co_return absl::ResourceExhaustedError("patience");
}

TEST(ServerInterceptorTest, AnInterceptorThatReturnsBeforeNextCancelsTheHandlerWhichKeepsItsPlace) {
  InterceptedScript script({GiveUp, LogInner});
  script->Bidi(Deaf)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Drop()
      .Set("give up")
      .ExpectWritten(
          {"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=8...", "RST_STREAM 1 NO_ERROR"})
      .ExpectLeft({"handlers: 1", "ended streams: 1"})
      .Set("handler")
      .ExpectLog({"handler: cancelled"})
      .ExpectNothingLeft()
      .Run();
  InterceptedScript at_once({GiveUp, LogInner});
  at_once->Bidi(EchoAll)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Drop()
      .Set("give up")
      .ExpectLog({"handler: cancelled"})
      .ExpectNothingLeft()
      .Run();
}

// With the status of a call of its own, which nobody has processed.
Task<absl::Status> GiveUpForAnother(ServerWorld& world, InterceptedCall& call, const Next& next) {
  const StartedNext rest(next, call);
  co_await world.signal("give up");
  co_return MarkUnprocessed(absl::UnavailableError("no token"));
}

Task<absl::Status> WriteOne(ServerWorld& world, ServerContext& context, Reader<Payload>& reader,
                            Writer<Payload>& writer) {
  Payload payload;
  payload.set_body("hello");
  co_await writer.Write(payload);
  world.Log(ToString(WhyOf(context.cancel_reason()).value_or(Why())));
  co_return absl::OkStatus();
}

TEST(ServerInterceptorTest, ACallThatEndsWithTheStatusOfAnotherIsNotRefusedAsUnprocessed) {
  InterceptedScript script({GiveUpForAnother});
  script->Bidi(WriteOne)
      .Handshake("INITIAL_WINDOW_SIZE=5")
      .Peer(Request(1, "BidiEcho"))
      .Drop()
      .Set("give up")
      .ExpectLog({"by=us phase=body processed=yes..."})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::Status> CallNextTwice(ServerWorld& world, InterceptedCall& call, const Next& next) {
  absl::Status first = co_await next(call);
  absl::Status second = co_await next(call);
  world.Log(Line(second));
  throw std::runtime_error("enough");
}

TEST(ServerInterceptorTest, ASecondNextIsRefusedAndAnExceptionIsUnknown) {
  InterceptedScript script({CallNextTwice});
  script->Unary(Echo)
      .Handshake()
      .Peer(UnaryRequest(1, "hello"))
      .ExpectLog({"handler: hello, tenant none", "FAILED_PRECONDITION: an interceptor called next a second time..."})
      .ExpectWritten({ResponseHead(1, "color=red"), "HEADERS 1 END_STREAM grpc-status=2..."})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
