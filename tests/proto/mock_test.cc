// Generated mocks: what a client's and a service's methods answer when a test says so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/golden/clashes.weir.mock.h"
#include "tests/golden/comments.weir.mock.h"
#include "tests/golden/deprecated.weir.mock.h"
#include "tests/golden/greeter.weir.mock.h"
#include "tests/golden/names.weir.mock.h"
#include "tests/golden/no_method.weir.mock.h"
#include "tests/golden/no_package.weir.mock.h"
#include "tests/golden/no_service.weir.mock.h"
#include "tests/golden/proto2.weir.mock.h"
#include "weir/testing/testing.h"

namespace {

using golden::greeter::v1::GreeterClient;
using golden::greeter::v1::HelloReply;
using golden::greeter::v1::HelloRequest;
using golden::greeter::v1::MockGreeterClient;
using golden::greeter::v1::MockGreeterService;
using golden::greeter::v1::Summary;
using testing::_;
using testing::DoAll;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::NiceMock;
using testing::Property;
using weir::CallOptions;
using weir::testing::Fails;
using weir::testing::Hangs;
using weir::testing::IsOk;
using weir::testing::Replies;
using weir::testing::StatusIs;
using weir::testing::Streams;
using weir::testing::TestServer;
using weir::testing::Written;

HelloRequest Request(const std::string& name) {
  HelloRequest request;
  request.set_name(name);
  return request;
}

HelloReply Reply(const std::string& message) {
  HelloReply reply;
  reply.set_message(message);
  return reply;
}

Summary SummaryOf(int count) {
  Summary summary;
  summary.set_count(count);
  return summary;
}

MATCHER_P(Says, message, "") { return arg.message() == message; }
MATCHER_P(Names, name, "") { return arg.name() == name; }

template <class Call>
std::vector<std::string> ReadAll(Call& call) {
  std::vector<std::string> messages;
  while (std::optional<HelloReply> reply = call.Read().Wait()) messages.push_back(reply->message());
  return messages;
}

// ---- clients --------------------------------------------------------------------------------------------------------

// As the code of a user: it knows nothing of mocks.
absl::StatusOr<std::string> Greet(GreeterClient& greeter, const std::string& name) {
  absl::StatusOr<HelloReply> reply = greeter.SayHello(Request(name)).Wait();
  if (!reply.ok()) return reply.status();
  return reply->message();
}

TEST(MockClient, UnaryRepliesAndFailsAsToldInOrder) {
  MockGreeterClient greeter;
  EXPECT_CALL(greeter, SayHello(Names("weir"), _))
      .WillOnce(Replies(Reply("Hello")))
      .WillOnce(Fails(absl::NotFoundError("nobody")));
  EXPECT_EQ(Greet(greeter, "weir").value(), "Hello");
  EXPECT_THAT(Greet(greeter, "weir"), StatusIs(absl::StatusCode::kNotFound, "nobody"));
}

weir::Task<std::string> GreetInCoroutine(GreeterClient& greeter) {
  const HelloRequest request = Request("weir");
  auto call = greeter.SayHello(request);
  absl::StatusOr<HelloReply> reply = co_await call;
  co_return reply.ok() ? reply->message() : reply.status().ToString();
}

TEST(MockClient, CallsCanBeAwaited) {
  MockGreeterClient greeter;
  EXPECT_CALL(greeter, SayHello).WillRepeatedly(Replies(Reply("Hello")));
  EXPECT_EQ(GreetInCoroutine(greeter).Wait(), "Hello");
  EXPECT_EQ(GreetInCoroutine(greeter).Wait(), "Hello");
}

TEST(MockClient, MetadataComesBeforeAndAfter) {
  MockGreeterClient greeter;
  EXPECT_CALL(greeter, SayHello)
      .WillOnce(Replies(Reply("Hello")).InitialMetadata("before", "1").TrailingMetadata("after-bin", "2"));
  GreeterClient& client = greeter;
  auto call = client.SayHello(Request("weir"));
  EXPECT_THAT(call.Wait(), IsOk());
  EXPECT_EQ(call.InitialMetadata().Wait().Get("before"), "1");
  EXPECT_EQ(call.trailing_metadata().Get("after-bin"), "2");
}

TEST(MockClient, CallOptionsReachTheMockAndTheDeadlinePasses) {
  MockGreeterClient greeter;
  EXPECT_CALL(greeter, SayHello(_, Property(&CallOptions::timeout, absl::Milliseconds(20)))).WillOnce(Hangs());
  GreeterClient& client = greeter;
  EXPECT_THAT(client.SayHello(Request("weir"), CallOptions().Timeout(absl::Milliseconds(20))).Wait(),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST(MockClient, CallsCanBeCancelledAndDropped) {
  MockGreeterClient greeter;
  EXPECT_CALL(greeter, Chat).WillRepeatedly(Hangs());
  GreeterClient& client = greeter;
  auto call = client.Chat();
  call.Cancel();
  EXPECT_THAT(call.Finish().Wait(), StatusIs(absl::StatusCode::kCancelled));
  auto dropped = client.Chat();
}

TEST(MockClient, ServerStreamHasItsMessagesAndThenItsStatus) {
  MockGreeterClient greeter;
  EXPECT_CALL(greeter, List(Names("all"), _))
      .WillOnce(Streams({Reply("a"), Reply("b")}))
      .WillOnce(Streams({Reply("a")}).Then(absl::DataLossError("torn")))
      .WillOnce(Streams(std::vector<HelloReply>()))
      .WillOnce(Fails(absl::InternalError("at once")));
  GreeterClient& client = greeter;
  auto whole = client.List(Request("all"));
  EXPECT_THAT(ReadAll(whole), ElementsAre("a", "b"));
  EXPECT_THAT(whole.Finish().Wait(), IsOk());
  auto torn = client.List(Request("all"));
  EXPECT_THAT(ReadAll(torn), ElementsAre("a"));
  EXPECT_THAT(torn.Finish().Wait(), StatusIs(absl::StatusCode::kDataLoss, "torn"));
  auto empty = client.List(Request("all"));
  EXPECT_THAT(ReadAll(empty), ElementsAre());
  EXPECT_THAT(empty.Finish().Wait(), IsOk());
  auto failed = client.List(Request("all"));
  EXPECT_THAT(ReadAll(failed), ElementsAre());
  EXPECT_THAT(failed.Finish().Wait(), StatusIs(absl::StatusCode::kInternal, "at once"));
}

TEST(MockClient, ClientStreamTakesWhatIsWrittenAndThenReplies) {
  MockGreeterClient greeter;
  const Written<HelloRequest> written;
  EXPECT_CALL(greeter, Collect).WillOnce(Replies(SummaryOf(2)).CaptureTo(written));
  GreeterClient& client = greeter;
  auto call = client.Collect();
  EXPECT_TRUE(call.Write(Request("a")).Wait());
  EXPECT_TRUE(call.Write(Request("b")).Wait());
  absl::StatusOr<Summary> summary = call.Finish().Wait();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->count(), 2);
  EXPECT_THAT(written.messages(), ElementsAre(Names("a"), Names("b")));
}

TEST(MockClient, AnErrorWithACaptureComesWhenAllIsWritten) {
  MockGreeterClient greeter;
  const Written<HelloRequest> written;
  EXPECT_CALL(greeter, Collect).WillOnce(Fails(absl::AbortedError("no")).CaptureTo(written));
  GreeterClient& client = greeter;
  auto call = client.Collect();
  EXPECT_TRUE(call.Write(Request("a")).Wait());
  EXPECT_THAT(call.Finish().Wait(), StatusIs(absl::StatusCode::kAborted, "no"));
  EXPECT_THAT(written.messages(), ElementsAre(Names("a")));
}

TEST(MockClient, BidiWritesItsMessagesAndEndsAfterTheClient) {
  MockGreeterClient greeter;
  const Written<HelloRequest> written;
  EXPECT_CALL(greeter, Chat).WillOnce(Streams({Reply("a"), Reply("b")}).CaptureTo(written));
  GreeterClient& client = greeter;
  auto call = client.Chat();
  EXPECT_THAT(call.Read().Wait(), testing::Optional(Says("a")));
  EXPECT_TRUE(call.Write(Request("x")).Wait());
  EXPECT_THAT(call.Read().Wait(), testing::Optional(Says("b")));
  EXPECT_TRUE(call.Write(Request("y")).Wait());
  call.WritesDone();
  EXPECT_FALSE(call.Read().Wait().has_value());
  EXPECT_THAT(call.Finish().Wait(), IsOk());
  EXPECT_THAT(written.messages(), ElementsAre(Names("x"), Names("y")));
}

TEST(MockClient, WithoutAnExpectationACallIsUnimplemented) {
  NiceMock<MockGreeterClient> greeter;
  EXPECT_THAT(Greet(greeter, "weir"),
              StatusIs(absl::StatusCode::kUnimplemented,
                       HasSubstr("/golden.greeter.v1.Greeter/SayHello: the mock was not told")));
}

TEST(MockClient, ACopyOfItSaysThatItIsOne) {
  MockGreeterClient greeter;
  EXPECT_CALL(greeter, SayHello).Times(0);
  GreeterClient copy = greeter;
  EXPECT_THAT(Greet(copy, "weir"), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("by reference")));
}

// ---- services -------------------------------------------------------------------------------------------------------

TEST(MockService, AnswersAsToldInEveryKind) {
  MockGreeterService service;
  const Written<HelloRequest> once, collected, chatted;
  EXPECT_CALL(service, SayHello(_, Names("weir")))
      .WillOnce(Replies(Reply("Hello")).TrailingMetadata("key", "value").CaptureTo(once))
      .WillOnce(Fails(absl::NotFoundError("nobody")));
  EXPECT_CALL(service, Collect).WillOnce(Replies(SummaryOf(7)).CaptureTo(collected));
  EXPECT_CALL(service, List(_, Names("all"), _)).WillOnce(Streams({Reply("a")}).Then(absl::DataLossError("torn")));
  EXPECT_CALL(service, Chat).WillOnce(Streams({Reply("a"), Reply("b")}).CaptureTo(chatted));
  TestServer server(service);
  GreeterClient client(server.channel());

  auto unary = client.SayHello(Request("weir"));
  absl::StatusOr<HelloReply> reply = unary.Wait();
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->message(), "Hello");
  EXPECT_EQ(unary.trailing_metadata().Get("key"), "value");
  EXPECT_THAT(once.messages(), ElementsAre(Names("weir")));
  EXPECT_THAT(client.SayHello(Request("weir")).Wait(), StatusIs(absl::StatusCode::kNotFound, "nobody"));

  auto up = client.Collect();
  EXPECT_TRUE(up.Write(Request("a")).Wait());
  absl::StatusOr<Summary> summary = up.Finish().Wait();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->count(), 7);
  EXPECT_THAT(collected.messages(), ElementsAre(Names("a")));

  auto down = client.List(Request("all"));
  EXPECT_THAT(ReadAll(down), ElementsAre("a"));
  EXPECT_THAT(down.Finish().Wait(), StatusIs(absl::StatusCode::kDataLoss, "torn"));

  auto chat = client.Chat();
  EXPECT_TRUE(chat.Write(Request("x")).Wait());
  chat.WritesDone();
  EXPECT_THAT(ReadAll(chat), ElementsAre("a", "b"));
  EXPECT_THAT(chat.Finish().Wait(), IsOk());
  EXPECT_THAT(chatted.messages(), ElementsAre(Names("x")));
}

TEST(MockService, HangsUntilItIsCancelled) {
  MockGreeterService service;
  std::promise<void> called;
  EXPECT_CALL(service, SayHello).WillOnce(DoAll([&called] { called.set_value(); }, Hangs()));
  TestServer server(service);
  auto call = GreeterClient(server.channel()).SayHello(Request("weir"));
  called.get_future().wait();
  call.Cancel();
  EXPECT_THAT(call.Wait(), StatusIs(absl::StatusCode::kCancelled));
}

TEST(MockService, HangsOnAWorkerToo) {
  weir::ServerOptions options;
  options.worker_threads = 2;
  MockGreeterService service;
  std::promise<void> called;
  EXPECT_CALL(service, SayHello).WillOnce(DoAll([&called] { called.set_value(); }, Hangs()));
  TestServer server(options, service);
  auto call = GreeterClient(server.channel()).SayHello(Request("weir"));
  called.get_future().wait();
  call.Cancel();
  EXPECT_THAT(call.Wait(), StatusIs(absl::StatusCode::kCancelled));
}

TEST(MockService, WithoutAnExpectationAMethodIsUnimplemented) {
  NiceMock<MockGreeterService> service;
  TestServer server(service);
  EXPECT_THAT(GreeterClient(server.channel()).SayHello(Request("weir")).Wait(),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("was not told")));
}

// ---- names ----------------------------------------------------------------------------------------------------------

TEST(Mocks, CompileForEveryNameThatServicesCanHave) {
  golden::names::MockKeywordsClient keywords;
  golden::names::MockMembersService members;
  golden::no_method::MockNothingClient nothing;
  MockGoldenNoPackageClient no_package;
}

}  // namespace
