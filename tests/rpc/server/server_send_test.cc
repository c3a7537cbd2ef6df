// What a server does with the response half of a call: head, messages as flow control takes them, status, metadata.
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/status.h"
#include "weir/tests/support/server_script.h"

namespace weir {
namespace {

using bench::Payload;
using bench::StreamRequest;
using testing::Data;
using testing::Envelope;
using testing::Line;
using testing::Message;
using testing::Request;
using testing::ResponseHead;
using testing::ServerScript;
using testing::ServerWorld;
using testing::Trailers;

std::string Ask(uint32_t count, uint32_t size) {
  StreamRequest request;
  request.set_count(count);
  request.set_size(size);
  const std::string bytes = request.SerializeAsString();
  return Envelope(0, bytes.size(), bytes);
}

Payload Body(std::string_view body) {
  Payload payload;
  payload.set_body(std::string(body));
  return payload;
}

// `count` messages of `size` times the letters a, b, ...
Task<absl::Status> Letters(ServerWorld& world, ServerContext& context, const StreamRequest& request,
                           Writer<Payload>& writer) {
  for (uint32_t i = 0; i < request.count(); ++i) {
    const bool taken = co_await writer.Write(Body(std::string(request.size(), static_cast<char>('a' + i))));
    world.Log(absl::StrCat("write ", i, taken ? " taken" : " refused"));
    if (!taken) break;
  }
  co_return absl::OkStatus();
}

Task<absl::StatusOr<Payload>> Echo(ServerWorld& world, ServerContext& context, const Payload& request) {
  co_return request;
}

// ---- flow control ---------------------------------------------------------------------------------------------------

TEST(ServerSendTest, MessagesLeaveInOrderBehindOneHead) {
  ServerScript script;
  script.ServerStream(Letters)
      .Handshake()
      .Peer(Request(1, "ServerStream") + "\n" + Data(1, Ask(3, 2), "END_STREAM"))
      .ExpectLog({"write 0 taken", "write 1 taken", "write 2 taken"})
      .ExpectWritten({ResponseHead(1), Data(1, Message("aa") + Message("bb") + Message("cc")), Trailers(1)})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerSendTest, WriteWaitsForTheStreamsWindowAndCompletesWhenItTookIt) {
  const std::string message = Message(std::string(20, 'a'));
  const std::string second = Message(std::string(20, 'b'));
  ServerScript script;
  script.ServerStream(Letters)
      .Handshake("INITIAL_WINDOW_SIZE=30")
      .Peer(Request(1, "ServerStream") + "\n" + Data(1, Ask(2, 20), "END_STREAM"))
      .ExpectLog({"write 0 taken"})
      .ExpectWritten({ResponseHead(1), Data(1, message + second.substr(0, 30 - message.size()))})
      .Peer("WINDOW_UPDATE 1 " + std::to_string(second.size() - (30 - message.size()) - 1))
      .ExpectLog({})
      .ExpectWritten({Data(1, second.substr(30 - message.size(), second.size() - (30 - message.size()) - 1))})
      .ExpectLeft({"handlers: 1", "streams: 1", "timers: 1"})
      .Peer("WINDOW_UPDATE 1 1")
      .ExpectLog({"write 1 taken"})
      .ExpectWritten({Data(1, second.substr(second.size() - 1)), Trailers(1)})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerSendTest, WriteWaitsForTheConnectionsWindow) {
  const std::string big = Message(std::string(40000, 'a'));
  ServerScript script;
  script.ServerStream(Letters)
      .Handshake("INITIAL_WINDOW_SIZE=1000000")
      .Peer(Request(1, "ServerStream") + "\n" + Data(1, Ask(1, 40000), "END_STREAM"))
      .ExpectLog({"write 0 taken"})
      .ExpectWritten({ResponseHead(1), Data(1, big), Trailers(1)})
      .Peer(Request(3, "ServerStream") + "\n" + Data(3, Ask(1, 40000), "END_STREAM"))
      .ExpectLog({})
      .ExpectWritten({ResponseHead(3), Data(3, big.substr(0, 65535 - big.size()))})
      .Peer("WINDOW_UPDATE 0 100000")
      .ExpectLog({"write 0 taken"})
      .ExpectWritten({Data(3, big.substr(65535 - big.size())), Trailers(3)})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerSendTest, StreamsThatWaitForTheConnectionsWindowGoOnInTheirOrder) {
  const std::string big = Message(std::string(65530 - 4, 'a'));  // 65,535 with its prefixes
  ServerScript script;
  script.ServerStream(Letters)
      .Handshake("INITIAL_WINDOW_SIZE=1000000")
      .Peer(Request(1, "ServerStream") + "\n" + Data(1, Ask(1, 65526), "END_STREAM"))
      .Drop()
      .Peer(Request(3, "ServerStream") + "\n" + Data(3, Ask(1, 1), "END_STREAM"))
      .Peer(Request(5, "ServerStream") + "\n" + Data(5, Ask(1, 1), "END_STREAM"))
      .Peer("WINDOW_UPDATE 1 10\nWINDOW_UPDATE 3 10")
      .Drop()
      .Peer("WINDOW_UPDATE 0 100000")
      .ExpectLog({"write 0 taken", "write 0 taken"})
      .ExpectWritten({Data(3, Message("a")), Trailers(3), Data(5, Message("a")), Trailers(5)})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerSendTest, ReplyLargerThanTheWindowGoesOutInPartsAndItsStatusBehindIt) {
  const std::string reply = Message(std::string(100, 'x'));
  ServerScript script;
  script.Unary(Echo)
      .Handshake("INITIAL_WINDOW_SIZE=60")
      .Peer(Request(1, "Unary") + "\n" + Data(1, reply, "END_STREAM"))
      .ExpectWritten({ResponseHead(1), Data(1, reply.substr(0, 60))})
      .ExpectLeft(
          {"streams: 1", "timers: 1"})  // the handler has returned; the client may take its time, but not for ever
      .Peer("WINDOW_UPDATE 1 1000")
      .ExpectWritten({Data(1, reply.substr(60)), Trailers(1)})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerSendTest, ClientThatResetsAReplyWaitingForItsWindowFreesIt) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake("INITIAL_WINDOW_SIZE=60")
      .Peer(Request(1, "Unary") + "\n" + Data(1, Message(std::string(5000, 'x')), "END_STREAM"))
      .Drop()
      .Peer("RST_STREAM 1 CANCEL")
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerSendTest, WindowOfZeroSendsTheHeadAndHoldsTheRest) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake("INITIAL_WINDOW_SIZE=0")
      .Peer(Request(1, "Unary") + "\n" + Data(1, Message("x"), "END_STREAM"))
      .ExpectWritten({ResponseHead(1)})
      .Peer("SETTINGS INITIAL_WINDOW_SIZE=100")
      .ExpectWritten({"SETTINGS ACK", Data(1, Message("x")), Trailers(1)})
      .ExpectNothingLeft()
      .Run();
}

// ---- the end --------------------------------------------------------------------------------------------------------

Task<absl::Status> FinishAtOnce(ServerWorld& world, ServerContext& context, Reader<Payload>& reader,
                                Writer<Payload>& writer) {
  co_return absl::NotFoundError("no such chat");
}

Task<absl::Status> SayOneThingAndLeave(ServerWorld& world, ServerContext& context, Reader<Payload>& reader,
                                       Writer<Payload>& writer) {
  co_await writer.Write(Body("bye"));
  co_return absl::OkStatus();
}

TEST(W19Response, StatusWithoutMessagesIsOneHeaderBlock) {
  ServerScript script;
  script.Bidi(FinishAtOnce)
      .Handshake()
      .Peer(Request(1, "BidiEcho", "", "END_STREAM"))
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=5 grpc-message=\"no "
                      "such chat\""})
      .ExpectNothingLeft()
      .Run();
}

TEST(W25EarlyFinish, ServerThatFinishesFirstTellsTheClientToStopWithNoError) {
  ServerScript script;
  script.Bidi(SayOneThingAndLeave)
      .Handshake()
      .Peer(Request(1, "BidiEcho"))
      .ExpectWritten({ResponseHead(1), Data(1, Message("bye")), Trailers(1), "RST_STREAM 1 NO_ERROR"})
      .ExpectNothingLeft()
      .Peer(Data(1, Message("late")) + "\n" + Data(1, Message("later"), "END_STREAM"))
      .ExpectWritten({})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::StatusOr<Payload>> Throw(ServerWorld& world, ServerContext& context, const Payload& request) {
  if (request.body() == "int") throw 7;
  throw std::runtime_error("out of cheese");
  co_return request;
}

TEST(ServerSendTest, ExceptionFromAHandlerIsUnknown) {
  ServerScript script;
  script.Unary(Throw)
      .Handshake()
      .Peer(Request(1, "Unary") + "\n" + Data(1, Message("x"), "END_STREAM"))
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=2 grpc-message=\"the "
                      "handler threw: out of cheese\""})
      .Peer(Request(3, "Unary") + "\n" + Data(3, Message("int"), "END_STREAM"))
      .ExpectWritten({"HEADERS 3 END_STREAM :status=200 content-type=application/grpc grpc-status=2 grpc-message=\"the "
                      "handler threw something that is not a std::exception\""})
      .ExpectNothingLeft()
      .Run();
}

Task<absl::StatusOr<Payload>> FailWithEveryByte(ServerWorld& world, ServerContext& context, const Payload& request) {
  co_return absl::DataLossError(request.body());
}

TEST(W21GrpcMessage, TextOfAStatusIsPercentEncoded) {
  ServerScript script;
  script.Unary(FailWithEveryByte)
      .Handshake()
      .Peer(Request(1, "Unary") + "\n" + Data(1, Message("50% \xc3\xa4\n"), "END_STREAM"))
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=15 "
                      "grpc-message=\"50%25 %C3%A4%0A\""})
      .Run();
}

// ---- metadata -------------------------------------------------------------------------------------------------------

Task<absl::StatusOr<Payload>> ShowMetadata(ServerWorld& world, ServerContext& context, const Payload& request) {
  for (const auto& [key, value] : context.metadata()) world.Log(absl::StrCat(key, "=", value));
  co_return request;
}

Task<absl::StatusOr<Payload>> AddMetadata(ServerWorld& world, ServerContext& context, const Payload& request) {
  context.AddInitialMetadata("tenant", "blue");
  context.AddInitialMetadata("tenant", "green");
  context.AddInitialMetadata("key-bin", std::string_view("\0\1\2", 3));
  context.AddTrailingMetadata("cost", "7");
  context.AddTrailingMetadata("Cost", "8");
  if (request.body() == "fail") co_return absl::AbortedError("");
  co_return request;
}

Task<absl::StatusOr<Payload>> AddIllegalMetadata(ServerWorld& world, ServerContext& context, const Payload& request) {
  context.AddInitialMetadata("grpc-status", "0");
  context.AddInitialMetadata("two words", "x");
  context.AddInitialMetadata(":status", "500");
  context.AddInitialMetadata("good", "1");
  context.AddTrailingMetadata("text", "a\nb");
  context.AddTrailingMetadata("", "x");
  context.AddTrailingMetadata("grpc-message", "x");
  context.AddTrailingMetadata("good", "2");
  co_return request;
}

TEST(W13Duplicates, HandlerSeesTheClientsMetadataInOrderAndNothingOfTheProtocols) {
  ServerScript script;
  script.Unary(ShowMetadata)
      .Handshake()
      .Peer(Request(1, "Unary",
                    "grpc-timeout=1H user-agent=me tenant=blue a-bin=AAEC a-bin=AA,AQ== tenant=green empty=\"\"") +
            "\n" + Data(1, Message("x"), "END_STREAM"))
      .ExpectLog({"user-agent=me", "tenant=blue", std::string("a-bin=\0\1\2", 9), std::string("a-bin=\0", 7),
                  "a-bin=\1", "tenant=green", "empty="})
      .ExpectNothingLeft()
      .Run();
}

TEST(W13Duplicates, MetadataGoesWithTheHeadAndWithTheStatus) {
  ServerScript script;
  script.Unary(AddMetadata)
      .Handshake()
      .Peer(Request(1, "Unary") + "\n" + Data(1, Message("x"), "END_STREAM"))
      .ExpectWritten({ResponseHead(1, "tenant=blue tenant=green key-bin=AAEC"), Data(1, Message("x")),
                      Trailers(1, "grpc-status=0 cost=7 cost=8")})
      .Peer(Request(3, "Unary") + "\n" + Data(3, Message("fail"), "END_STREAM"))
      .ExpectWritten(
          {ResponseHead(3, "tenant=blue tenant=green key-bin=AAEC"), Trailers(3, "grpc-status=10 cost=7 cost=8")})
      .ExpectNothingLeft()
      .Run();
}

// The body says what is too large for a peer that takes header lists of 350 octets.
Task<absl::StatusOr<Payload>> AddMuchMetadata(ServerWorld& world, ServerContext& context, const Payload& request) {
  const std::string much(350, 'x');
  if (request.body() == "head") context.AddInitialMetadata("much", much);
  if (request.body() != "head") context.AddTrailingMetadata("much", much);
  if (request.body() == "only") co_return absl::AbortedError("");
  co_return request;
}

TEST(W15Size, MetadataThatThePeerDoesNotTakeEndsTheCallWithResourceExhausted) {
  ServerScript script;
  script.Unary(AddMuchMetadata)
      .Handshake()
      .Peer("SETTINGS MAX_HEADER_LIST_SIZE=350")
      .ExpectWritten({"SETTINGS ACK"})
      .Peer(Request(1, "Unary") + "\n" + Data(1, Message("head"), "END_STREAM"))
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=8 ..."})
      .Peer(Request(3, "Unary") + "\n" + Data(3, Message("tail"), "END_STREAM"))
      .ExpectWritten({ResponseHead(3), Data(3, Message("tail")), "HEADERS 3 END_STREAM grpc-status=8 ..."})
      .Peer(Request(5, "Unary") + "\n" + Data(5, Message("only"), "END_STREAM"))
      .ExpectWritten({"HEADERS 5 END_STREAM :status=200 content-type=application/grpc grpc-status=8 ..."})
      .ExpectNothingLeft()
      .Run();
}

// The details have 300 bytes; base64 makes 400 of them.
Task<absl::StatusOr<Payload>> FailWithDetails(ServerWorld& world, ServerContext& context, const Payload& request) {
  absl::Status status = absl::AbortedError("busy");
  SetEncodedDetails(&status, std::string(300, 'x'));
  if (request.body() == "metadata") context.AddTrailingMetadata("much", std::string(300, 'x'));
  co_return status;
}
Task<absl::Status> StreamWithDetails(ServerWorld& world, ServerContext& context, const StreamRequest& request,
                                     Writer<Payload>& writer) {
  Payload payload;
  payload.set_body("hi");
  co_await writer.Write(payload);
  absl::Status status = absl::AbortedError("busy");
  SetEncodedDetails(&status, std::string(300, 'x'));
  co_return status;
}

TEST(ServerSendTest, DetailsThatThePeerDoesNotTakeAreDroppedBeforeTheStatus) {
  const std::string trailers_only = "HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=10 ";
  for (const int limit : {649, 650}) {  // 7+3+32, 12+16+32, 11+2+32, 12+4+32, 23+400+32
    const bool fits = limit == 650;
    ServerScript script;
    script.Unary(FailWithDetails)
        .Handshake()
        .Peer("SETTINGS MAX_HEADER_LIST_SIZE=" + std::to_string(limit))
        .Drop()
        .Peer(Request(1, "Unary") + "\n" + Data(1, Message("x"), "END_STREAM"))
        .ExpectWritten(
            {trailers_only + (fits ? "grpc-message=busy grpc-status-details-bin=eHh4..." : "grpc-message=busy")})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(ServerSendTest, DetailsBehindMessagesAreDroppedToo) {
  ServerScript script;
  script.ServerStream(StreamWithDetails)
      .Handshake()
      .Peer("SETTINGS MAX_HEADER_LIST_SIZE=300 INITIAL_WINDOW_SIZE=0")
      .Drop()
      .Peer(Request(1, "ServerStream") + "\n" + Data(1, Message(""), "END_STREAM"))
      .ExpectWritten({ResponseHead(1)})
      .Peer("WINDOW_UPDATE 1 1000")
      .ExpectWritten({Data(1, Message("hi")), Trailers(1, "grpc-status=10 grpc-message=busy")})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerSendTest, MetadataThatIsTooLongWithoutTheDetailsAsWellEndsTheCallWithResourceExhausted) {
  // 7+3+32, 12+16+32, 11+1+32: what is left without the text of the error, too.
  for (const int limit : {146, 350}) {
    ServerScript script;
    script.Unary(FailWithDetails)
        .Handshake()
        .Peer("SETTINGS MAX_HEADER_LIST_SIZE=" + std::to_string(limit))
        .Drop()
        .Peer(Request(1, "Unary") + "\n" + Data(1, Message("metadata"), "END_STREAM"))
        .ExpectWritten({std::string("HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=8") +
                        (limit == 350 ? " grpc-message=\"the server's metadata cannot be sent: ..." : "")})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(W11Names, IllegalMetadataIsLeftOutAndTheRestIsSent) {
  ServerScript script;
  script.Unary(AddIllegalMetadata)
      .Handshake()
      .Peer(Request(1, "Unary") + "\n" + Data(1, Message("x"), "END_STREAM"))
      .ExpectWritten({ResponseHead(1, "good=1"), Data(1, Message("x")), Trailers(1, "grpc-status=0 good=2")})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
