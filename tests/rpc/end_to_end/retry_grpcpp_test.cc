// Retries between weir and grpc++, both ways: gRFC A6 as each understands it.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "tests/golden/greeter.grpc.pb.h"
#include "tests/golden/greeter.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/client/service_config/parse_service_config.h"
#include "weir/rpc/core/why.h"
#include "weir/rpc/server/server.h"

namespace golden::greeter::v1 {
namespace {

using std::chrono::steady_clock;
using ::testing::ElementsAre;

// Four attempts, 10 to 40 ms apart.
constexpr char kServiceConfig[] = R"({"methodConfig":[{"name":[{}],
    "retryPolicy":{"maxAttempts":4,"initialBackoff":"0.01s","maxBackoff":"1s","backoffMultiplier":2,
                   "retryableStatusCodes":["UNAVAILABLE"]}}]})";

HelloRequest From(const std::string& name) {
  HelloRequest request;
  request.set_name(name);
  return request;
}

// What servers of both libraries do for a caller of this name.
struct Script {
  int failures = 0;      // of the first attempts
  int push_back_ms = 0;  // beside them; 0: none, negative: never again
};

Script ScriptFor(const std::string& name) {
  if (name == "twice") return {.failures = 2};
  if (name == "slowly") return {.failures = 1, .push_back_ms = 200};
  if (name == "never") return {.failures = 1, .push_back_ms = -1};
  if (name == "always") return {.failures = 100};
  return {};
}

// Attempts as servers saw them: grpc-previous-rpc-attempts, "-" if there was none.
class Journal {
 public:
  void Add(std::string previous) {
    std::lock_guard lock(mutex_);
    previous_.push_back(std::move(previous));
  }
  std::vector<std::string> Take() {
    std::lock_guard lock(mutex_);
    return std::exchange(previous_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> previous_;
};

// ---- weir's client, grpc++'s server ---------------------------------------------------------------------------------

class GrpcGreeter final : public Greeter::Service {
 public:
  Journal journal;

 private:
  grpc::Status SayHello(grpc::ServerContext* context, const HelloRequest* request, HelloReply* reply) override {
    const auto found = context->client_metadata().find("grpc-previous-rpc-attempts");
    const std::string previous =
        found == context->client_metadata().end() ? "-" : std::string(found->second.data(), found->second.size());
    journal.Add(previous);
    const Script script = ScriptFor(request->name());
    const int attempts_before = previous == "-" ? 0 : std::stoi(previous);
    if (attempts_before < script.failures) {
      if (script.push_back_ms != 0) {
        context->AddTrailingMetadata("grpc-retry-pushback-ms", std::to_string(script.push_back_ms));
      }
      return {grpc::StatusCode::UNAVAILABLE, "busy"};
    }
    reply->set_message("after " + previous);
    return grpc::Status::OK;
  }
};

class WeirRetriesTest : public ::testing::Test {
 protected:
  WeirRetriesTest() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&greeter_);
    server_ = builder.BuildAndStart();
    weir::ChannelOptions options;
    options.service_config = weir::ParseServiceConfig(kServiceConfig);
    channel_ = std::make_unique<weir::Channel>("127.0.0.1:" + std::to_string(port_), weir::InsecureChannelCredentials(),
                                               options);
  }

  absl::StatusOr<HelloReply> Ask(const std::string& name) {
    return GreeterClient(*channel_).SayHello(From(name)).Wait();
  }

  GrpcGreeter greeter_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<weir::Channel> channel_;
};

TEST_F(WeirRetriesTest, AServerOfGrpcppIsToldHowOftenItWasTried) {
  EXPECT_EQ(Ask("twice")->message(), "after 2");
  EXPECT_THAT(greeter_.journal.Take(), ElementsAre("-", "1", "2"));
}

TEST_F(WeirRetriesTest, ItsPushBackIsHeeded) {
  const steady_clock::time_point begin = steady_clock::now();
  EXPECT_EQ(Ask("slowly")->message(), "after 1");
  EXPECT_GE(steady_clock::now() - begin, std::chrono::milliseconds(200));
  EXPECT_EQ(Ask("never").status().message(), "busy");
  EXPECT_THAT(greeter_.journal.Take(), ElementsAre("-", "1", "-"));
}

TEST_F(WeirRetriesTest, TheLastFailureIsToldWithTheNumberOfTheAttempt) {
  const absl::Status status = Ask("always").status();
  EXPECT_EQ(status.message(), "busy");
  EXPECT_EQ(weir::WhyOf(status)->attempt, 4);
  EXPECT_EQ(greeter_.journal.Take().size(), 4u);
}

TEST_F(WeirRetriesTest, AServerOfGrpcppThatIsReplacedLosesNoCall) {
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(Ask("once")->message(), "after -");
    // Shut down with a deadline that has passed: GOAWAY, and the connection ends.
    server_->Shutdown(std::chrono::system_clock::now());
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port_), grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&greeter_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    EXPECT_EQ(port, port_);
  }
}

// ---- grpc++'s client, weir's server ---------------------------------------------------------------------------------

class WeirGreeter final : public GreeterService {
 public:
  Journal journal;

 private:
  weir::Task<absl::StatusOr<HelloReply>> SayHello(weir::ServerContext& context, const HelloRequest& request) override {
    const int attempts_before = context.previous_attempts();
    journal.Add(attempts_before == 0 ? "-" : std::to_string(attempts_before));
    const Script script = ScriptFor(request.name());
    if (attempts_before < script.failures) {
      if (script.push_back_ms > 0) context.PushBack(absl::Milliseconds(script.push_back_ms));
      if (script.push_back_ms < 0) context.PushBack(absl::InfiniteDuration());
      co_return absl::UnavailableError("busy");
    }
    HelloReply reply;
    reply.set_message("after " + std::to_string(attempts_before));
    co_return reply;
  }
};

class GrpcppRetriesTest : public ::testing::Test {
 protected:
  GrpcppRetriesTest() {
    server_.AddService(greeter_);
    EXPECT_TRUE(server_.Listen("127.0.0.1:0", weir::InsecureServerCredentials()).ok());
    grpc::ChannelArguments arguments;
    arguments.SetServiceConfigJSON(kServiceConfig);
    stub_ = Greeter::NewStub(grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server_.port()),
                                                       grpc::InsecureChannelCredentials(), arguments));
  }

  std::string Ask(const std::string& name) {
    grpc::ClientContext context;
    HelloReply reply;
    const grpc::Status status = stub_->SayHello(&context, From(name), &reply);
    return status.ok() ? reply.message() : status.error_message();
  }

  WeirGreeter greeter_;
  weir::Server server_;
  std::unique_ptr<Greeter::Stub> stub_;
};

TEST_F(GrpcppRetriesTest, AHandlerOfWeirKnowsHowOftenItWasTried) {
  EXPECT_EQ(Ask("twice"), "after 2");
  EXPECT_THAT(greeter_.journal.Take(), ElementsAre("-", "1", "2"));
  EXPECT_EQ(Ask("always"), "busy");
  EXPECT_EQ(greeter_.journal.Take().size(), 4u);
}

TEST_F(GrpcppRetriesTest, ItsPushBackIsHeeded) {
  const steady_clock::time_point begin = steady_clock::now();
  EXPECT_EQ(Ask("slowly"), "after 1");
  EXPECT_GE(steady_clock::now() - begin, std::chrono::milliseconds(200));
  EXPECT_EQ(Ask("never"), "busy");
  EXPECT_THAT(greeter_.journal.Take(), ElementsAre("-", "1", "-"));
}

}  // namespace
}  // namespace golden::greeter::v1
