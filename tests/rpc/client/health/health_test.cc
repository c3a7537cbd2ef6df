// Client-side health checking: gRFC A17.
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/rpc/client/health/health_watch.h"
#include "weir/rpc/client/service_config/parse_service_config.h"
#include "weir/tests/support/call_script.h"
#include "weir/tests/support/fleet.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using testing::Data;
using ::testing::ElementsAre;
using testing::Envelope;
using testing::Fleet;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using testing::ResponseHead;

constexpr char kOne[] = "10.0.0.1:1";
constexpr char kTwo[] = "10.0.0.2:1";
constexpr char kUnavailable[] = "HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=14";
constexpr char kUnimplemented[] = "HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=12";

ServiceConfigResult Checks(const std::string& service, const std::string& policy = "round_robin") {
  return ParseServiceConfig(absl::StrCat(R"({"loadBalancingConfig":[{")", policy,
                                         R"(":{}}],"healthCheckConfig":{"serviceName":")", service, R"("}})"));
}

ChannelOptions Checked(const std::string& policy = "round_robin") {
  ChannelOptions options;
  options.service_config = Checks("echo", policy);
  return options;
}

// On the watch, which is the first stream of its connection.
std::string Says(ServingStatus status, int stream = 1) {
  return Data(stream, Envelope(0, 2, std::string("\x08") + static_cast<char>(status)));
}
std::string SaysFirst(ServingStatus status, int stream = 1) {
  return absl::StrCat(ResponseHead(stream), "\n", Says(status, stream));
}

TEST(HealthCheck, CallsGoToServersThatSayTheyServe) {
  Fleet fleet(Checked());
  fleet.Resolve({kOne, kTwo});
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms resolve", "0ms connect 10.0.0.1:1", "0ms connect 10.0.0.2:1",
                                           "0ms watch at 10.0.0.1:1", "0ms watch at 10.0.0.2:1"));
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kConnecting) << "until the first answer";
  fleet.Send(kTwo, SaysFirst(ServingStatus::kServing));
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kReady);
  fleet.Calls(3);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kTwo, 4)));
  fleet.Send(kOne, SaysFirst(ServingStatus::kServing));
  fleet.Calls(4);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 2), Pair(kTwo, 2)));
  fleet.Send(kTwo, Says(ServingStatus::kNotServing));
  fleet.Calls(4);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 4)));
  fleet.Send(kTwo, Says(ServingStatus::kServing));
  fleet.Calls(4);
  EXPECT_THAT(fleet.TakeShares(), ElementsAre(Pair(kOne, 2), Pair(kTwo, 2)));
}

TEST(HealthCheck, CallFailsWithWhatTheServerSays) {
  for (const auto& [status, name] :
       {std::pair(ServingStatus::kNotServing, "NOT_SERVING"),
        std::pair(ServingStatus::kServiceUnknown, "SERVICE_UNKNOWN"), std::pair(ServingStatus::kUnknown, "UNKNOWN")}) {
    Fleet fleet(Checked());
    fleet.Resolve({kOne});
    fleet.Connect();
    fleet.Send(kOne, SaysFirst(status));
    fleet.TakeLog();
    fleet.Call();
    EXPECT_THAT(fleet.TakeLog(),
                ElementsAre(absl::StrCat("0ms UNAVAILABLE: cannot connect: health check of \"echo\" at 10.0.0.1:1: the "
                                         "server says ",
                                         name, "; trying again")));
  }
}

TEST(HealthCheck, ServerThatDoesNotImplementItCountsAsHealthyAndIsNotAskedAgain) {
  Fleet fleet(Checked());
  fleet.Resolve({kOne});
  fleet.Connect();
  fleet.Send(kOne, kUnimplemented);
  fleet.TakeLog();
  fleet.Call();
  fleet.Advance(seconds(100));
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms call at 10.0.0.1:1", "0ms OK"));
}

TEST(HealthCheck, WatchThatEndsWithoutAnAnswerIsMadeAgainAfterAPauseThatGrows) {
  Fleet fleet(Checked());
  fleet.Resolve({kOne});
  fleet.Connect();
  fleet.TakeLog();
  fleet.Send(kOne, kUnavailable);
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kTransientFailure);
  fleet.Advance(milliseconds(790));
  EXPECT_THAT(fleet.TakeLog(), Not(Contains(HasSubstr("watch at"))));
  fleet.Advance(milliseconds(420));
  EXPECT_THAT(fleet.TakeLog(), Contains(HasSubstr("watch at 10.0.0.1:1")));
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kTransientFailure) << "until it is healthy";
  fleet.Send(kOne, "RST_STREAM 3 CANCEL");
  fleet.Advance(milliseconds(1270));
  EXPECT_THAT(fleet.TakeLog(), Not(Contains(HasSubstr("watch at"))));
  fleet.Advance(milliseconds(660));
  EXPECT_THAT(fleet.TakeLog(), Contains(HasSubstr("watch at 10.0.0.1:1")));
}

TEST(HealthCheck, WatchThatEndsAfterAnAnswerIsMadeAgainAtOnce) {
  Fleet fleet(Checked());
  fleet.Resolve({kOne});
  fleet.Connect();
  fleet.Send(kOne, SaysFirst(ServingStatus::kServing));
  fleet.TakeLog();
  fleet.Send(kOne, "HEADERS 1 END_STREAM grpc-status=0");
  EXPECT_THAT(fleet.TakeLog(), Contains("0ms watch at 10.0.0.1:1"));
  EXPECT_NE(fleet.core().state(), ConnectivityState::kReady);
  fleet.Send(kOne, SaysFirst(ServingStatus::kServing, 3));
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kReady);
}

TEST(HealthCheck, AnswerThatIsNoneEndsTheWatch) {
  Fleet fleet(Checked());
  fleet.Resolve({kOne});
  fleet.Connect();
  fleet.Send(kOne, ResponseHead(1) + "\n" + Data(1, Envelope(0, 3, "abc")));
  fleet.TakeLog();
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog(), ElementsAre(HasSubstr("expected a grpc.health.v1.HealthCheckResponse, got 3 other "
                                                     "bytes; next attempt in ")));
}

TEST(HealthCheck, BeginsAnewOnANewConnection) {
  Fleet fleet(Checked());
  fleet.Resolve({kOne});
  fleet.Connect();
  fleet.Send(kOne, SaysFirst(ServingStatus::kServing));
  fleet.TakeLog();
  fleet.Close(kOne);
  EXPECT_THAT(fleet.TakeLog(), Contains("0ms watch at 10.0.0.1:1"));
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kConnecting);
}

TEST(HealthCheck, WatchDoesNotKeepADrainingConnection) {
  Fleet fleet(Checked());
  fleet.Resolve({kOne});
  fleet.Connect();
  fleet.Send(kOne, SaysFirst(ServingStatus::kServing));
  fleet.Send(kOne, "GOAWAY last=1 NO_ERROR");
  EXPECT_EQ(fleet.core().stream_count(), 1u) << "the watch on the next one";
}

TEST(HealthCheck, NewAddressesDoNotDisturbAWatch) {
  Fleet fleet(Checked());
  fleet.Resolve({kOne});
  fleet.Connect();
  fleet.Send(kOne, SaysFirst(ServingStatus::kServing));
  fleet.TakeLog();
  fleet.Resolve({kOne, kTwo});
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kReady);
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms connect 10.0.0.2:1", "0ms watch at 10.0.0.2:1"));
}

TEST(HealthCheck, AnotherServiceNameIsAskedForWhenTheConfigChanges) {
  Fleet fleet;
  fleet.Resolve({kOne}, Checks("echo"));
  fleet.Connect();
  fleet.Send(kOne, SaysFirst(ServingStatus::kServing));
  fleet.TakeLog();
  fleet.Resolve({kOne}, Checks("other"));
  EXPECT_THAT(fleet.TakeLog(), ElementsAre("0ms watch at 10.0.0.1:1"));
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kConnecting);
  fleet.Send(kOne, SaysFirst(ServingStatus::kServing, 3));
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kReady);
  EXPECT_EQ(fleet.core().stream_count(), 1u) << "the first watch is over";
}

TEST(HealthCheck, PickFirstDoesNotAsk) {
  Fleet fleet(Checked("pick_first"));
  fleet.Resolve({kOne});
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog(),
              ElementsAre("0ms resolve", "0ms connect 10.0.0.1:1", "0ms call at 10.0.0.1:1", "0ms OK"));
}

TEST(HealthCheck, IsNotMadeIfTheProgramSaysSo) {
  ChannelOptions options = Checked();
  options.enable_health_checks = false;
  Fleet fleet(options);
  fleet.Resolve({kOne});
  fleet.Call();
  EXPECT_THAT(fleet.TakeLog(),
              ElementsAre("0ms resolve", "0ms connect 10.0.0.1:1", "0ms call at 10.0.0.1:1", "0ms OK"));
}

TEST(HealthCheck, WatchDoesNotKeepTheChannelFromBecomingIdle) {
  ChannelOptions options = Checked();
  options.idle_timeout = absl::Seconds(5);
  Fleet fleet(options);
  fleet.Resolve({kOne});
  fleet.Connect();
  fleet.Send(kOne, SaysFirst(ServingStatus::kServing));
  fleet.Advance(seconds(11));
  EXPECT_EQ(fleet.core().state(), ConnectivityState::kIdle);
  EXPECT_EQ(fleet.core().stream_count(), 0u);
}

TEST(HealthCheck, WatchThatWaitsForAPlaceIsNotTakenForACall) {
  Fleet fleet(Checked());
  fleet.set_settings("MAX_CONCURRENT_STREAMS=0");
  fleet.Resolve({kOne});
  fleet.Connect();
  fleet.TakeLog();
  fleet.Close(kOne);
  EXPECT_THAT(fleet.TakeLog(), Not(Contains(HasSubstr("UNAVAILABLE"))));
  EXPECT_EQ(fleet.core().waiting_count(), 0u);
}

TEST(HealthMessages, AreThoseOfTheProtocol) {
  EXPECT_EQ(EncodeHealthRequest(""), "");
  EXPECT_EQ(EncodeHealthRequest("echo"),
            "\x0a\x04"
            "echo");
  const std::string long_name(300, 'x');
  EXPECT_EQ(EncodeHealthRequest(long_name), "\x0a\xac\x02" + long_name);
  EXPECT_EQ(*DecodeHealthResponse(""), ServingStatus::kUnknown);
  EXPECT_EQ(*DecodeHealthResponse("\x08\x01"), ServingStatus::kServing);
  EXPECT_EQ(*DecodeHealthResponse("\x08\x04"), ServingStatus::kUnknown) << "one that is not known yet";
  EXPECT_FALSE(DecodeHealthResponse("\x08").ok());
  EXPECT_FALSE(DecodeHealthResponse("\x08\x81").ok());
  EXPECT_FALSE(DecodeHealthResponse("\x0a\x01x").ok());
}

}  // namespace
}  // namespace weir
