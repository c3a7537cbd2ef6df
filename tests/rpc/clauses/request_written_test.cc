// What a client writes: W01 (order of the head), W02 to W06, W10 (user-agent), W16 and W18 (messages and the end).
#include <gtest/gtest.h>

#include <string>

#include "weir/tests/rpc/clauses/client_calls.h"

namespace weir {
namespace {

using testing::Answer;
using testing::CallUnary;
using testing::ClientScript;
using testing::ClientWorld;
using testing::Data;
using testing::Line;
using testing::Message;
using testing::RequestLine;
using testing::TestCall;
using testing::Trailers;

Task<void> CallWithEverything(ClientWorld& world) {
  TestCall call =
      world.Call("Unary", "hello", CallOptions().Timeout(absl::Hours(1000)).Metadata("b", "2").Metadata("a", "1"));
  co_await world.signal("never");
}

// "HTTP2 requires that reserved headers, ones starting with ":" appear before all other headers. Additionally
// implementations should send Timeout immediately after the reserved headers and they should send the Call-Definition
// headers before sending Custom-Metadata."
TEST(W01RequestOrder, PseudoHeaderFieldsTimeoutCallDefinitionMetadata) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallWithEverything)
      .ExpectWritten({"HEADERS 1 :method=POST :scheme=http :path=/bench.Echo/Unary :authority=test grpc-timeout=1000H "
                      "te=trailers content-type=application/grpc grpc-accept-encoding=identity,gzip,deflate "
                      "user-agent=grpc-c++-weir/0.1.0 b=2 a=1",
                      Data(1, Message("hello"), "END_STREAM")})
      .Run();
}

TEST(W05Timeout, NoDeadlineSendsNone) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .ExpectWritten(
          {"HEADERS 1 :method=POST :scheme=http :path=/bench.Echo/Unary :authority=test te=trailers "
           "content-type=application/grpc grpc-accept-encoding=identity,gzip,deflate user-agent=grpc-c++-weir/0.1.0",
           Data(1, Message("hello"), "END_STREAM")})
      .Run();
}

TEST(W10UserAgent, ApplicationsOwnComesFirst) {
  ChannelOptions options;
  options.user_agent_prefix = "shop/2.1 (blue)";
  ClientScript script(options);
  script.Handshake()
      .Spawn(CallUnary)
      .ExpectWritten({"HEADERS 1 :method=POST :scheme=http :path=/bench.Echo/Unary :authority=test te=trailers "
                      "content-type=application/grpc grpc-accept-encoding=identity,gzip,deflate user-agent=\"shop/2.1 "
                      "(blue) grpc-c++-weir/0.1.0\"",
                      Data(1, Message("hello"), "END_STREAM")})
      .Run();
}

// ---- W18 ------------------------------------------------------------------------------------------------------------
//
// "For requests, EOS (end-of-stream) is indicated by the presence of the END_STREAM flag on the last received DATA
// frame. In scenarios where the Request stream needs to be closed but no data remains to be sent implementations MUST
// send an empty DATA frame with this flag set."

Task<void> HalfCloseLate(ClientWorld& world) {
  TestCall call = world.Open("BidiEcho");
  const bool taken = co_await call.Write("a");
  world.Log(taken ? "taken" : "refused");
  co_await world.signal("close");
  call.WritesDone();
  co_await world.signal("never");
}

Task<void> WriteNothing(ClientWorld& world) {
  TestCall call = world.Open("ClientStream");
  absl::Status status = co_await call.Finish();
  world.Log(Line(status));
}

TEST(W18EndOfStream, ComesWithTheLastMessageIfItIsKnownToBeTheLast) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallUnary)
      .ExpectWritten({RequestLine(1, "Unary"), Data(1, Message("hello"), "END_STREAM")})
      .Run();
}

TEST(W18EndOfStream, ComesInAnEmptyFrameWhereNothingIsLeft) {
  ClientScript script;
  script.Handshake()
      .Spawn(HalfCloseLate)
      .ExpectWritten({RequestLine(1, "BidiEcho"), Data(1, Message("a"))})
      .Set("close")
      .ExpectWritten({"DATA 1 END_STREAM"})
      .Run();
}

TEST(W18EndOfStream, StreamOfNoMessagesIsAHeadAndAnEmptyFrame) {
  ClientScript script;
  script.Handshake().Spawn(WriteNothing).ExpectWritten({RequestLine(1, "ClientStream"), "DATA 1 END_STREAM"}).Run();
}

// ---- W16 ------------------------------------------------------------------------------------------------------------

Task<void> CallWithALongMessage(ClientWorld& world) {
  TestCall call = world.Call("Unary", std::string(40000, 'x'));
  co_await world.signal("never");
}

TEST(W16Messages, NoFrameIsPaddedAndNoneIsLongerThanThePeerAllows) {
  const std::string message = Message(std::string(40000, 'x'));
  ClientScript script;
  script.Handshake("MAX_FRAME_SIZE=16777215 INITIAL_WINDOW_SIZE=100000")
      .Spawn(CallWithALongMessage)
      .ExpectWritten(
          {RequestLine(1, "Unary"), Data(1, message.substr(0, 32768)),
           Data(1, message.substr(32768), "END_STREAM")})  // three frames of 16 KiB at most, two of them joined
      .Run();
}

}  // namespace
}  // namespace weir
