// Interceptors around a call that is made more than once: they run once, and see one call.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/rpc/wire/user_agent.h"
#include "weir/tests/rpc/client/retry/retry_rig.h"
#include "weir/tests/support/test_interceptor.h"

namespace weir {
namespace {

using namespace testing;  // NOLINT: the rig is made for these tests
using std::chrono::seconds;

Task<absl::Status> LogCall(ClientWorld& world, InterceptedCall& call, const Next& next) {
  world.Log("before");
  call.request_metadata().Add("from", "interceptor");
  call.OnRequestMessage([&world](InterceptedMessage& message) {
    world.Log("request " + message.As<bench::Payload>()->body());
    return absl::OkStatus();
  });
  call.OnInitialMetadata([&world](Metadata& metadata) {
    world.Log(absl::StrCat("head ", std::string(metadata.Get("color").value_or("none"))));
  });
  call.OnResponseMessage([&world](InterceptedMessage& message) {
    world.Log("response " + message.As<bench::Payload>()->body());
    return absl::OkStatus();
  });
  absl::Status status = co_await next(call);
  world.Log(absl::StrCat("after ", EndLine(status), ", trailing ",
                         std::string(call.trailing_metadata().Get("shape").value_or("none"))));
  co_return status;
}

// `options` with the interceptor, in which the script's world has to be entered.
class Intercepted {
 public:
  explicit Intercepted(ChannelOptions options) {
    options.interceptors = {interceptor_};
    script_.emplace(options);
    script_->Do(interceptor_->Enter());
  }
  ClientScript* operator->() { return &*script_; }

 private:
  std::shared_ptr<TestInterceptor<ClientWorld>> interceptor_ = std::make_shared<TestInterceptor<ClientWorld>>(LogCall);
  std::optional<ClientScript> script_;
};

// Its own metadata is last.
std::string Head(int stream_id, int number) {
  std::string line = AttemptLine(stream_id, "Unary", number);
  line.resize(line.size() - 3);  // "..."
  return absl::StrCat(line, wire::UserAgent(""), " from=interceptor");
}

TEST(InterceptorsOfARetriedCallTest, SeeOneCallWhateverItsAttempts) {
  Intercepted script(Retrying());
  script->Handshake()
      .Spawn(CallUnary)
      .ExpectLog({"before", "request hello"})
      .ExpectWritten({Head(1, 1), Data(1, Message("hello"), "END_STREAM")})
      .Peer(Unavailable(1, "shape=square"))
      .ExpectLog({})
      .Advance(seconds(1))
      .ExpectLog({})
      .ExpectWritten({Head(3, 2), Data(3, Message("hello"), "END_STREAM")})
      .Peer("RST_STREAM 3 REFUSED_STREAM")
      .ExpectLog({})
      .ExpectWritten({Head(5, 2), Data(5, Message("hello"), "END_STREAM")})
      .Peer(ResponseHead(5, "color=red") + "\n" + Data(5, Message("hi")) + "\n" +
            Trailers(5, "grpc-status=0 shape=round"))
      .ExpectLog({"head red", "response hi", "after OK, trailing round", "reply hi"})
      .ExpectNothingLeft()
      .Run();
}

TEST(InterceptorsOfARetriedCallTest, SeeTheLastFailureIfNoAttemptSucceeds) {
  Intercepted script(Retrying());
  script->Handshake().Spawn(CallUnary).ExpectLog({"before", "request hello"});
  for (const int stream_id : {1, 3, 5}) script->Peer(Unavailable(stream_id)).Advance(seconds(1)).ExpectLog({});
  script->Peer(Unavailable(7, "shape=round"))
      .ExpectLog({"after UNAVAILABLE: busy (attempt 4), trailing round", "UNAVAILABLE: busy (attempt 4)"})
      .Drop()
      .ExpectNothingLeft()
      .Run();
}

TEST(InterceptorsOfARetriedCallTest, SeeOneHeadOfAHedgedCall) {
  Intercepted script(Hedging());
  script->Handshake()
      .Spawn(CallUnary)
      .Advance(seconds(1))
      .Drop()
      .Peer(ResponseHead(3, "color=red"))
      .ExpectLog({"head red"})
      .ExpectWritten({"RST_STREAM 1 CANCEL"})
      .Peer(Data(3, Message("hi")) + "\n" + Trailers(3))
      .ExpectLog({"response hi", "after OK, trailing none", "reply hi"})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
