// What a handler is told of the end of its call: who ended it, in a status.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/why.h"
#include "weir/tests/support/server_script.h"

namespace weir {
namespace {

using bench::Payload;
using testing::Data;
using testing::Envelope;
using testing::Message;
using testing::Request;
using testing::ServerScript;
using testing::ServerWorld;

// Reads to the end, and says why that was.
Task<absl::Status> ReadAll(ServerWorld& world, ServerContext& context, Reader<Payload>& reader, Writer<Payload>&) {
  EXPECT_EQ(context.cancel_reason(), absl::OkStatus());
  while (std::optional<Payload> payload = co_await reader.Read()) world.Log("read " + payload->body());
  world.Log(Explain(context.cancel_reason()));
  co_return absl::OkStatus();
}

ServerScript& Begin(ServerScript& script, std::string_view fields = "") {
  return script.Bidi(ReadAll).Handshake().Peer(Request(1, "BidiEcho", fields)).Drop();
}

TEST(CancelReasonTest, ResetByTheClient) {
  ServerScript script;
  Begin(script)
      .Peer("RST_STREAM 1 CANCEL")
      .ExpectLog({"CANCELLED: peer reset stream 1: CANCEL(8) [/bench.Echo/BidiEcho (peer); decided by the peer, while "
                  "the handler ran]"})
      .ExpectNothingLeft()
      .Run();
}

TEST(CancelReasonTest, LostConnection) {
  ServerScript script;
  Begin(script)
      .Lose()
      .ExpectLog({"CANCELLED: connection to peer is gone: read: Connection reset by peer while 1 stream open "
                  "[/bench.Echo/BidiEcho (peer); decided by the network, while the handler ran]",
                  "connection gone"})
      .Run();
}

TEST(CancelReasonTest, ClientThatBrokeARuleOfHttp2) {
  ServerScript script;
  Begin(script)
      .Peer("WINDOW_UPDATE 0 0")
      .PeerCloses()
      .ExpectLog({"CANCELLED: connection to peer is gone: connection to peer failed: ...", "connection gone"})
      .Run();
}

TEST(CancelReasonTest, Deadline) {
  ServerScript script;
  Begin(script, "grpc-timeout=10S")
      .Advance(std::chrono::seconds(10))
      .ExpectLog({"DEADLINE_EXCEEDED: /bench.Echo/BidiEcho: the client's deadline of 10s passed before the handler "
                  "returned [decided by the deadline, while the handler ran]"})
      .ExpectNothingLeft()
      .Run();
}

TEST(CancelReasonTest, ServerThatStops) {
  ServerScript script;
  Begin(script)
      .Stop()
      .ExpectLog({"UNAVAILABLE: the server is shutting down [/bench.Echo/BidiEcho (peer); decided by this side, while "
                  "the handler ran]"})
      .Run();
}

TEST(CancelReasonTest, MessageThatIsWrong) {
  ServerScript script;
  Begin(script)
      .Peer(Data(1, Envelope(9, 2, "xy")))
      .ExpectLog({"INTERNAL: message prefix: expected compressed-flag 0 or 1, got 9 [/bench.Echo/BidiEcho (peer); "
                  "decided by this side, while the handler ran]"})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::Status> AskInCallback(ServerWorld& world, ServerContext& context, Reader<Payload>& reader,
                                 Writer<Payload>&) {
  context.OnCancel([&world, &context] { world.Log(testing::Line(context.cancel_reason())); });
  co_await world.signal("go on");
  world.Log(testing::Line(context.cancel_reason()));
  co_return context.cancel_reason();
}

TEST(CancelReasonTest, IsThereInTheCallbackAndStays) {
  ServerScript script;
  script.Bidi(AskInCallback)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .Peer("RST_STREAM 1 NO_ERROR")
      .ExpectLog({"CANCELLED: peer reset stream 1: NO_ERROR(0)"})
      .PeerCloses()
      .Set("go on")
      .ExpectLog({"CANCELLED: peer reset stream 1: NO_ERROR(0)", "connection gone"})
      .Run();
}

}  // namespace
}  // namespace weir
