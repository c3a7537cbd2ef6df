// Limits of a server on metadata and on what it sends, each at one below, at, and one above: what is exceeded, by how
// much, and the option that says so. (Messages that come in: server_receive_test, server_compression_test.)
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "weir/tests/support/server_script.h"

namespace weir {
namespace {

using bench::Payload;
using bench::StreamRequest;
using testing::Data;
using testing::Envelope;
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

// Name, value and 32 octets for each field.
size_t BytesOf(std::initializer_list<std::string_view> fields) {
  size_t bytes = 0;
  for (const std::string_view field : fields) bytes += field.size() - 1 + 32;  // without the "="
  return bytes;
}

// What Request(1, "Unary") has.
size_t RequestBytes() {
  return BytesOf({":method=POST", ":scheme=http", ":path=/bench.Echo/Unary", ":authority=test", "te=trailers",
                  "content-type=application/grpc"});
}
constexpr size_t kRequestFields = 6;

std::string Field(size_t bytes) { return "a=" + std::string(bytes - 33, 'x'); }

// ---- metadata that comes in -----------------------------------------------------------------------------------------

TEST(ServerLimitsTest, ARequestsMetadataMayHaveSoManyBytes) {
  for (const size_t bytes : {999, 1000, 1001, 4000}) {
    weir::ServerOptions options;
    options.max_metadata_bytes = 1000;
    ServerScript script(options);
    script.Unary(Echo).Handshake().Peer(Request(1, "Unary", Field(bytes - RequestBytes())));
    if (bytes <= 1000) {
      script.Peer(Data(1, Message("hello"), "END_STREAM")).ExpectLog({"unary hello"}).Drop();
    } else {
      script
          .ExpectWritten({absl::StrCat("HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=8 "
                                       "grpc-message=\"metadata of the request: ",
                                       bytes,
                                       " bytes in 7 fields, the protocol's included, are over the limit of 1000 bytes "
                                       "by ",
                                       bytes - 1000, " (option max_metadata_bytes)\""),
                          "RST_STREAM 1 NO_ERROR"})
          .Peer(Data(1, Message("ignored"), "END_STREAM"))
          .ExpectLog({});
    }
    // The connection goes on.
    script.Peer(Request(3, "Unary"))
        .Peer(Data(3, Message("next"), "END_STREAM"))
        .ExpectLog({"unary next"})
        .Drop()
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(ServerLimitsTest, ARequestsMetadataMayHaveSoManyFields) {
  for (const size_t fields : {9, 10, 11}) {
    weir::ServerOptions options;
    options.max_metadata_fields = 10;
    std::string more;
    for (size_t i = kRequestFields; i < fields; ++i) more += "a=b ";
    more.pop_back();
    ServerScript script(options);
    script.Unary(Echo).Handshake().Peer(Request(1, "Unary", more));
    if (fields <= 10) {
      script.Peer(Data(1, Message("hello"), "END_STREAM")).ExpectLog({"unary hello"}).Drop();
    } else {
      script.ExpectWritten(
          {absl::StrCat("HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=8 "
                        "grpc-message=\"metadata of the request: ",
                        RequestBytes() + 5 * 34,
                        " bytes in 11 fields, the protocol's included, are over the limit of 10 fields by 1 (option "
                        "max_metadata_fields)\""),
           "RST_STREAM 1 NO_ERROR"});
    }
    script.ExpectNothingLeft().Run();
  }
}

TEST(ServerLimitsTest, ARequestWithoutABodyIsAnsweredToo) {
  weir::ServerOptions options;
  options.max_metadata_bytes = 1000;
  ServerScript script(options);
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary", Field(1000), "END_STREAM"))
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=8 ..."})
      .ExpectNothingLeft()
      .Run();
}

TEST(ServerLimitsTest, OverFourTimesTheLimitTheConnectionEnds) {
  weir::ServerOptions options;
  options.max_metadata_bytes = 1000;
  ServerScript script(options);
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary", Field(4001 - RequestBytes())))
      .ExpectWritten({"GOAWAY last=1 ENHANCE_YOUR_CALM \"header block: expected at most 1000 octets and 128 fields "
                      "(H2Options::header_list_bytes_max, header_fields_max; of a server or channel "
                      "max_metadata_bytes, max_metadata_fields), got more than four times that\""})
      .PeerCloses()
      .ExpectLog({"connection gone"})
      .Run();
}

TEST(ServerLimitsTest, BudgetsOfFramesAreOptions) {
  weir::ServerOptions options;
  options.budgets.settings = {3, 0};
  ServerScript script(options);
  script.Unary(Echo)
      .Handshake()
      .Peer("SETTINGS\nSETTINGS")
      .ExpectWritten({"SETTINGS ACK", "SETTINGS ACK"})
      .Peer("SETTINGS")
      .ExpectWritten({"GOAWAY last=0 ENHANCE_YOUR_CALM \"SETTINGS: expected at most 3 at once and 0 per second "
                      "(H2Options::settings), got more\""})
      .PeerCloses()
      .ExpectLog({"connection gone"})
      .Run();
}

TEST(ServerLimitsTest, TheLimitIsAnnounced) {
  weir::ServerOptions options;
  options.max_metadata_bytes = 1234;
  ServerScript script(options);
  script.Unary(Echo)
      .Start()
      .Peer("PREFACE\nSETTINGS")
      .Do([](ServerWorld& w) {
        bool announced = false;
        for (const std::string& line : w.TakeWritten())
          announced |= line.find("MAX_HEADER_LIST_SIZE=1234") != line.npos;
        EXPECT_TRUE(announced);
      })
      .Run();
}

// ---- metadata that goes out -----------------------------------------------------------------------------------------

Task<absl::StatusOr<Payload>> AnswerWithHead(ServerWorld& world, ServerContext& context, const Payload& request) {
  context.AddInitialMetadata("a", std::string(std::stoul(request.body()), 'x'));
  co_return request;
}

Task<absl::StatusOr<Payload>> AnswerWithTrailers(ServerWorld& world, ServerContext& context, const Payload& request) {
  context.AddTrailingMetadata("a", std::string(std::stoul(request.body()), 'x'));
  co_return request;
}

TEST(ServerLimitsTest, AResponseHeadMayHaveWhatTheClientTakes) {
  const size_t head = BytesOf({":status=200", "content-type=application/grpc"}) + 33;
  for (const size_t bytes : {499, 500, 501}) {
    const std::string length = std::to_string(bytes - head);
    ServerScript script;
    script.Unary(AnswerWithHead)
        .Handshake("MAX_HEADER_LIST_SIZE=500")
        .Peer(Request(1, "Unary"))
        .Peer(Data(1, Message(length), "END_STREAM"));
    if (bytes <= 500) {
      script.ExpectWritten(
          {"HEADERS 1 :status=200 content-type=application/grpc a=xx...", Data(1, Message(length)), Trailers(1)});
    } else {
      script.ExpectWritten(
          {"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=8 "
           "grpc-message=\"the server's metadata cannot be sent: header block: expected at most 500 "
           "octets (the peer's MAX_HEADER_LIST_SIZE, or 64 KiB), got 501\""});
    }
    script.ExpectNothingLeft().Run();
  }
}

TEST(ServerLimitsTest, TrailersMayHaveWhatTheClientTakes) {
  const size_t trailers = BytesOf({"grpc-status=0"}) + 33;
  for (const size_t bytes : {499, 500, 501}) {
    const std::string length = std::to_string(bytes - trailers);
    ServerScript script;
    script.Unary(AnswerWithTrailers)
        .Handshake("MAX_HEADER_LIST_SIZE=500")
        .Peer(Request(1, "Unary"))
        .Peer(Data(1, Message(length), "END_STREAM"))
        .ExpectWritten({ResponseHead(1), Data(1, Message(length)),
                        bytes <= 500 ? "HEADERS 1 END_STREAM grpc-status=0 a=xx..."
                                     : "HEADERS 1 END_STREAM grpc-status=8 grpc-message=\"the server's metadata cannot "
                                       "be sent: header block: expected at most 500 octets..."})
        .ExpectNothingLeft()
        .Run();
  }
}

// ---- messages that go out -------------------------------------------------------------------------------------------

Task<absl::Status> WriteOne(ServerWorld& world, ServerContext& context, const StreamRequest&, Writer<Payload>& writer) {
  Payload payload;
  payload.set_body("hello");
  const bool taken = co_await writer.Write(payload);
  world.Log(taken ? "taken" : "refused");
  co_return absl::OkStatus();
}

std::string OverSendLimit(size_t bytes, size_t limit) {
  return absl::StrCat("grpc-status=8 grpc-message=\"message to be sent of ", bytes, " bytes is over the limit of ",
                      limit, " bytes (option max_send_message_bytes); send it in parts\"");
}

TEST(ServerLimitsTest, AReplyMayHaveSoManyBytes) {
  const size_t bytes = Message("hello").size() - 5;
  for (const size_t limit : {bytes - 1, bytes, bytes + 1}) {
    weir::ServerOptions options;
    options.max_send_message_bytes = limit;
    ServerScript script(options);
    script.Unary(Echo).Handshake().Peer(Request(1, "Unary")).Peer(Data(1, Message("hello"), "END_STREAM"));
    if (limit >= bytes) {
      script.ExpectWritten({ResponseHead(1), Data(1, Message("hello")), Trailers(1)});
    } else {
      script.ExpectWritten(
          {"HEADERS 1 END_STREAM :status=200 content-type=application/grpc " + OverSendLimit(bytes, limit)});
    }
    script.ExpectNothingLeft().Run();
  }
}

TEST(ServerLimitsTest, AMessageOfAStreamMayHaveSoManyBytes) {
  const size_t bytes = Message("hello").size() - 5;
  for (const size_t limit : {bytes - 1, bytes, bytes + 1}) {
    weir::ServerOptions options;
    options.max_send_message_bytes = limit;
    ServerScript script(options);
    script.ServerStream(WriteOne)
        .Handshake()
        .Peer(Request(1, "ServerStream"))
        .Peer(Data(1, Envelope(0, 0), "END_STREAM"));
    if (limit >= bytes) {
      script.ExpectLog({"taken"}).ExpectWritten({ResponseHead(1), Data(1, Message("hello")), Trailers(1)});
    } else {
      script.ExpectLog({"refused"})
          .ExpectWritten(
              {"HEADERS 1 END_STREAM :status=200 content-type=application/grpc " + OverSendLimit(bytes, limit)});
    }
    script.ExpectNothingLeft().Run();
  }
}

}  // namespace
}  // namespace weir
