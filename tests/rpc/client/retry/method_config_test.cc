// What a service config says of a method, and what the application says: the stricter one counts.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/tests/rpc/client/retry/retry_rig.h"

namespace weir {
namespace {

using namespace testing;  // NOLINT: the rig is made for these tests
using std::chrono::seconds;

TEST(MethodConfigTest, TimeoutCountsIfTheCallsOwnIsNotShorter) {
  ClientScript script(WithMethodConfig(R"("timeout":"4s")"));
  script.Handshake()
      .Spawn(CallUnary)
      .Spawn(CallFor10s)
      .Spawn([](ClientWorld& world) -> Task<void> {
        const CallOptions options = CallOptions().Timeout(absl::Seconds(1));
        TestCall call = world.Call("Unary", "hello", options);
        absl::StatusOr<bench::Payload> reply = co_await call.Reply();
        world.Log(EndLine(reply.status()));
      })
      .Advance(seconds(1))
      .ExpectLog({"DEADLINE_EXCEEDED: deadline of 1s exceeded while waiting for the response"})
      .Advance(seconds(3))
      .ExpectLog({"DEADLINE_EXCEEDED: deadline of 4s exceeded while waiting for the response",
                  "DEADLINE_EXCEEDED: deadline of 4s exceeded while waiting for the response"})
      .ExpectNothingLeft()
      .Run();
}

TEST(MethodConfigTest, LargerRequestThanAllowedEndsTheCall) {
  // A Payload of "hello" has seven bytes.
  ClientScript fits(WithMethodConfig(R"("maxRequestMessageBytes":7)"));
  fits.Handshake().Spawn(CallUnary).Peer(Reply(1, "hi")).ExpectLog({"reply hi"}).Run();
  ClientScript too_large(WithMethodConfig(R"("maxRequestMessageBytes":6)"));
  too_large.Handshake()
      .Spawn(CallUnary)
      .ExpectLog({"RESOURCE_EXHAUSTED: a message of 7 bytes is over the limit of 6 bytes (service config: "
                  "maxRequestMessageBytes) (unprocessed)"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

TEST(MethodConfigTest, LargerResponseThanAllowedEndsTheCall) {
  ClientScript fits(WithMethodConfig(R"("maxResponseMessageBytes":7)"));
  fits.Handshake().Spawn(CallUnary).Peer(Reply(1, "12345")).ExpectLog({"reply 12345"}).Run();
  for (const std::string more : {"", R"(,"hedgingPolicy":{"maxAttempts":2,"hedgingDelay":"1s"})"}) {
    ClientScript too_large(WithMethodConfig(R"("maxResponseMessageBytes":6)" + more));
    too_large.Handshake()
        .Spawn(CallUnary)
        .Peer(ResponseHead(1) + "\n" + Data(1, Message("12345")))
        .ExpectLog({"RESOURCE_EXHAUSTED: ..."})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(MethodConfigTest, WaitForReadyCountsUnlessTheCallSaysOtherwise) {
  ClientScript script(WithMethodConfig(R"("waitForReady":true)"));
  script.Spawn(CallFor10s)
      .ExpectLog({})
      .Spawn([](ClientWorld& world) -> Task<void> {
        const CallOptions options = CallOptions().WaitForReady(false);
        TestCall call = world.Call("Unary", "hello", options);
        absl::StatusOr<bench::Payload> reply = co_await call.Reply();
        world.Log(EndLine(reply.status()));
      })
      .ExpectLog({"UNAVAILABLE: cannot connect: ..."})
      .Advance(seconds(10))
      .ExpectLog({"DEADLINE_EXCEEDED: deadline of 10s exceeded while connecting; cannot connect: ..."})
      .Run();
}

TEST(MethodConfigTest, ConfigThatIsWrongFailsEveryCallAndSaysWhy) {
  ChannelOptions options;
  options.service_config = ParseServiceConfig(R"({"methodConfig":[{"timeout":1}]})");
  ClientScript script(options);
  script.Handshake()
      .Spawn(CallUnary)
      .ExpectLog({"UNAVAILABLE: service config: methodConfig[0].timeout: expected seconds such as \"1.5s\", got 1 "
                  "(unprocessed)"})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
