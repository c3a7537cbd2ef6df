// Which calls run, and what those are told that do not: static limits, the gradient, and a rule of one's own.
#include "weir/rpc/server/admission.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "weir/rpc/server/concurrency_limit.h"
#include "weir/rpc/server/gradient_limit.h"
#include "weir/tests/support/server_script.h"

namespace weir {
namespace {

using bench::Payload;
using testing::Data;
using testing::Message;
using testing::Request;
using testing::ResponseHead;
using testing::ServerScript;
using testing::ServerWorld;
using testing::Trailers;

Task<absl::StatusOr<Payload>> Wait(ServerWorld& world, ServerContext& context, const Payload& request) {
  world.Log("runs");
  co_await world.signal("return");
  co_return request;
}

Task<absl::Status> EndAtOnce(ServerWorld& world, ServerContext& context, Reader<Payload>& reader,
                             Writer<Payload>& writer) {
  world.Log("bidi runs");
  co_return absl::OkStatus();
}

weir::ServerOptions With(std::shared_ptr<Admission> admission) {
  weir::ServerOptions options;
  options.admission = std::move(admission);
  return options;
}

std::string Unary(int stream_id, const std::string& fields = "") {
  return Request(stream_id, "Unary", fields) + "\n" + Data(stream_id, Message("x"), "END_STREAM");
}

// Refuses what says so, and remembers what it was asked.
class ByHeader final : public Admission {
 public:
  AdmissionDecision Admit(const Arrival& arrival) override {
    asked = std::string(arrival.method) + " from " + std::string(arrival.peer);
    if (arrival.Header("tenant") != "loud") return AdmissionDecision::Admit();
    return AdmissionDecision::Shed(absl::ResourceExhaustedError("too loud"), absl::Seconds(-1));
  }
  std::string asked;
};

TEST(ConcurrencyLimitTest, OneMoreThanTheLimitIsShedWithPushBack) {
  ServerScript script(With(std::make_shared<ConcurrencyLimit>(ConcurrencyLimitOptions{.running_max = 2})));
  script.Unary(Wait)
      .Handshake()
      .Peer(Unary(1))
      .ExpectLog({"runs"})
      .Peer(Unary(3))
      .ExpectLog({"runs"})
      .ExpectWritten({})
      .Peer(Request(5, "Unary"))
      .ExpectLog({})
      .ExpectWritten({"HEADERS 5 END_STREAM :status=200 content-type=application/grpc grpc-status=14 "
                      "grpc-message=\"the server is at its limit: 2 calls run (ConcurrencyLimitOptions::running_max)\" "
                      "grpc-retry-pushback-ms=100",
                      "RST_STREAM 5 NO_ERROR"})
      .Set("return")
      .Drop()
      .Peer(Unary(7))
      .ExpectLog({"runs"})
      .Drop()
      .ExpectNothingLeft()
      .Run();
}

TEST(ConcurrencyLimitTest, CancelledCallCountsUntilItsHandlerReturns) {
  ServerScript script(With(std::make_shared<ConcurrencyLimit>(ConcurrencyLimitOptions{.running_max = 1})));
  script.Unary(Wait)
      .Handshake()
      .Peer(Unary(1))
      .Peer("RST_STREAM 1 CANCEL")
      .Drop()
      .Peer(Request(3, "Unary"))
      .ExpectLog({})
      .ExpectWritten({"HEADERS 3 END_STREAM :status=200 content-type=application/grpc grpc-status=14 ...",
                      "RST_STREAM 3 NO_ERROR"})
      .Set("return")
      .Peer(Unary(5))
      .ExpectLog({"runs"})
      .Run();
}

TEST(ConcurrencyLimitTest, MethodsHaveLimitsOfTheirOwn) {
  ConcurrencyLimitOptions options;
  options.running_of_method_max = 1;
  options.running_of["/bench.Echo/BidiEcho"] = 0;
  options.code = absl::StatusCode::kResourceExhausted;
  options.push_back = std::nullopt;
  ServerScript script(With(std::make_shared<ConcurrencyLimit>(options)));
  script.Unary(Wait)
      .Bidi(EndAtOnce)
      .Handshake()
      .Peer(Unary(1))
      .ExpectLog({"runs"})
      .Peer(Request(3, "Unary"))
      .ExpectLog({})
      .ExpectWritten({"HEADERS 3 END_STREAM :status=200 content-type=application/grpc grpc-status=8 "
                      "grpc-message=\"the server is at its limit: 1 calls of this method run "
                      "(ConcurrencyLimitOptions::running_of_method_max)\"",
                      "RST_STREAM 3 NO_ERROR"})
      .Peer(Request(5, "BidiEcho", "", "END_STREAM"))
      .ExpectLog({})
      .ExpectWritten({"HEADERS 5 END_STREAM :status=200 content-type=application/grpc grpc-status=8 "
                      "grpc-message=\"the server is at its limit: 0 calls of this method run "
                      "(ConcurrencyLimitOptions::running_of)\""})
      .Run();
}

TEST(AdmissionTest, RuleOfOnesOwnSeesMethodPeerAndHeaders) {
  auto rule = std::make_shared<ByHeader>();
  ServerScript script(With(rule));
  script.Unary(Wait)
      .Handshake()
      .Peer(Unary(1, "tenant=quiet"))
      .ExpectLog({"runs"})
      .Peer(Request(3, "Unary", "tenant=loud"))
      .ExpectLog({})
      .ExpectWritten({"HEADERS 3 END_STREAM :status=200 content-type=application/grpc grpc-status=8 "
                      "grpc-message=\"too loud\" grpc-retry-pushback-ms=-1000",
                      "RST_STREAM 3 NO_ERROR"})
      .Do([rule](ServerWorld&) {
        EXPECT_EQ(rule->asked, "/bench.Echo/Unary from peer");
        EXPECT_EQ(rule->running(), 1u);
      })
      .Set("return")
      .Do([rule](ServerWorld&) { EXPECT_EQ(rule->running(), 0u); })
      .Run();
}

TEST(AdmissionTest, CallsOfALostConnectionAreNotCountedForEver) {
  auto limit = std::make_shared<ConcurrencyLimit>(ConcurrencyLimitOptions{});
  ServerScript script(With(limit));
  script.Unary(Wait)
      .Handshake()
      .Peer(Unary(1))
      .Lose()
      .Do([limit](ServerWorld&) { EXPECT_EQ(limit->running(), 1u) << "its handler has not returned"; })
      .Set("return")
      .Do([limit](ServerWorld&) { EXPECT_EQ(limit->running(), 0u); })
      .Run();
}

TEST(AdmissionTest, UnknownMethodIsNotAskedAbout) {
  auto rule = std::make_shared<ByHeader>();
  ServerScript script(With(rule));
  script.Handshake()
      .Peer(Request(1, "Nothing", "tenant=loud", "END_STREAM"))
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc "
                      "grpc-accept-encoding=identity,gzip,deflate grpc-status=12 ..."})
      .Do([rule](ServerWorld&) { EXPECT_EQ(rule->asked, ""); })
      .Run();
}

// ---- the gradient ---------------------------------------------------------------------------------------------------

void AddWindow(Gradient& gradient, absl::Duration took, size_t running) {
  for (size_t i = 0; i < GradientLimitOptions().window_calls; ++i) gradient.Add(took, running);
}

TEST(GradientTest, GrowsWhileCallsTakeNoLonger) {
  Gradient gradient({});
  size_t last = gradient.limit();
  for (int i = 0; i < 20; ++i) {
    AddWindow(gradient, absl::Milliseconds(10), gradient.limit());
    EXPECT_GE(gradient.limit(), last);
    last = gradient.limit();
  }
  EXPECT_GT(last, 30u);
}

TEST(GradientTest, FallsWhenCallsWaitForEachOther) {
  Gradient gradient({.initial = 1000});
  for (int i = 0; i < 5; ++i) AddWindow(gradient, absl::Milliseconds(10), 1000);
  const size_t before = gradient.limit();
  for (int i = 0; i < 20; ++i) AddWindow(gradient, absl::Milliseconds(100), 1000);
  EXPECT_LT(gradient.limit(), before / 2);
}

TEST(GradientTest, DoesNotGrowWhileNobodyReachesIt) {
  Gradient gradient({.initial = 100});
  for (int i = 0; i < 20; ++i) AddWindow(gradient, absl::Milliseconds(10), 3);
  EXPECT_EQ(gradient.limit(), 100u);
}

TEST(GradientTest, StaysBetweenItsEnds) {
  Gradient falls({.initial = 20, .min = 10, .max = 40});
  AddWindow(falls, absl::Milliseconds(1), 20);
  for (int i = 0; i < 50; ++i) AddWindow(falls, absl::Seconds(10), 20);
  EXPECT_EQ(falls.limit(), 10u);
  Gradient rises({.initial = 20, .min = 10, .max = 40});
  for (int i = 0; i < 200; ++i) AddWindow(rises, absl::Milliseconds(1), 40);
  EXPECT_EQ(rises.limit(), 40u);
}

TEST(GradientLimitTest, OneMoreThanTheLimitIsShed) {
  GradientLimit limit({.initial = 2, .min = 1});
  const int method = 0;
  EXPECT_TRUE(limit.Arrive(&method, {}).admitted());
  EXPECT_TRUE(limit.Arrive(&method, {}).admitted());
  const AdmissionDecision third = limit.Arrive(&method, {});
  EXPECT_EQ(third.status(),
            absl::UnavailableError("the server is busy: it serves 2 calls at a time without making them "
                                   "wait (GradientLimit)"));
  EXPECT_EQ(third.push_back(), absl::Milliseconds(100));
  limit.Leave(&method, absl::Milliseconds(1));
  EXPECT_TRUE(limit.Arrive(&method, {}).admitted());
  EXPECT_EQ(limit.admitted_count(), 3u);
  EXPECT_EQ(limit.shed_count(), 1u);
}

}  // namespace
}  // namespace weir
