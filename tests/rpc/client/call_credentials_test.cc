// Credentials of calls: when they are asked and for what, what is sent, and what ends a call that waits for them.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/call_credentials/access_token.h"
#include "weir/rpc/core/why.h"
#include "weir/rpc/wire/user_agent.h"
#include "weir/tests/rpc/client/retry/retry_rig.h"
#include "weir/tests/support/fleet.h"

namespace weir {
namespace {

using namespace testing;  // NOLINT: the rig is made for these tests
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

using Result = absl::StatusOr<Metadata>;

// Credentials as the test says.
class TestCredentials final : public CallCredentials {
 public:
  using Function = std::function<Task<Result>(const CredentialsRequest& request)>;
  explicit TestCredentials(Function function) : function_(std::move(function)) {}
  Task<Result> GetMetadata(const CredentialsRequest& request) override { return function_(request); }

 private:
  const Function function_;
};

CallOptions With(TestCredentials::Function function) {
  return CallOptions().Credentials(std::make_shared<TestCredentials>(std::move(function)));
}

Task<Result> Give(Result result) { co_return result; }

CallOptions Giving(Result result) {
  return With([result = std::move(result)](const CredentialsRequest&) { return Give(result); });
}

// Says when it goes.
struct Farewell {
  ~Farewell() { world.Log("destroyed"); }
  ClientWorld& world;
};

Task<Result> GiveWhenTold(ClientWorld& world) {
  const Farewell farewell{world};
  world.Log("asked");
  co_await world.signal("give");
  co_return Metadata{{"authorization", "Bearer t"}};
}

CallOptions Waiting(ClientWorld& world) {
  return With([&world](const CredentialsRequest&) { return GiveWhenTold(world); });
}

Task<Result> GiveNumbered(ClientWorld& world, int number) {
  world.Log(absl::StrCat("asked ", number));
  co_return Metadata{{"authorization", absl::StrCat("Bearer ", number)}};
}

// Another token each time.
CallOptions Numbering(ClientWorld& world) {
  return With([&world, number = std::make_shared<int>(0)](const CredentialsRequest&) {
    return GiveNumbered(world, ++*number);
  });
}

// The peer of scripts is neither encrypted nor local.
ChannelOptions Plaintext(ChannelOptions options = {}) {
  options.call_credentials_over_plaintext = true;
  return options;
}

// The whole head of an attempt; `fields` come last.
std::string Head(int stream_id, std::string_view method, std::string_view fields, int number = 1) {
  std::string line = AttemptLine(stream_id, method, number);
  line.resize(line.size() - 3);  // "..."
  return absl::StrCat(line, wire::UserAgent(""), " ", std::string(fields));
}

std::string Written(int stream_id) { return Data(stream_id, Message("hello"), "END_STREAM"); }

// ---- what is asked and sent -----------------------------------------------------------------------------------------

Task<void> CallWithToken(ClientWorld& world) {
  return CallWith(world, CallOptions()
                             .Metadata("tenant", "blue")
                             .Credentials(AccessToken("first"))
                             .Credentials(std::make_shared<TestCredentials>([](const CredentialsRequest&) {
                               return Give(Metadata{{"x-second", "2"}});
                             })));
}

TEST(CallCredentialsTest, WhatTheyGiveComesAfterTheMetadataOfTheCallInTheirOrder) {
  ClientScript script(Plaintext());
  script.Handshake()
      .Spawn(CallWithToken)
      .ExpectWritten({Head(1, "Unary", "tenant=blue authorization=\"Bearer first\" x-second=2"), Written(1)})
      .Peer(Reply(1, "hi"))
      .ExpectLog({"reply hi"})
      .ExpectNothingLeft()
      .Run();
}

Task<Result> LogRequest(ClientWorld& world, const CredentialsRequest& request) {
  world.Log(absl::StrCat(request.service_url(), " ", request.method_name(), " ", request.authority(), " ",
                         request.security() == ConnectionSecurity::kPlaintext ? "plaintext" : "secure"));
  co_return Metadata();
}

Task<void> CallToLog(ClientWorld& world) {
  return CallWith(world, With([&world](const CredentialsRequest& request) { return LogRequest(world, request); }));
}

TEST(CallCredentialsTest, AreToldOfServiceMethodAndConnection) {
  ClientScript script(Plaintext());
  script.Handshake()
      .Spawn(CallToLog)
      .ExpectLog({"https://test/bench.Echo Unary test plaintext"})
      .Peer(Reply(1, "hi"))
      .ExpectLog({"reply hi"})
      .Run();
}

TEST(CredentialsRequestTest, TheServiceUrlHasAPortUnlessItIsThatOfHttps) {
  const auto url = [](std::string_view authority, std::string_view path) {
    const CredentialsRequest request(authority, path, ConnectionSecurity::kTls);
    return request.service_url() + " " + request.method_name();
  };
  EXPECT_EQ(url("a.example:443", "/p.S/M"), "https://a.example/p.S M");
  EXPECT_EQ(url("a.example:8443", "/p.S/M"), "https://a.example:8443/p.S M");
  EXPECT_EQ(url("[::1]:443", "/p.S/M"), "https://[::1]/p.S M");
  EXPECT_EQ(url("[::443]", "/p.S/M"), "https://[::443]/p.S M");
  EXPECT_EQ(url("a", "nonsense"), "https://a nonsense");
}

Task<void> CallBidi(ClientWorld& world) {
  TestCall call = world.Open("BidiEcho", Waiting(world));
  co_await call.Write("a");
  call.WritesDone();
  while (std::optional<bench::Payload> payload = co_await call.Read()) world.Log("read " + payload->body());
  absl::Status status = co_await call.Finish();
  world.Log(EndLine(status));
}

TEST(CallCredentialsTest, ACallWaitsForThemAndHoldsWhatItWrites) {
  ClientScript script(Plaintext());
  script.Handshake()
      .Spawn(CallBidi)
      .ExpectLog({"asked"})
      .ExpectWritten({})
      .Set("give")
      .ExpectLog({"destroyed"})
      .ExpectWritten({Head(1, "BidiEcho", "authorization=\"Bearer t\""), Data(1, Message("a"), "END_STREAM")})
      .Peer(ResponseHead(1))
      .Peer(Data(1, Message("b")))
      .Peer(Trailers(1))
      .ExpectLog({"read b", "OK"})
      .ExpectNothingLeft()
      .Run();
}

// ---- attempts -------------------------------------------------------------------------------------------------------

Task<void> CallNumbered(ClientWorld& world) { return CallWith(world, Numbering(world)); }

TEST(CallCredentialsTest, AreAskedAgainForEachAttemptOfARetriedCall) {
  ClientScript script(Plaintext(Retrying()));
  script.Handshake()
      .Spawn(CallNumbered)
      .ExpectLog({"asked 1"})
      .ExpectWritten({Head(1, "Unary", "authorization=\"Bearer 1\""), Written(1)})
      .Peer(Unavailable(1))
      .Advance(seconds(1))
      .ExpectLog({"asked 2"})
      .ExpectWritten({Head(3, "Unary", "authorization=\"Bearer 2\"", 2), Written(3)})
      .Peer("RST_STREAM 3 REFUSED_STREAM")
      .ExpectLog({"asked 3"})
      .ExpectWritten({Head(5, "Unary", "authorization=\"Bearer 3\"", 2), Written(5)})
      .Peer(Reply(5, "hi"))
      .ExpectLog({"reply hi"})
      .ExpectNothingLeft()
      .Run();
}

Task<void> CallNumberedOnce(ClientWorld& world) { return CallWith(world, Numbering(world).NoRetry()); }

TEST(CallCredentialsTest, ACallThatMustNotBeRetriedIsNot) {
  ClientScript script(Plaintext(Retrying()));
  script.Handshake()
      .Spawn(CallNumberedOnce)
      .ExpectLog({"asked 1"})
      .Drop()
      .Peer("RST_STREAM 1 REFUSED_STREAM")
      .ExpectLog({"UNAVAILABLE: peer reset stream 1: REFUSED_STREAM(7) (unprocessed)"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

Task<void> CallUnavailable(ClientWorld& world) {
  return CallWith(world, Giving(absl::UnavailableError("no token server")).WaitForReady());
}

TEST(CallCredentialsTest, AFailureIsRetriedAsThePolicySaysAndWaitForReadyDoesNotWaitForIt) {
  ClientScript once(Plaintext());
  once.Handshake()
      .Spawn(CallUnavailable)
      .ExpectLog({"UNAVAILABLE: call credentials: no token server (unprocessed)"})
      .ExpectNothingLeft()
      .Run();
  ClientScript script(Plaintext(Retrying()));
  script.Handshake()
      .Spawn(CallUnavailable)
      .Advance(seconds(10))
      .ExpectLog({"UNAVAILABLE: call credentials: no token server (unprocessed) (attempt 4)"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

Task<void> HoldThePlace(ClientWorld& world) { return CallUnary(world); }

TEST(CallCredentialsTest, WhatWasGivenIsUsedForAMinuteIfTheCallHasToWaitForAPlaceOnceMore) {
  for (const int waited : {59, 61}) {
    ClientScript script(Plaintext());
    script.Handshake("MAX_CONCURRENT_STREAMS=1").Spawn([](ClientWorld& world) {
      return CallWith(world, With([&world, number = std::make_shared<int>(0)](const CredentialsRequest&) {
                        return ++*number == 1 ? GiveWhenTold(world) : GiveNumbered(world, *number);
                      }));
    });
    script.ExpectLog({"asked"})
        .Spawn(HoldThePlace)  // has none to ask, and is faster
        .Drop()
        .Set("give")
        .ExpectLog({"destroyed"})
        .ExpectWritten({})
        .Advance(seconds(waited))
        .Peer(Reply(1, "first"));
    if (waited < 60) {
      script.ExpectLog({"reply first"}).ExpectWritten({Head(3, "Unary", "authorization=\"Bearer t\""), Written(3)});
    } else {
      script.ExpectLog({"asked 2", "reply first"})
          .ExpectWritten({Head(3, "Unary", "authorization=\"Bearer 2\""), Written(3)});
    }
    script.Peer(Reply(3, "hi")).ExpectLog({"reply hi"}).ExpectNothingLeft().Run();
  }
}

// ---- how it ends ----------------------------------------------------------------------------------------------------

Task<void> CallWaitingFor10s(ClientWorld& world) { return CallWith(world, Waiting(world).Timeout(absl::Seconds(10))); }

TEST(CallCredentialsTest, TheDeadlineEndsTheWaiting) {
  ClientScript script(Plaintext());
  script.Handshake()
      .Spawn(CallWaitingFor10s)
      .Advance(seconds(10))
      .ExpectLog({"asked",
                  "DEADLINE_EXCEEDED: deadline of 10s exceeded while waiting for its call credentials (unprocessed)",
                  "destroyed"})
      .Set("give")
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

Task<void> DropWhenTold(ClientWorld& world) {
  TestCall call = world.Call("Unary", "hello", Waiting(world));
  co_await world.signal("drop");
}

TEST(CallCredentialsTest, ACallThatIsDroppedLeavesThem) {
  ClientScript script(Plaintext());
  script.Handshake()
      .Spawn(DropWhenTold)
      .Set("drop")
      .ExpectLog({"asked", "destroyed"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

TEST(CallCredentialsTest, TheEndOfTheChannelEndsTheWaiting) {
  ClientScript script(Plaintext());
  script.Handshake()
      .Spawn(CallWaitingFor10s)
      .Shutdown()
      .ExpectLog({"asked", "CANCELLED: the channel was closed (unprocessed)", "destroyed"})
      .ExpectNothingLeft()
      .Run();
}

Task<Result> EndTheCall(std::shared_ptr<ClientCall*> call) {
  (*call)->Cancel();
  co_return Metadata{{"authorization", "Bearer t"}};
}

Task<void> CallThatTheyEnd(ClientWorld& world) {
  auto ended = std::make_shared<ClientCall*>();
  TestCall first = world.Call("Unary", "hello", Waiting(world));
  *ended = &first.call();
  TestCall second =
      world.Call("Unary", "hello", With([ended](const CredentialsRequest&) { return EndTheCall(ended); }));
  absl::StatusOr<bench::Payload> reply = co_await first.Reply();
  world.Log(EndLine(reply.status()));
  second.Cancel();
}

TEST(CallCredentialsTest, OneCallsCredentialsMayEndAnotherThatWaitsForIts) {
  ClientScript script(Plaintext());
  script.Handshake()
      .Spawn(CallThatTheyEnd)
      .ExpectLog({"asked", "CANCELLED: cancelled by the caller (unprocessed)", "destroyed"})
      .Drop()
      .ExpectNothingLeft()
      .Run();
}

// Ends its own call, once the call is known to the test.
Task<Result> EndItself(ClientWorld& world, std::shared_ptr<ClientCall*> call) {
  const Farewell farewell{world};
  co_await world.signal("end");
  (*call)->Cancel();
  world.Log("still here");
  co_return Metadata{{"authorization", "Bearer t"}};
}

Task<void> CallThatEndsItself(ClientWorld& world) {
  auto own = std::make_shared<ClientCall*>();
  TestCall call =
      world.Call("Unary", "hello", With([&world, own](const CredentialsRequest&) { return EndItself(world, own); }));
  *own = &call.call();
  absl::StatusOr<bench::Payload> reply = co_await call.Reply();
  world.Log(EndLine(reply.status()));
}

TEST(CallCredentialsTest, TheyMayEndTheirOwnCall) {
  ClientScript script(Plaintext());
  script.Handshake()
      .Spawn(CallThatEndsItself)
      .Set("end")
      .ExpectLog({"CANCELLED: cancelled by the caller (unprocessed)", "still here", "destroyed"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

TEST(CallCredentialsTest, NothingIsAskedOrSentOverPlaintext) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallNumbered)
      .ExpectLog(
          {"UNAUTHENTICATED: call credentials: expected a connection that nobody else can read, got plaintext to "
           "peer; use TlsChannelCredentials, or set ChannelOptions::call_credentials_over_plaintext "
           "(unprocessed)"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

// The end of a call with credentials that give this.
std::string EndWith(Result result) {
  static Result given;  // a script's coroutines are plain functions
  static std::string end;
  given = std::move(result);
  ClientScript script(Plaintext());
  script.Handshake()
      .Spawn([](ClientWorld& world) -> Task<void> {
        TestCall call = world.Call("Unary", "hello", Giving(given));
        absl::StatusOr<bench::Payload> reply = co_await call.Reply();
        end = EndLine(reply.status());
      })
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
  return end;
}

// gRFC A54.
TEST(CallCredentialsTest, StatusesThatOnlyApplicationsMayGiveBecomeInternal) {
  using Code = absl::StatusCode;
  for (const Code code :
       {Code::kCancelled, Code::kUnknown, Code::kDeadlineExceeded, Code::kPermissionDenied, Code::kResourceExhausted,
        Code::kUnimplemented, Code::kInternal, Code::kUnavailable, Code::kUnauthenticated}) {
    EXPECT_EQ(EndWith(absl::Status(code, "why")),
              absl::StrCat(absl::StatusCodeToString(code), ": call credentials: why (unprocessed)"));
  }
  for (const Code code : {Code::kInvalidArgument, Code::kNotFound, Code::kAlreadyExists, Code::kFailedPrecondition,
                          Code::kAborted, Code::kOutOfRange, Code::kDataLoss}) {
    EXPECT_EQ(EndWith(absl::Status(code, "why")),
              absl::StrCat("INTERNAL: call credentials: ", absl::StatusCodeToString(code),
                           " is not a status that they may give: why (unprocessed)"));
  }
}

TEST(CallCredentialsTest, AFailureCarriesNothingOfTheCallThatAskedForTheToken) {
  Why why{.by = Why::By::kPeer, .processed = Why::Processed::kYes};
  why.method = "/token.Server/Get";
  EXPECT_EQ(EndWith(WithWhy(absl::PermissionDeniedError("not you"), why)),
            "PERMISSION_DENIED: call credentials: not you (unprocessed)");
}

TEST(CallCredentialsTest, MetadataThatMayNotBeSentIsRefusedWithoutTellingTheSecret) {
  EXPECT_EQ(
      EndWith(Metadata{{"authorization", "Bearer secret\n"}}),
      "INTERNAL: call credentials: metadata value of \"authorization\": expected ASCII 0x20-0x7E, got other bytes "
      "(a line end of the file it was read from?) (unprocessed)");
  EXPECT_EQ(EndWith(Metadata{{"auth orization", "secret"}}),
            "INTERNAL: call credentials: metadata key: expected one or more of [0-9a-z_.-], got \"auth orization\" "
            "(unprocessed)");
  EXPECT_EQ(EndWith(Metadata{{"grpc-timeout", "secret"}}),
            "INTERNAL: call credentials: metadata key \"grpc-timeout\": names that begin with \"grpc-\" belong to the "
            "protocol; rename it (unprocessed)");
}

Task<Result> Throw() {
  throw std::runtime_error("no key");
  co_return Metadata();
}

Task<Result> ThrowANumber() {
  throw 7;
  co_return Metadata();
}
Task<void> CallThatThrowsANumber(ClientWorld& world) {
  return CallWith(world, With([](const CredentialsRequest&) { return ThrowANumber(); }));
}

Task<void> CallThatThrows(ClientWorld& world) {
  return CallWith(world, With([](const CredentialsRequest&) { return Throw(); }));
}

TEST(CallCredentialsTest, AnExceptionIsUnknown) {
  ClientScript script(Plaintext());
  script.Handshake()
      .Spawn(CallThatThrows)
      .ExpectLog({"UNKNOWN: call credentials threw: no key (unprocessed)"})
      .Spawn(CallThatThrowsANumber)
      .ExpectLog({"UNKNOWN: call credentials threw something that is not a std::exception (unprocessed)"})
      .ExpectNothingLeft()
      .Run();
}

// ---- several servers ------------------------------------------------------------------------------------------------

Task<Result> GiveOnSignal(Signal& signal, int& asked) {
  ++asked;
  co_await signal;
  co_return Metadata();
}

TEST(CallCredentialsFleetTest, NothingIsAskedWhileThereIsNoConnection) {
  Signal give;  // what waits for it goes with the fleet
  Fleet fleet;
  int asked = 0;
  fleet.server("10.0.0.1:1") = Fleet::kRefuses;
  fleet.Resolve({"10.0.0.1:1"});
  fleet.Call(With([&](const CredentialsRequest&) { return GiveOnSignal(give, asked); }).WaitForReady());
  fleet.Advance(milliseconds(500));
  EXPECT_EQ(asked, 0);
  fleet.server("10.0.0.1:1") = Fleet::kAnswers;
  fleet.Advance(seconds(2));
  EXPECT_EQ(asked, 1);
}

TEST(CallCredentialsFleetTest, ACallWhoseConnectionIsLostMeanwhileGoesToAnother) {
  Signal give;  // what waits for it goes with the fleet
  Fleet fleet;
  int asked = 0;
  fleet.Resolve({"10.0.0.1:1", "10.0.0.2:1"});
  fleet.Call(With([&](const CredentialsRequest&) { return GiveOnSignal(give, asked); }));
  fleet.TakeLog();
  fleet.server("10.0.0.1:1") = Fleet::kRefuses;
  fleet.Close("10.0.0.1:1");
  fleet.loop().Post([&give] { give.Set(); });
  fleet.Advance(milliseconds(1));
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(fleet.TakeLog().back(), "1ms OK");
}

}  // namespace
}  // namespace weir
