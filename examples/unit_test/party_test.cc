// A unit test of code that makes calls: once with a mocked client, once with a server that the test writes.
#include "weir/examples/unit_test/party.h"

#include "examples/hello/hello.weir.mock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "weir/testing/testing.h"

namespace party {
namespace {

using testing::_;
using testing::ElementsAre;
using testing::Property;
using weir::testing::Fails;
using weir::testing::IsOkAndHolds;
using weir::testing::Replies;
using weir::testing::StatusIs;

hello::HelloReply Reply(const std::string& message) {
  hello::HelloReply reply;
  reply.set_message(message);
  return reply;
}

auto Named(const char* name) { return Property("name", &hello::HelloRequest::name, name); }

TEST(WelcomeTest, LeavesOutWhomTheGreeterDoesNotKnow) {
  hello::MockGreeterClient greeter;
  EXPECT_CALL(greeter, SayHello(Named("Ada"), _)).WillOnce(Replies(Reply("Hello, Ada")));
  EXPECT_CALL(greeter, SayHello(Named("Nobody"), _)).WillOnce(Fails(absl::NotFoundError("who?")));
  EXPECT_CALL(greeter, SayHello(Named("Alan"), _)).WillOnce(Replies(Reply("Good evening, Alan")));
  EXPECT_THAT(Welcome(greeter, {"Ada", "Nobody", "Alan"}),
              IsOkAndHolds(ElementsAre("Hello, Ada", "Good evening, Alan")));
}

TEST(WelcomeTest, StopsAtAnyOtherError) {
  hello::MockGreeterClient greeter;
  EXPECT_CALL(greeter, SayHello).WillOnce(Fails(absl::UnavailableError("closed today")));
  EXPECT_THAT(Welcome(greeter, {"Ada", "Alan"}), StatusIs(absl::StatusCode::kUnavailable, "closed today"));
}

class LoudGreeter final : public hello::GreeterService {
  weir::Task<absl::StatusOr<hello::HelloReply>> SayHello(weir::ServerContext&,
                                                         const hello::HelloRequest& who) override {
    co_return Reply("HELLO, " + who.name());
  }
};

TEST(WelcomeTest, WorksWithAServer) {
  LoudGreeter service;
  weir::testing::TestServer server(service);
  hello::GreeterClient greeter(server.channel());
  EXPECT_THAT(Welcome(greeter, {"Ada"}), IsOkAndHolds(ElementsAre("HELLO, Ada")));
}

}  // namespace
}  // namespace party
