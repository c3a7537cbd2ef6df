// Calls what is generated for the golden files, through a server and a channel.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/golden/clashes.weir.pb.h"
#include "tests/golden/comments.weir.pb.h"
#include "tests/golden/deprecated.weir.pb.h"
#include "tests/golden/greeter.weir.pb.h"
#include "tests/golden/imports.weir.pb.h"
#include "tests/golden/names.weir.pb.h"
#include "tests/golden/no_method.weir.pb.h"
#include "tests/golden/no_package.weir.pb.h"
#include "tests/golden/no_service.weir.pb.h"
#include "tests/golden/proto2.weir.pb.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/server/server.h"

namespace {

using golden::greeter::v1::GreeterClient;
using golden::greeter::v1::GreeterService;
using golden::greeter::v1::HelloReply;
using golden::greeter::v1::HelloRequest;
using golden::greeter::v1::Summary;
using golden::names::KeywordsClient;
using golden::names::KeywordsService;
using golden::names::MembersClient;
using golden::names::MembersService;
using golden::names::TypesClient;
using golden::names::TypesService;
using Delete = golden::names::delete_;

// --- without a network ---

std::vector<std::string> Paths(const weir::Service& service) {
  std::vector<std::string> paths;
  for (const weir::ServerMethod& method : service.methods()) paths.emplace_back(method.spec.path);
  return paths;
}

TEST(Generated, TableHasEveryMethodInTheOrderOfTheFile) {
  EXPECT_THAT(Paths(GreeterService()),
              testing::ElementsAre("/golden.greeter.v1.Greeter/SayHello", "/golden.greeter.v1.Greeter/Collect",
                                   "/golden.greeter.v1.Greeter/List", "/golden.greeter.v1.Greeter/Chat"));
  EXPECT_THAT(Paths(golden::no_method::NothingService()), testing::IsEmpty());
  EXPECT_THAT(Paths(GoldenNoPackageService()), testing::ElementsAre("/GoldenNoPackage/Call", "/GoldenNoPackage/Chat"));
}

TEST(Generated, TableIsTheSameOnEveryCall) {
  EXPECT_EQ(GreeterService().methods().data(), GreeterService().methods().data());
}

// The compiler refuses this if a constant needs code at start-up.
static_assert(GreeterService::kServiceName == "golden.greeter.v1.Greeter");
static_assert(GreeterService::kChat.kind == weir::CallKind::kBidiStreaming);
static_assert(GreeterService::kChat.method() == "Chat");

TEST(Generated, WireNamesAreThoseOfTheProtoFile) {
  EXPECT_EQ(KeywordsService::kClass.path, "/golden.names.Keywords/class");
  EXPECT_EQ(KeywordsService::kCo_await.path, "/golden.names.Keywords/co_await");
  EXPECT_EQ(MembersService::kMethods.path, "/golden.names.Members/methods");
  EXPECT_EQ(golden::clashes::ImportedService_::kServiceName, "golden.clashes.Imported");
}

// --- through a server ---

class Greeter final : public GreeterService {
  weir::Task<absl::StatusOr<HelloReply>> SayHello(weir::ServerContext&, const HelloRequest& request) override {
    HelloReply reply;
    reply.set_message("Hello, " + request.name());
    co_return reply;
  }

  weir::Task<absl::StatusOr<Summary>> Collect(weir::ServerContext&, weir::Reader<HelloRequest>& reader) override {
    Summary summary;
    while (std::optional<HelloRequest> request = co_await reader.Read()) summary.set_count(summary.count() + 1);
    co_return summary;
  }

  weir::Task<absl::Status> List(weir::ServerContext&, const HelloRequest& request,
                                weir::Writer<HelloReply>& writer) override {
    HelloReply reply;
    reply.set_message(request.name());
    for (int i = 0; i < 2; ++i) co_await writer.Write(reply);
    co_return absl::OkStatus();
  }

  weir::Task<absl::Status> Chat(weir::ServerContext&, weir::Reader<HelloRequest>& reader,
                                weir::Writer<HelloReply>& writer) override {
    while (std::optional<HelloRequest> request = co_await reader.Read()) {
      HelloReply reply;
      reply.set_message(request->name());
      co_await writer.Write(reply);
    }
    co_return absl::OkStatus();
  }
};

// A server with one service, and a channel to it.
class Loopback {
 public:
  explicit Loopback(weir::Service& service) {
    server_.AddService(service);
    const absl::Status listening = server_.Listen("127.0.0.1:0", weir::InsecureServerCredentials());
    EXPECT_TRUE(listening.ok()) << listening.ToString();
    channel_.emplace("127.0.0.1:" + std::to_string(server_.port()), weir::InsecureChannelCredentials());
  }

  weir::Channel& channel() { return *channel_; }

 private:
  weir::Server server_;
  std::optional<weir::Channel> channel_;
};

HelloRequest RequestOf(const std::string& name) {
  HelloRequest request;
  request.set_name(name);
  return request;
}

TEST(GeneratedCalls, UnaryReturnsTheReply) {
  Greeter service;
  Loopback loopback(service);
  GreeterClient client(loopback.channel());
  const absl::StatusOr<HelloReply> reply = client.SayHello(RequestOf("weir")).Wait();
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  EXPECT_EQ(reply->message(), "Hello, weir");
}

TEST(GeneratedCalls, ClientStreamReturnsTheReplyAtTheEnd) {
  Greeter service;
  Loopback loopback(service);
  GreeterClient client(loopback.channel());
  auto call = client.Collect();
  EXPECT_TRUE(call.Write(RequestOf("a")).Wait());
  EXPECT_TRUE(call.Write(RequestOf("b")).Wait());
  const absl::StatusOr<Summary> summary = call.Finish().Wait();
  ASSERT_TRUE(summary.ok()) << summary.status().ToString();
  EXPECT_EQ(summary->count(), 2u);
}

TEST(GeneratedCalls, ServerStreamReturnsRepliesUntilTheEnd) {
  Greeter service;
  Loopback loopback(service);
  GreeterClient client(loopback.channel());
  auto call = client.List(RequestOf("a"));
  int replies = 0;
  while (const std::optional<HelloReply> reply = call.Read().Wait()) ++replies;
  EXPECT_EQ(replies, 2);
  EXPECT_TRUE(call.Finish().Wait().ok());
}

TEST(GeneratedCalls, BidiStreamAnswersWhileItIsOpen) {
  Greeter service;
  Loopback loopback(service);
  GreeterClient client(loopback.channel());
  auto call = client.Chat();
  EXPECT_TRUE(call.Write(RequestOf("a")).Wait());
  const std::optional<HelloReply> reply = call.Read().Wait();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->message(), "a");
  call.WritesDone();
  EXPECT_FALSE(call.Read().Wait().has_value());
  EXPECT_TRUE(call.Finish().Wait().ok());
}

// --- methods that nobody wrote, with any name ---

// What a method that is not overridden says; proves that client and server mean the same method.
void ExpectUnimplemented(const absl::Status& status, const weir::MethodSpec& method) {
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(std::string(status.message()), std::string(method.path) + ": not implemented by this server");
}

TEST(GeneratedCalls, EveryKindIsUnimplementedByDefault) {
  GreeterService service;
  Loopback loopback(service);
  GreeterClient client(loopback.channel());
  ExpectUnimplemented(client.SayHello(HelloRequest()).Wait().status(), GreeterService::kSayHello);
  ExpectUnimplemented(client.Collect().Finish().Wait().status(), GreeterService::kCollect);
  ExpectUnimplemented(client.List(HelloRequest()).Finish().Wait(), GreeterService::kList);
  ExpectUnimplemented(client.Chat().Finish().Wait(), GreeterService::kChat);
}

TEST(GeneratedCalls, MethodsMayBeNamedLikeOurMembers) {
  MembersService service;
  Loopback loopback(service);
  MembersClient client(loopback.channel());
  using S = MembersService;
  const Delete request;
  ExpectUnimplemented(client.methods__(request).Wait().status(), S::kMethods);
  ExpectUnimplemented(client.methods_(request).Wait().status(), S::kMethods_);
  ExpectUnimplemented(client.Methods(request).Wait().status(), S::kMethods__);
  ExpectUnimplemented(client.ServiceName(request).Wait().status(), S::kServiceName__);
  ExpectUnimplemented(client.kServiceName_(request).Wait().status(), S::kKServiceName);
  ExpectUnimplemented(client.kMembers(request).Wait().status(), S::kKMembers);
  ExpectUnimplemented(client.Members(request).Wait().status(), S::kMembers_);
  ExpectUnimplemented(client.MembersService_(request).Wait().status(), S::kMembersService);
  ExpectUnimplemented(client.MembersClient_(request).Finish().Wait(), S::kMembersClient);
  ExpectUnimplemented(client.channel__(request).Wait().status(), S::kChannel_);
  ExpectUnimplemented(client.channel(request).Wait().status(), S::kChannel);
  ExpectUnimplemented(client.Channel().Finish().Wait().status(), S::kChannel__);
  ExpectUnimplemented(client.context(request).Wait().status(), S::kContext);
  ExpectUnimplemented(client.request(request).Wait().status(), S::kRequest);
  ExpectUnimplemented(client.options(request).Wait().status(), S::kOptions);
  ExpectUnimplemented(client.reader().Finish().Wait().status(), S::kReader);
  ExpectUnimplemented(client.writer(request).Finish().Wait(), S::kWriter);
  ExpectUnimplemented(client.table(request).Wait().status(), S::kTable_);
  ExpectUnimplemented(client.Table(request).Wait().status(), S::kTable__);
  ExpectUnimplemented(client.kTable(request).Wait().status(), S::kKTable);
  ExpectUnimplemented(client.Service(request).Wait().status(), S::kService);
  ExpectUnimplemented(client.Wait(request).Wait().status(), S::kWait);
  ExpectUnimplemented(client.Cancel(request).Wait().status(), S::kCancel);
  ExpectUnimplemented(client.Finish().Finish().Wait(), S::kFinish);
}

TEST(GeneratedCalls, MethodsMayBeNamedLikeKeywordsAndMacros) {
  KeywordsService service;
  Loopback loopback(service);
  KeywordsClient client(loopback.channel());
  using S = KeywordsService;
  const Delete request;
  ExpectUnimplemented(client.class__(request).Wait().status(), S::kClass);
  ExpectUnimplemented(client.class_(request).Wait().status(), S::kClass_);
  ExpectUnimplemented(client.operator_(request).Wait().status(), S::kOperator);
  ExpectUnimplemented(client.virtual_().Finish().Wait().status(), S::kVirtual);
  ExpectUnimplemented(client.co_await_(request).Finish().Wait(), S::kCo_await);
  ExpectUnimplemented(client.requires_().Finish().Wait(), S::kRequires);
  ExpectUnimplemented(client.NULL_(request).Wait().status(), S::kNULL);
  ExpectUnimplemented(client.assert_(request).Wait().status(), S::kAssert);
  ExpectUnimplemented(client.errno_(request).Wait().status(), S::kErrno);
  ExpectUnimplemented(client.override(request).Wait().status(), S::kOverride);
  ExpectUnimplemented(client.final(request).Wait().status(), S::kFinal);
  ExpectUnimplemented(client.import(request).Wait().status(), S::kImport);
  ExpectUnimplemented(client.module(request).Wait().status(), S::kModule);
  ExpectUnimplemented(client.main(request).Wait().status(), S::kMain);
}

TEST(GeneratedCalls, MethodsMayBeNamedLikeTheirMessagesAndOurNamespaces) {
  TypesService service;
  Loopback loopback(service);
  TypesClient client(loopback.channel());
  using S = TypesService;
  ExpectUnimplemented(client.Same(golden::names::Same()).Wait().status(), S::kSame);
  ExpectUnimplemented(client.Service(golden::names::Service()).Finish().Wait(), S::kService);
  ExpectUnimplemented(client.Task().Finish().Wait().status(), S::kTask);
  ExpectUnimplemented(client.StatusOr(golden::names::Task()).Wait().status(), S::kStatusOr);
  ExpectUnimplemented(client.weir(golden::names::weir()).Wait().status(), S::kWeir);
  ExpectUnimplemented(client.absl(golden::names::absl()).Wait().status(), S::kAbsl);
  ExpectUnimplemented(client.std(golden::names::Same()).Wait().status(), S::kStd);
  ExpectUnimplemented(client.golden(golden::names::Same()).Wait().status(), S::kGolden);
  ExpectUnimplemented(client.Nested(golden::names::Outer_Inner()).Wait().status(), S::kNested);
}

TEST(GeneratedCalls, MessagesMayComeFromOtherFiles) {
  golden::imports::ImportsService service;
  Loopback loopback(service);
  golden::imports::ImportsClient client(loopback.channel());
  using S = golden::imports::ImportsService;
  ExpectUnimplemented(client.WellKnown(google::protobuf::Empty()).Wait().status(), S::kWellKnown);
  ExpectUnimplemented(client.OtherPackage(golden::other::Outer_Inner()).Finish().Wait(), S::kOtherPackage);
  ExpectUnimplemented(client.PublicImport().Finish().Wait().status(), S::kPublicImport);
}

TEST(GeneratedCalls, WithoutPackageThePathHasNone) {
  GoldenNoPackageService service;
  Loopback loopback(service);
  GoldenNoPackageClient client(loopback.channel());
  ExpectUnimplemented(client.Call(GoldenNoPackageRequest()).Wait().status(), GoldenNoPackageService::kCall);
}

TEST(GeneratedCalls, DeprecatedMethodsStillWork) {
  golden::deprecated::PartlyService service;
  Loopback loopback(service);
  golden::deprecated::PartlyClient client(loopback.channel());
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  const absl::StatusOr<golden::deprecated::Empty> reply = client.Old(golden::deprecated::Empty()).Wait();
#pragma GCC diagnostic pop
  ExpectUnimplemented(reply.status(), golden::deprecated::PartlyService::kOld);
}

}  // namespace
