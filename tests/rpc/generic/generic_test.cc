// GenericClient and GenericService: calls without the types of their messages, alone and with typed partners.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weir/rpc/client/generic_client.h"
#include "weir/rpc/server/generic_service.h"
#include "weir/testing/testing.h"
#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir {
namespace {

using bench::EchoClient;
using bench::Payload;
using bench::Summary;
using testing::Body;
using testing::EchoServer;
using testing::EchoService;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using testing::TestServer;

Bytes Serialized(const google::protobuf::MessageLite& message) { return Bytes(message.SerializeAsString()); }

std::string BodyOf(const Bytes& bytes) {
  Payload payload;
  EXPECT_TRUE(payload.ParseFromString(bytes.data()));
  return payload.body();
}

// ---- a generic client of a typed service ----------------------------------------------------------------------------

class GenericClientTest : public ::testing::Test {
 protected:
  EchoService service_;
  TestServer server_{service_};
  GenericClient client_{server_.channel()};
};

TEST_F(GenericClientTest, Unary) {
  absl::StatusOr<Bytes> reply = client_.Unary("/bench.Echo/Unary", Serialized(Body("hello"))).Wait();
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(BodyOf(*reply), "hello");
  EXPECT_THAT(client_.Unary("/bench.Echo/Unary", Serialized(Body("fail"))).Wait(),
              StatusIs(absl::StatusCode::kNotFound, "no such thing"));
}

TEST_F(GenericClientTest, ServerStream) {
  bench::StreamRequest request;
  request.set_count(3);
  request.set_size(2);
  auto call = client_.ServerStream("/bench.Echo/ServerStream", Serialized(request));
  int messages = 0;
  while (std::optional<Bytes> bytes = call.Read().Wait()) {
    EXPECT_EQ(BodyOf(*bytes), "xx");
    ++messages;
  }
  EXPECT_EQ(messages, 3);
  EXPECT_THAT(call.Finish().Wait(), IsOk());
}

TEST_F(GenericClientTest, ClientStream) {
  auto call = client_.ClientStream("/bench.Echo/ClientStream");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(call.Write(Serialized(Body("x"))).Wait());
  absl::StatusOr<Bytes> reply = call.Finish().Wait();
  ASSERT_THAT(reply, IsOk());
  Summary summary;
  ASSERT_TRUE(summary.ParseFromString(reply->data()));
  EXPECT_EQ(summary.count(), 3u);
}

TEST_F(GenericClientTest, BidiMakesCallsOfEveryKind) {
  auto echo = client_.Bidi("/bench.Echo/BidiEcho");
  EXPECT_TRUE(echo.Write(Serialized(Body("a"))).Wait());
  std::optional<Bytes> echoed = echo.Read().Wait();
  ASSERT_TRUE(echoed.has_value());
  EXPECT_EQ(BodyOf(*echoed), "a");
  EXPECT_THAT(echo.Finish().Wait(), IsOk());

  auto unary = client_.Bidi("/bench.Echo/Unary");
  EXPECT_TRUE(unary.Write(Serialized(Body("b"))).Wait());
  unary.WritesDone();
  std::optional<Bytes> reply = unary.Read().Wait();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(BodyOf(*reply), "b");
  EXPECT_THAT(unary.Finish().Wait(), IsOk());
}

TEST_F(GenericClientTest, ThePathNeedLiveNoLongerThanTheFunction) {
  auto path = std::make_unique<std::string>("/bench.Echo/Unary");
  auto call = client_.Unary(*path, Serialized(Body("hello")));
  path.reset();
  EXPECT_THAT(call.Wait(), IsOk());
}

TEST_F(GenericClientTest, AMethodThatNobodyServesIsUnimplemented) {
  EXPECT_THAT(client_.Unary("/bench.Echo/Nothing", Bytes()).Wait(),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("/bench.Echo/Nothing")));
}

TEST_F(GenericClientTest, APathThatCannotBeSentFailsItsCallAlone) {
  EXPECT_FALSE(client_.Unary("/a/b\r\nx: y", Bytes()).Wait().ok());
  EXPECT_FALSE(client_.Unary("", Bytes()).Wait().ok());
  EXPECT_THAT(client_.Unary("/bench.Echo/Unary", Bytes()).Wait(), IsOk());
}

TEST_F(GenericClientTest, BytesThatAreNoMessageAreTheServersToRefuse) {
  EXPECT_THAT(client_.Unary("/bench.Echo/Unary", Bytes("\xff")).Wait(),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("bench.Payload")));
}

// What interceptors see of messages without a type: text, size, and the bytes, which they may change.
class BytesInterceptor final : public Interceptor {
 public:
  Task<absl::Status> Intercept(const MethodSpec&, InterceptedCall& call, const Next& next) override {
    call.OnRequestMessage([this](InterceptedMessage& message) { return See("request", message); });
    call.OnResponseMessage([this](InterceptedMessage& message) { return See("response", message); });
    return next(call);
  }
  std::vector<std::string> seen;

 private:
  absl::Status See(const std::string& what, InterceptedMessage& message) {
    EXPECT_EQ(message.As<Payload>(), nullptr);
    seen.push_back(what + " of " + message.ToText() + ", framed " + std::to_string(message.FramedBytes()));
    if (Bytes* bytes = message.Mutable<Bytes>()) *bytes = Bytes(bytes->data() + "!");
    return absl::OkStatus();
  }
};

// ---- a generic service ----------------------------------------------------------------------------------------------

// Echoes every message of every method, and says in metadata what was called.
class AnyEcho final : public GenericService {
 public:
  Task<absl::Status> Call(ServerContext& context, Reader<Bytes>& reader, Writer<Bytes>& writer) override {
    context.AddInitialMetadata("method", context.method());
    context.AddTrailingMetadata("trailing", "yes");
    if (context.method() == "/any/Fail") co_return absl::AbortedError("as asked");
    while (std::optional<Bytes> message = co_await reader.Read()) {
      if (!co_await writer.Write(*message)) break;
    }
    co_return absl::OkStatus();
  }
};

TEST(GenericServiceTest, ServesTypedClientsOfEveryKind) {
  AnyEcho service;
  TestServer server(service);
  EchoClient client(server.channel());

  auto unary = client.Unary(Body("hello"));
  absl::StatusOr<Payload> reply = unary.Wait();
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->body(), "hello");
  EXPECT_EQ(unary.InitialMetadata().Wait().Get("method"), "/bench.Echo/Unary");
  EXPECT_EQ(unary.trailing_metadata().Get("trailing"), "yes");

  bench::StreamRequest request;
  request.set_count(7);
  auto down = client.ServerStream(request);
  EXPECT_TRUE(down.Read().Wait().has_value());
  EXPECT_FALSE(down.Read().Wait().has_value());
  EXPECT_THAT(down.Finish().Wait(), IsOk());

  auto up = client.ClientStream();
  EXPECT_TRUE(up.Write(Body("")).Wait());
  EXPECT_THAT(up.Finish().Wait(), IsOk());

  auto bidi = client.BidiEcho();
  for (const char* body : {"a", "b"}) {
    EXPECT_TRUE(bidi.Write(Body(body)).Wait());
    std::optional<Payload> echoed = bidi.Read().Wait();
    ASSERT_TRUE(echoed.has_value());
    EXPECT_EQ(echoed->body(), body);
  }
  EXPECT_THAT(bidi.Finish().Wait(), IsOk());
}

TEST(GenericServiceTest, GetsOnlyWhatNoTypedServiceServes) {
  EchoService typed;
  AnyEcho any;
  TestServer server(typed, any);
  GenericClient client(server.channel());
  EXPECT_THAT(client.Unary("/bench.Echo/Unary", Serialized(Body("fail"))).Wait(),
              StatusIs(absl::StatusCode::kNotFound, "no such thing"));
  EXPECT_THAT(client.Unary("/bench.Echo/Other", Bytes("anything")).Wait(), testing::IsOkAndHolds(Bytes("anything")));
}

TEST(GenericServiceTest, ItsStatusIsTheCalls) {
  AnyEcho any;
  TestServer server(any);
  EXPECT_THAT(GenericClient(server.channel()).Unary("/any/Fail", Bytes()).Wait(),
              StatusIs(absl::StatusCode::kAborted, "as asked"));
}

TEST(GenericServiceTest, EmptyAndLargeMessagesPass) {
  AnyEcho any;
  TestServer server(any);
  GenericClient client(server.channel());
  for (const size_t size : {size_t{0}, size_t{1}, size_t{100'000}, size_t{3 << 20}}) {
    const Bytes message(std::string(size, 'x'));
    EXPECT_THAT(client.Unary("/any/Echo", message).Wait(), testing::IsOkAndHolds(message)) << size;
  }
}

TEST(GenericServiceTest, InterceptorsOfBothSidesSeeAndChangeItsMessages) {
  const auto at_client = std::make_shared<BytesInterceptor>(), at_server = std::make_shared<BytesInterceptor>();
  AnyEcho any;
  ServerOptions server_options = EchoServer::Threads(1);
  server_options.interceptors = {at_server};
  Server server(server_options);
  server.AddService(any);
  ASSERT_THAT(server.Listen("127.0.0.1:0", InsecureServerCredentials()), IsOk());
  ChannelOptions options;
  options.interceptors = {at_client};
  Channel channel(server.addresses()[0], InsecureChannelCredentials(), options);
  const Bytes mine("mine");
  EXPECT_THAT(GenericClient(channel).Unary("/any/Echo", mine).Wait(), testing::IsOkAndHolds(Bytes("mine!!!!")));
  EXPECT_EQ(mine.data(), "mine") << "a copy was changed";
  EXPECT_THAT(at_client->seen, ElementsAre("request of 4 bytes, framed 9", "response of 7 bytes, framed 12"));
  EXPECT_THAT(at_server->seen, ElementsAre("request of 5 bytes, framed 10", "response of 6 bytes, framed 11"));
}

TEST(GenericServiceTest, OfTwoTheServerSaysThatOneIsExpected) {
  AnyEcho one, other;
  Server server;
  server.AddService(one);
  server.AddService(other);
  EXPECT_THAT(server.Listen("127.0.0.1:0", InsecureServerCredentials()),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("expected one GenericService")));
}

}  // namespace
}  // namespace weir
