// Messages on arenas: the request and the reply of a handler on its call's, the reply of a client's call where the
// caller wants it.
#include "google/protobuf/arena.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "weir/rpc/core/interceptor.h"
#include "weir/tests/rpc/end_to_end/harness.h"

namespace weir {
namespace {

using bench::EchoClient;
using bench::Payload;
using bench::StreamRequest;
using bench::Summary;
using google::protobuf::Arena;
using testing::Body;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

// Says in its replies where the request was. What else it does, the request says.
class ArenaService final : public bench::EchoService {
 public:
  Task<absl::StatusOr<Payload>> Unary(ServerContext& context, const Payload& request) override {
    Payload* const reply = Arena::CreateMessage<Payload>(&context.arena());
    if (request.body() == "large") {
      reply->set_body(std::string(1 << 20, 'x'));
    } else if (request.GetArena() == nullptr) {
      reply->set_body("heap: " + request.body());
    } else {
      reply->set_body((request.GetArena() == &context.arena() ? "arena: " : "elsewhere: ") + request.body());
    }
    absl::StatusOr<Payload> replied = context.Reply(*reply);
    if (request.body() == "twice") co_return context.Reply(*reply);
    if (request.body() == "fails after") co_return absl::AbortedError("after all");
    if (request.body() == "another") co_return Body("is not sent");
    co_return replied;
  }
  Task<absl::Status> ServerStream(ServerContext& context, const StreamRequest& request,
                                  Writer<Payload>& writer) override {
    Payload* const message = Arena::CreateMessage<Payload>(&context.arena());
    message->set_body(request.GetArena() == &context.arena() ? "arena" : "heap");
    co_await writer.Write(*message);
    co_return absl::OkStatus();
  }
  Task<absl::StatusOr<Summary>> ClientStream(ServerContext& context, Reader<Payload>& reader) override {
    Summary* const summary = Arena::CreateMessage<Summary>(&context.arena());
    while (std::optional<Payload> payload = co_await reader.Read()) summary->set_count(summary->count() + 1);
    co_return context.Reply(*summary);
  }
};

class ArenaTest : public ::testing::Test {
 protected:
  explicit ArenaTest(ServerOptions options = OptionsWithArena()) : server_(std::move(options)) {
    server_.AddService(service_);
  }
  static ServerOptions OptionsWithArena() {
    ServerOptions options;
    options.loop_threads = 1;
    options.message_arena = true;
    return options;
  }
  absl::StatusOr<Payload> Unary(const std::string& body) { return EchoClient(channel_).Unary(Body(body)).Wait(); }

  ArenaService service_;
  Server server_;
  Channel channel_ = Channel(InProcess(server_));
};

class HeapTest : public ArenaTest {
 protected:
  HeapTest() : ArenaTest(ServerOptions()) {}
};
class WorkerArenaTest : public ArenaTest {
 protected:
  WorkerArenaTest() : ArenaTest(WithWorkers()) {}
  static ServerOptions WithWorkers() {
    ServerOptions options = OptionsWithArena();
    options.worker_threads = 2;
    return options;
  }
};
class InterceptedArenaTest : public ArenaTest {
 protected:
  InterceptedArenaTest() : ArenaTest(WithInterceptor()) {}
  static ServerOptions WithInterceptor() {
    ServerOptions options = OptionsWithArena();
    options.interceptors.push_back(std::make_shared<Stamping>());
    return options;
  }

  // Changes replies.
  class Stamping final : public Interceptor {
    Task<absl::Status> Intercept(const MethodSpec&, InterceptedCall& call, const Next& next) override {
      call.OnResponseMessage([](InterceptedMessage& message) {
        message.Mutable<Payload>()->mutable_body()->append(", stamped");
        return absl::OkStatus();
      });
      co_return co_await next(call);
    }
  };
};

TEST_F(ArenaTest, RequestsAreOnTheArenaOfTheirCall) {
  EXPECT_EQ(Unary("a")->body(), "arena: a");
  EXPECT_EQ(Unary("b")->body(), "arena: b");
  auto stream = EchoClient(channel_).ServerStream(StreamRequest());
  EXPECT_EQ(stream.Read().Wait()->body(), "arena");
  EXPECT_THAT(stream.Finish().Wait(), IsOk());
}

TEST_F(HeapTest, RequestsAreNotOnAnArenaUnlessTheServerSaysSo) {
  EXPECT_EQ(Unary("a")->body(), "heap: a");
  auto stream = EchoClient(channel_).ServerStream(StreamRequest());
  EXPECT_EQ(stream.Read().Wait()->body(), "heap");
}

TEST_F(ArenaTest, RepliesOfAnySizeAreSentFromTheArena) {
  absl::StatusOr<Payload> reply = Unary("large");
  ASSERT_THAT(reply.status(), IsOk());
  EXPECT_EQ(reply->body().size(), size_t{1} << 20);
  auto call = EchoClient(channel_).ClientStream();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(call.Write(Body("x")).Wait());
  EXPECT_EQ(call.Finish().Wait()->count(), 3u);
}

TEST_F(WorkerArenaTest, HandlersOnWorkersReplyFromTheArena) {
  EXPECT_EQ(Unary("a")->body(), "arena: a");
  EXPECT_EQ(Unary("large")->body().size(), size_t{1} << 20);
}

TEST_F(InterceptedArenaTest, InterceptorsSeeAndChangeReplies) { EXPECT_EQ(Unary("a")->body(), "arena: a, stamped"); }

TEST_F(ArenaTest, WhatAHandlerReturnsAfterItsReplyIsNotSent) { EXPECT_EQ(Unary("another")->body(), "arena: another"); }

TEST_F(ArenaTest, AnErrorAfterTheReplyIsTheStatus) {
  EXPECT_THAT(Unary("fails after"), StatusIs(absl::StatusCode::kAborted, HasSubstr("after all")));
}

TEST_F(ArenaTest, ASecondReplyIsAnError) {
  EXPECT_THAT(Unary("twice"), StatusIs(absl::StatusCode::kInternal, HasSubstr("got a second one")));
}

TEST_F(ArenaTest, AReplyIsParsedWhereTheCallerWantsIt) {
  Arena arena;
  Payload* const reply = Arena::CreateMessage<Payload>(&arena);
  EXPECT_THAT(EchoClient(channel_).Unary(Body("a")).Into(*reply).Wait(), IsOk());
  EXPECT_EQ(reply->body(), "arena: a");
  EXPECT_THAT(EchoClient(channel_).Unary(Body("large")).Into(*reply).Wait(), IsOk());
  EXPECT_EQ(reply->body().size(), size_t{1} << 20);

  Summary* const summary = Arena::CreateMessage<Summary>(&arena);
  auto call = EchoClient(channel_).ClientStream();
  EXPECT_TRUE(call.Write(Body("x")).Wait());
  EXPECT_THAT(call.FinishInto(*summary).Wait(), IsOk());
  EXPECT_EQ(summary->count(), 1u);
}

TEST_F(ArenaTest, ACallThatFailsSaysSoAndLeavesNoReply) {
  Payload reply;
  EXPECT_THAT(EchoClient(channel_).Unary(Body("fails after")).Into(reply).Wait(),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("after all")));
}

Task<std::string> ReplyInACoroutine(EchoClient client, Payload* reply) {
  const absl::Status status = co_await client.Unary(Body("a")).Into(*reply);
  co_return status.ok() ? reply->body() : status.ToString();
}

TEST_F(ArenaTest, ACoroutineAwaitsIt) {
  Payload reply;
  EXPECT_EQ(ReplyInACoroutine(EchoClient(channel_), &reply).Wait(), "arena: a");
}

}  // namespace
}  // namespace weir
