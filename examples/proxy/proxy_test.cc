// Typed clients and a typed server with the proxy between them: everything looks as without.
#include "weir/examples/proxy/proxy.h"

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "weir/testing/testing.h"
#include "weir/tests/rpc/end_to_end/harness.h"

namespace proxy {
namespace {

using bench::EchoClient;
using bench::Payload;
using bench::StreamRequest;
using testing::HasSubstr;
using weir::CallOptions;
using weir::Channel;
using weir::testing::Body;
using weir::testing::Counter;
using weir::testing::IsOk;
using weir::testing::StatusIs;
using weir::testing::TestServer;

constexpr size_t kMessageBytes = 10'000;

class Service final : public bench::EchoService {
 public:
  weir::Task<absl::StatusOr<Payload>> Unary(weir::ServerContext& context, const Payload& request) override {
    for (const auto& [key, value] : context.metadata()) {
      if (key == "user-agent") continue;
      context.AddInitialMetadata(key, value);
      context.AddTrailingMetadata("trailing-" + key, value);
    }
    has_deadline = context.deadline() != absl::InfiniteFuture();
    if (request.body() == "fail") co_return absl::NotFoundError("not here: caf\xc3\xa9");
    co_return request;
  }
  weir::Task<absl::Status> ServerStream(weir::ServerContext& context, const StreamRequest& request,
                                        weir::Writer<Payload>& writer) override {
    const Payload payload = Body(std::string(kMessageBytes, 'x'));
    for (uint32_t i = 0; i < request.count(); ++i) {
      if (!co_await writer.Write(payload)) break;
      ++written;
    }
    if (context.IsCancelled()) cancelled.Add();
    co_return absl::OkStatus();
  }
  // Replies after the first message, though the client may have more.
  weir::Task<absl::StatusOr<bench::Summary>> ClientStream(weir::ServerContext&,
                                                          weir::Reader<Payload>& reader) override {
    bench::Summary summary;
    while (std::optional<Payload> payload = co_await reader.Read()) {
      summary.set_count(summary.count() + 1);
      if (payload->body() == "enough") break;
    }
    co_return summary;
  }
  weir::Task<absl::Status> BidiEcho(weir::ServerContext& context, weir::Reader<Payload>& reader,
                                    weir::Writer<Payload>& writer) override {
    started.Add();
    while (std::optional<Payload> payload = co_await reader.Read()) {
      if (payload->body() == "abort") co_return absl::AbortedError("as asked");
      if (!co_await writer.Write(*payload)) break;
    }
    if (context.IsCancelled()) cancelled.Add();
    co_return absl::OkStatus();
  }

  Counter started;
  Counter cancelled;
  std::atomic<bool> has_deadline = false;
  std::atomic<size_t> written = 0;
};

// Both connections are TCP, and each of the two servers and the two channels has a loop of its own.
class ProxyTest : public testing::Test {
 protected:
  Service service_;
  TestServer server_{service_};
  Channel upstream_{server_.target(), weir::InsecureChannelCredentials()};
  Proxy proxy_{upstream_};
  TestServer front_{proxy_};
  Channel channel_{front_.target(), weir::InsecureChannelCredentials()};
  EchoClient client_{channel_};
};

TEST_F(ProxyTest, UnaryWithMetadataBothWays) {
  auto call = client_.Unary(
      Body("hello"),
      CallOptions().Metadata("key", "1").Metadata("key", "2").Metadata("any-bin", std::string("\0\xff", 2)));
  absl::StatusOr<Payload> reply = call.Wait();
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->body(), "hello");
  const weir::Metadata initial = call.InitialMetadata().Wait();
  EXPECT_THAT(initial.GetAll("key"), testing::ElementsAre("1", "2"));
  EXPECT_EQ(initial.Get("any-bin"), std::string_view("\0\xff", 2));
  EXPECT_THAT(call.trailing_metadata().GetAll("trailing-key"), testing::ElementsAre("1", "2"));
  EXPECT_FALSE(service_.has_deadline);
}

TEST_F(ProxyTest, AnErrorWithItsMetadata) {
  auto call = client_.Unary(Body("fail"), CallOptions().Metadata("key", "1"));
  EXPECT_THAT(call.Wait(), StatusIs(absl::StatusCode::kNotFound, "not here: caf\xc3\xa9"));
  EXPECT_EQ(call.trailing_metadata().Get("trailing-key"), "1");
}

TEST_F(ProxyTest, DeadlinesAreTheServersToo) {
  EXPECT_THAT(client_.Unary(Body("x"), CallOptions().Timeout(absl::Seconds(60))).Wait(), IsOk());
  EXPECT_TRUE(service_.has_deadline);
  auto call = client_.BidiEcho(CallOptions().Timeout(absl::Milliseconds(100)));
  EXPECT_FALSE(call.Read().Wait().has_value());
  EXPECT_THAT(call.Finish().Wait(), StatusIs(absl::StatusCode::kDeadlineExceeded));
  service_.cancelled.WaitFor(service_.started.value());
}

TEST_F(ProxyTest, Bidi) {
  auto call = client_.BidiEcho();
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(call.Write(Body(std::to_string(i))).Wait());
    std::optional<Payload> echoed = call.Read().Wait();
    ASSERT_TRUE(echoed.has_value());
    EXPECT_EQ(echoed->body(), std::to_string(i));
  }
  call.WritesDone();
  EXPECT_FALSE(call.Read().Wait().has_value());
  EXPECT_THAT(call.Finish().Wait(), IsOk());
}

TEST_F(ProxyTest, AServerThatEndsEarlyEndsTheCall) {
  auto bidi = client_.BidiEcho();
  EXPECT_TRUE(bidi.Write(Body("abort")).Wait());
  EXPECT_FALSE(bidi.Read().Wait().has_value());  // and nothing more is written
  EXPECT_THAT(bidi.Finish().Wait(), StatusIs(absl::StatusCode::kAborted, "as asked"));

  auto up = client_.ClientStream();
  EXPECT_TRUE(up.Write(Body("one")).Wait());
  EXPECT_TRUE(up.Write(Body("enough")).Wait());
  while (up.Write(Body(std::string(100'000, 'x'))).Wait()) {
  }
  absl::StatusOr<bench::Summary> summary = up.Finish().Wait();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->count(), 2u);
}

TEST_F(ProxyTest, ClientStream) {
  auto call = client_.ClientStream();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(call.Write(Body(std::string(kMessageBytes, 'x'))).Wait());
  absl::StatusOr<bench::Summary> summary = call.Finish().Wait();
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->count(), 100u);
}

TEST_F(ProxyTest, ServerStream) {
  StreamRequest request;
  request.set_count(500);
  auto call = client_.ServerStream(request);
  size_t messages = 0;
  while (call.Read().Wait().has_value()) ++messages;
  EXPECT_EQ(messages, 500u);
  EXPECT_THAT(call.Finish().Wait(), IsOk());
}

TEST_F(ProxyTest, ACancelledCallIsCancelledAtTheServer) {
  auto cancelled = client_.BidiEcho();
  ASSERT_TRUE(cancelled.Write(Body("x")).Wait());
  ASSERT_TRUE(cancelled.Read().Wait().has_value());
  cancelled.Cancel();
  service_.cancelled.WaitFor(1);
  {
    auto dropped = client_.BidiEcho();
    service_.started.WaitFor(2);
  }
  service_.cancelled.WaitFor(2);
}

// What is on the way is what the four windows and the two connections take, however much there is to come.
TEST_F(ProxyTest, AClientThatDoesNotReadStopsTheServer) {
  StreamRequest request;
  request.set_count(1'000'000);
  auto call = client_.ServerStream(request);
  ASSERT_TRUE(call.Read().Wait().has_value());
  for (int i = 0; i < 200; ++i) ASSERT_THAT(client_.Unary(Body("x")).Wait(), IsOk());  // others are served meanwhile
  EXPECT_LT(service_.written * kMessageBytes, size_t{4} << 20);
  call.Cancel();
  service_.cancelled.WaitFor(1);
}

TEST_F(ProxyTest, ManyThreadsThatCancelAtAnyTime) {
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (unsigned i = 0; i < 50; ++i) {
        auto call = client_.BidiEcho();
        for (unsigned n = (i + t) % 4; n > 0 && call.Write(Body(std::string(5000, 'x'))).Wait(); --n) {
        }
        if (i % 3 == 0) continue;  // dropped
        if (i % 3 == 1) call.Cancel();
        if (i % 3 == 2) call.Write(Body("abort")).Wait();
        call.Finish().Wait().IgnoreError();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(client_.Unary(Body("still there")).Wait(), IsOk());
}

TEST(ProxyWithoutServerTest, CallsAreUnavailableAndSayWhereTheServerShouldBe) {
  Service service;
  std::string target;
  {
    TestServer gone(service);
    target = gone.target();
  }
  Channel upstream(target, weir::InsecureChannelCredentials());
  Proxy proxy(upstream);
  TestServer front(proxy);
  EXPECT_THAT(EchoClient(front.channel()).Unary(Body("x")).Wait(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr(target)));
}

}  // namespace
}  // namespace proxy
