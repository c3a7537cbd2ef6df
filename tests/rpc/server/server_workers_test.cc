// Handlers on worker threads: what waits for one, how much of it may, and what becomes of a call that ends meanwhile.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/tests/support/server_script.h"
#include "weir/tests/support/test_interceptor.h"

namespace weir {
namespace {

using bench::Payload;
using std::chrono::seconds;
using testing::Data;
using testing::Lines;
using testing::Message;
using testing::Request;
using testing::ResponseHead;
using testing::ServerScript;
using testing::ServerWorld;
using testing::TestInterceptor;
using testing::Trailers;

Task<absl::Status> Begin(ServerWorld& world, ServerContext& context, Reader<Payload>&, Writer<Payload>&) {
  world.Log(absl::StrCat("handler of ", std::string(context.metadata().Get("name").value_or("?"))));
  co_return absl::OkStatus();
}

Task<absl::Status> GoOn(ServerWorld& world, InterceptedCall& call, const Next& next) {
  absl::Status status = co_await next(call);
  world.Log(absl::StrCat("interceptor: ", testing::Line(status)));
  co_return status;
}

weir::ServerOptions OneWorker(size_t queued_max = 0) {
  weir::ServerOptions options;
  options.worker_threads = 1;
  options.queued_handlers_max = queued_max;
  return options;
}

std::string Call(int stream, const std::string& fields = "") {
  return Request(stream, "BidiEcho", absl::StrCat("name=", stream, " ", fields));
}

TEST(ServerWorkersTest, CallsThatEndBeforeAWorkerComesToThemRunNoHandler) {
  ServerScript script(OneWorker());
  script.Bidi(Begin)
      .Handshake()
      .Peer(Call(1) + "\n" + Call(3) + "\n" + Call(5, "grpc-timeout=1S") + "\n" + Call(7))
      .Peer("RST_STREAM 3 CANCEL")
      .Advance(seconds(2))
      .Work()
      .ExpectLog({"handler of 1", "handler of 7"})
      .Drop()
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerWorkersTest, BehindInterceptorsTheyRunNoneEither) {
  auto interceptor = std::make_shared<TestInterceptor<ServerWorld>>(GoOn);
  weir::ServerOptions options = OneWorker();
  options.interceptors = {interceptor};
  ServerScript script(options);
  script.Bidi(Begin)
      .Do(interceptor->Enter())
      .Handshake()
      .Peer(Call(1) + "\n" + Call(3))
      .Peer("RST_STREAM 1 CANCEL")
      .Work()
      .ExpectLog({"handler of 3", "interceptor: CANCELLED: peer reset stream 1: CANCEL(8)", "interceptor: OK"})
      .Drop()
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerWorkersTest, OneMoreThanMayWaitIsRefusedUnprocessed) {
  for (int calls : {2, 3, 4}) {
    ServerScript script(OneWorker(3));
    script.Bidi(Begin).Handshake();
    Lines begun;
    for (int i = 0; i < calls; ++i) {
      script.Peer(Call(2 * i + 1));
      if (i < 3) begun.push_back(absl::StrCat("handler of ", 2 * i + 1));
    }
    script.ExpectWritten(calls <= 3 ? Lines{} : Lines{"RST_STREAM 7 REFUSED_STREAM"});
    // Those that have begun wait no more.
    script.Work().ExpectLog(begun).Drop().Peer(Call(9)).ExpectWritten({}).Work().ExpectLog({"handler of 9"});
    script.Drop().ExpectNothingLeft().Run();
  }
}

TEST(ServerWorkersTest, ThatInterceptorsHaveSeenEndsWithResourceExhausted) {
  auto interceptor = std::make_shared<TestInterceptor<ServerWorld>>(GoOn);
  weir::ServerOptions options = OneWorker(1);
  options.interceptors = {interceptor};
  ServerScript script(options);
  const std::string text =
      "/bench.Echo/BidiEcho: 1 calls wait for a worker thread of this server already (option queued_handlers_max); try "
      "again later";
  script.Bidi(Begin)
      .Do(interceptor->Enter())
      .Handshake()
      .Peer(Call(1) + "\n" + Call(3))
      .ExpectLog({"interceptor: RESOURCE_EXHAUSTED: " + text})
      .Work()
      .ExpectLog({"handler of 1", "interceptor: OK"})
      .Drop()
      .ExpectNothingLeft()
      .Run();
}

TEST(QueuedHandlersTest, ByDefaultOneClientMayHaveAllItsCallsWait) {
  weir::ServerOptions options;
  options.worker_threads = 2;
  EXPECT_EQ(QueuedHandlersMax(options), 1000u);
  options.worker_threads = 300;
  EXPECT_EQ(QueuedHandlersMax(options), 1200u);
  options.queued_handlers_max = 5;
  EXPECT_EQ(QueuedHandlersMax(options), 5u);
}

}  // namespace
}  // namespace weir
