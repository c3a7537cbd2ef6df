// Requests that no handler sees: what is refused, how, and that nothing is left of them.
#include <gtest/gtest.h>

#include <string>

#include "weir/tests/support/server_script.h"

namespace weir {
namespace {

using bench::Payload;
using testing::Data;
using testing::Message;
using testing::Request;
using testing::ResponseHead;
using testing::ServerScript;
using testing::ServerWorld;
using testing::Trailers;

Task<absl::StatusOr<Payload>> Echo(ServerWorld& world, ServerContext& context, const Payload& request) {
  world.Log("unary " + request.body());
  co_return request;
}

constexpr char kHead[] = ":scheme=http :authority=test te=trailers";

// The whole request in its head: nothing but the answer goes back.
void RefusedWhole(const std::string& head, const std::string& answer) {
  SCOPED_TRACE(head);
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer("HEADERS 1 END_STREAM " + head)
      .ExpectLog({})
      .ExpectWritten({"HEADERS 1 END_STREAM " + answer})
      .ExpectNothingLeft()
      .Run();
}

// The request goes on: RST_STREAM(NO_ERROR) says that the rest is not wanted.
void RefusedOpen(const std::string& head, const std::string& answer) {
  SCOPED_TRACE(head);
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer("HEADERS 1 " + head)
      .ExpectWritten({"HEADERS 1 END_STREAM " + answer, "RST_STREAM 1 NO_ERROR"})
      .ExpectNothingLeft()
      .Peer(Data(1, Message("late"), "END_STREAM"))
      .ExpectLog({})
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

void Refused(const std::string& head, const std::string& answer) {
  RefusedWhole(head, answer);
  RefusedOpen(head, answer);
}

TEST(W08BadEncoding, EncodingThatIsUnknownIsUnimplementedAndSaysWhatIsAccepted) {
  Refused(std::string(":method=POST :path=/bench.Echo/Unary ") + kHead +
              " content-type=application/grpc grpc-encoding=snappy",
          ":status=200 content-type=application/grpc grpc-accept-encoding=identity,gzip,deflate grpc-status=12 ...");
}

TEST(ServerRefuseTest, ExtendedConnectIsRefusedAndTheConnectionGoesOn) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer("HEADERS 1 :method=CONNECT :protocol=websocket :scheme=http :path=/chat :authority=test")
      .ExpectWritten({"RST_STREAM 1 PROTOCOL_ERROR"})
      .ExpectNothingLeft()
      .Peer(Request(3, "Unary") + "\n" + Data(3, Message("x"), "END_STREAM"))
      .ExpectLog({"unary x"})
      .ExpectWritten({ResponseHead(3), Data(3, Message("x")), Trailers(3)})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerRefuseTest, MethodThatIsNotImplementedSaysSo) {
  ServerScript script;  // no handler: the generated base class answers
  script.Handshake()
      .Peer(Request(1, "Unary") + "\n" + Data(1, Message("x"), "END_STREAM"))
      .ExpectWritten(
          {"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-accept-encoding=identity,gzip,deflate "
           "grpc-status=12 ..."})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerRefuseTest, BytesThatAreNoHttp2EndTheConnection) {
  ServerScript script;
  script.Handshake()
      .Peer("FRAME type=0x04 flags=0x00 stream=1 hex:")  // SETTINGS belong to stream 0
      .ExpectWritten({"GOAWAY last=0 PROTOCOL_ERROR..."})
      .PeerCloses()
      .ExpectLog({"connection gone"})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
