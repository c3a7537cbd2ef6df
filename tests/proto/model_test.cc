#include "weir/proto/plugin/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/proto/parse.h"

namespace weir::plugin {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

File Read(const std::string& text, const std::string& name = "dir/test.proto") {
  ProtoFiles files{{name, text}};
  return ReadFile(files.Parse(name), Options());
}

std::vector<std::string> NamesOfMethods(const Service& service) {
  std::vector<std::string> names;
  for (const Method& method : service.methods) names.push_back(method.name);
  return names;
}

std::vector<std::string> NamesOfConstants(const Service& service) {
  std::vector<std::string> names;
  for (const Method& method : service.methods) names.push_back(method.constant);
  return names;
}

// The model of a service `S` whose methods have these names.
Service ServiceWith(const std::vector<std::string>& methods) {
  std::string text = "syntax = 'proto3'; package p; message M {} service S {";
  for (const std::string& method : methods) text += "rpc " + method + "(M) returns (M);";
  return Read(text + "}").services.at(0);
}

TEST(Model, HasAllThatTheFileSays) {
  const File file = Read(R"(syntax = "proto3";
    package a.b;
    // Greets.
    service Greeter {
      // Once.
      rpc SayHello(Request) returns (Reply.Inner);
      rpc Chat(stream Request) returns (stream Request) { option deprecated = true; }
    }
    message Request {}
    message Reply { message Inner {} }
  )");
  const Method say_hello = {
      .name = "SayHello",
      .constant = "kSayHello",
      .path = "/a.b.Greeter/SayHello",
      .kind = CallKind::kUnary,
      .request = "::a::b::Request",
      .reply = "::a::b::Reply_Inner",
      .comment = {" Once."},
  };
  const Method chat = {
      .name = "Chat",
      .constant = "kChat",
      .path = "/a.b.Greeter/Chat",
      .kind = CallKind::kBidiStreaming,
      .request = "::a::b::Request",
      .reply = "::a::b::Request",
      .deprecated = true,
  };
  const Service greeter = {
      .full_name = "a.b.Greeter",
      .service_class = "GreeterService",
      .client_class = "GreeterClient",
      .mock_service_class = "MockGreeterService",
      .mock_client_class = "MockGreeterClient",
      .comment = {" Greets."},
      .methods = {say_hello, chat},
  };
  const File expected = {
      .proto = "dir/test.proto",
      .messages_header = "dir/test.pb.h",
      .header = "dir/test.weir.pb.h",
      .source = "dir/test.weir.pb.cc",
      .mock_header = "dir/test.weir.mock.h",
      .cpp_namespace = "a::b",
      .names_deprecated = true,
      .services = {greeter},
  };
  EXPECT_TRUE(file == expected);
}

TEST(Model, MocksLeaveTheNamesOfOthersAlone) {
  const File file = Read(R"(syntax = "proto3";
    message M {}
    service Foo { rpc MockFooClient(M) returns (M); }
    service MockFoo { rpc Call(M) returns (M); }
  )");
  const Service& foo = file.services.at(0);
  const Service& mock_foo = file.services.at(1);
  EXPECT_EQ(mock_foo.service_class, "MockFooService");
  EXPECT_EQ(foo.mock_service_class, "MockFooService_");
  EXPECT_EQ(foo.mock_client_class, "MockFooClient_");
  EXPECT_EQ(mock_foo.mock_service_class, "MockMockFooService");
  EXPECT_THAT(NamesOfMethods(foo), ElementsAre("MockFooClient"));
}

TEST(Model, KindIsWhoStreams) {
  const File file = Read(R"(syntax = "proto3";
    message M {}
    service S {
      rpc Unary(M) returns (M);
      rpc Up(stream M) returns (M);
      rpc Down(M) returns (stream M);
      rpc Both(stream M) returns (stream M);
    }
  )");
  const std::vector<Method>& methods = file.services.at(0).methods;
  ASSERT_EQ(methods.size(), 4u);
  EXPECT_EQ(methods[0].kind, CallKind::kUnary);
  EXPECT_EQ(methods[1].kind, CallKind::kClientStreaming);
  EXPECT_EQ(methods[2].kind, CallKind::kServerStreaming);
  EXPECT_EQ(methods[3].kind, CallKind::kBidiStreaming);
}

TEST(Model, WithoutPackageTheNamespaceIsTheGlobalOne) {
  const File file = Read("syntax = 'proto3'; message M {} service S { rpc Call(M) returns (M); }");
  EXPECT_EQ(file.cpp_namespace, "");
  EXPECT_EQ(file.services.at(0).full_name, "S");
  EXPECT_EQ(file.services.at(0).methods.at(0).path, "/S/Call");
  EXPECT_EQ(file.services.at(0).methods.at(0).request, "::M");
}

TEST(Model, FileWithoutServicesHasOnlyItsNames) {
  const File file = Read("syntax = 'proto3'; message M {}", "only.messages.proto");
  EXPECT_THAT(file.services, IsEmpty());
  EXPECT_EQ(file.header, "only.messages.weir.pb.h");
}

TEST(Model, MessageHeaderHasTheExtensionOfTheOptions) {
  ProtoFiles files{{"x.proto", "syntax = 'proto3';"}};
  const File file = ReadFile(files.Parse("x.proto"), Options{.message_header_extension = ".proto.h"});
  EXPECT_EQ(file.messages_header, "x.proto.h");
  EXPECT_EQ(file.header, "x.weir.pb.h");
}

TEST(Model, DeprecatedMessagesCountEvenIfTheMethodIsNot) {
  const File file = Read(R"(syntax = "proto3";
    message Old { option deprecated = true; }
    service S { rpc Call(Old) returns (Old); }
  )");
  EXPECT_TRUE(file.names_deprecated);
  EXPECT_FALSE(file.services.at(0).deprecated);
  EXPECT_FALSE(file.services.at(0).methods.at(0).deprecated);
}

TEST(Model, NothingIsDeprecatedWhereOnlyAnUnusedMessageIs) {
  const File file = Read(R"(syntax = "proto3";
    message Old { option deprecated = true; }
    message New {}
    service S { rpc Call(New) returns (New); }
  )");
  EXPECT_FALSE(file.names_deprecated);
}

TEST(Model, OrdinaryMethodsKeepTheirNames) {
  EXPECT_THAT(NamesOfMethods(ServiceWith({"SayHello", "say_hello", "Wait", "Cancel", "S", "Service", "Methods"})),
              ElementsAre("SayHello", "say_hello", "Wait", "Cancel", "S", "Service", "Methods"));
}

TEST(Model, MethodsWithNamesOfOurMembersGetUnderscores) {
  EXPECT_THAT(NamesOfMethods(ServiceWith({"methods", "channel_", "kServiceName", "SService", "SClient"})),
              ElementsAre("methods_", "channel__", "kServiceName_", "SService_", "SClient_"));
}

TEST(Model, KeywordsGetUnderscores) {
  EXPECT_THAT(NamesOfMethods(ServiceWith({"delete", "co_await", "NULL", "errno", "override"})),
              ElementsAre("delete_", "co_await_", "NULL_", "errno_", "override"));
}

TEST(Model, MethodThatCanKeepItsNameDoesWhateverTheOrder) {
  EXPECT_THAT(NamesOfMethods(ServiceWith({"delete", "delete_"})), ElementsAre("delete__", "delete_"));
  EXPECT_THAT(NamesOfMethods(ServiceWith({"delete_", "delete"})), ElementsAre("delete_", "delete__"));
}

TEST(Model, ConstantsMakeWayForMethodsAndForEachOther) {
  const Service service = ServiceWith({"Say", "say", "kSay", "ServiceName"});
  EXPECT_THAT(NamesOfMethods(service), ElementsAre("Say", "say", "kSay", "ServiceName"));
  EXPECT_THAT(NamesOfConstants(service), ElementsAre("kSay_", "kSay__", "kKSay", "kServiceName_"));
}

TEST(Model, ClassesMakeWayForMessagesEnumValuesAndServices) {
  const File file = Read(R"(syntax = "proto3";
    message M {}
    message AService {}
    message AService_ {}
    enum E { AClient = 0; }
    service A { rpc Call(M) returns (M); }
    service B { rpc Call(M) returns (M); }
    service BClient { rpc Call(M) returns (M); }
  )");
  ASSERT_EQ(file.services.size(), 3u);
  EXPECT_EQ(file.services[0].service_class, "AService__");
  EXPECT_EQ(file.services[0].client_class, "AClient_");
  EXPECT_EQ(file.services[1].service_class, "BService");
  EXPECT_EQ(file.services[1].client_class, "BClient_");  // grpc++ has a class BClient
  EXPECT_EQ(file.services[2].client_class, "BClientClient");
}

TEST(Model, ClassesMakeWayForImportsOfTheSamePackageOnly) {
  ProtoFiles files{
      {"same.proto", "syntax = 'proto3'; package p; message AService {}"},
      {"other.proto", "syntax = 'proto3'; package q; message AClient {}"},
      {"inner.proto", "syntax = 'proto3'; package p.BClient.x; message M {}"},
      {"longer.proto", "syntax = 'proto3'; package px.BService; message M {}"},
      {"test.proto", R"(syntax = "proto3"; package p;
         import "same.proto"; import "other.proto"; import "inner.proto"; import "longer.proto";
         message N {}
         service A { rpc Call(N) returns (N); }
         service B { rpc Call(N) returns (N); }
       )"},
  };
  const File file = ReadFile(files.Parse("test.proto"), Options());
  EXPECT_EQ(file.services.at(0).service_class, "AService_");
  EXPECT_EQ(file.services.at(0).client_class, "AClient");
  EXPECT_EQ(file.services.at(1).service_class, "BService");
  EXPECT_EQ(file.services.at(1).client_class, "BClient_");  // BClient is a namespace
}

TEST(Model, CommentInFrontGoesBeforeTheOneBehind) {
  const File file = Read(R"(syntax = "proto3";
    message M {}
    service S {
      // In front.
      rpc A(M) returns (M);  // Behind.

      rpc B(M) returns (M);  // Behind.

      // Detached.

      rpc C(M) returns (M);
    }
  )");
  const std::vector<Method>& methods = file.services.at(0).methods;
  EXPECT_THAT(methods.at(0).comment, ElementsAre(" In front."));
  EXPECT_THAT(methods.at(1).comment, ElementsAre(" Behind."));
  EXPECT_THAT(methods.at(2).comment, IsEmpty());
}

}  // namespace
}  // namespace weir::plugin
