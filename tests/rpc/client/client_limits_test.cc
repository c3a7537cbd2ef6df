// Limits of a channel on metadata, on calls, and on what it sends, each at one below, at, and one above: what is
// exceeded, by how much, and the option that says so. (Messages that come in: client_response_test,
// client_compression_test.)
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "weir/rpc/wire/user_agent.h"
#include "weir/tests/support/client_script.h"

namespace weir {
namespace {

using bench::Payload;
using testing::ClientScript;
using testing::ClientWorld;
using testing::Data;
using testing::Line;
using testing::Message;
using testing::RequestLine;
using testing::ResponseHead;
using testing::TestCall;
using testing::Trailers;

Task<void> CallWith(ClientWorld& world, CallOptions options) {
  TestCall call = world.Call("Unary", "hello", options);
  absl::StatusOr<Payload> reply = co_await call.Reply();
  world.Log(reply.ok() ? "reply " + reply->body() : Line(reply.status()));
}
Task<void> Call(ClientWorld& world) { return CallWith(world, CallOptions()); }

std::string Field(size_t bytes) { return "a=" + std::string(bytes - 33, 'x'); }
// Of ResponseHead(1), Trailers(1), as RFC 9113 section 6.5.2 counts.
constexpr size_t kHeadBytes = 7 + 3 + 32 + 12 + 16 + 32;
constexpr size_t kTrailersBytes = 11 + 1 + 32;

// ---- metadata that comes in -----------------------------------------------------------------------------------------

TEST(ClientLimitsTest, AResponseHeadMayHaveSoManyBytes) {
  for (const size_t bytes : {499, 500, 501}) {
    ChannelOptions options;
    options.max_metadata_bytes = 500;
    ClientScript script(options);
    script.Handshake().Spawn(Call).Drop().Peer(ResponseHead(1, Field(bytes - kHeadBytes)));
    if (bytes <= 500) {
      script.Peer(Data(1, Message("hi"))).Peer(Trailers(1)).ExpectLog({"reply hi"});
    } else {
      script
          .ExpectLog(
              {"RESOURCE_EXHAUSTED: metadata that the peer sent: 501 bytes in 3 fields, the protocol's included, "
               "are over the limit of 500 bytes by 1 (option max_metadata_bytes)"})
          .ExpectWritten({"RST_STREAM 1 ENHANCE_YOUR_CALM"});
    }
    script.ExpectNothingLeft().Run();
  }
}

TEST(ClientLimitsTest, TrailersMayHaveSoManyBytes) {
  for (const size_t bytes : {499, 500, 501}) {
    ChannelOptions options;
    options.max_metadata_bytes = 500;
    ClientScript script(options);
    script.Handshake()
        .Spawn(Call)
        .Peer(ResponseHead(1))
        .Peer(Data(1, Message("hi")))
        .Peer(Trailers(1, "grpc-status=0 " + Field(bytes - kTrailersBytes)))
        .ExpectLog({bytes <= 500 ? "reply hi"
                                 : "RESOURCE_EXHAUSTED: metadata that the peer sent: 501 bytes in 2 fields, the "
                                   "protocol's included, are over the limit of 500 bytes by 1 (option "
                                   "max_metadata_bytes)"})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(ClientLimitsTest, AResponseHeadMayHaveSoManyFields) {
  for (const size_t fields : {9, 10, 11}) {
    ChannelOptions options;
    options.max_metadata_fields = 10;
    std::string more;
    for (size_t i = 2; i < fields; ++i) more += "a=b ";
    more.pop_back();
    ClientScript script(options);
    script.Handshake().Spawn(Call).Peer(ResponseHead(1, more)).Peer(Data(1, Message("hi"))).Peer(Trailers(1));
    script
        .ExpectLog({fields <= 10 ? "reply hi"
                                 : "RESOURCE_EXHAUSTED: metadata that the peer sent: 408 bytes in 11 fields, the "
                                   "protocol's included, are over the limit of 10 fields by 1 (option "
                                   "max_metadata_fields)"})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(ClientLimitsTest, BudgetsOfFramesAreOptions) {
  ChannelOptions options;
  options.budgets.settings = {2, 0};
  ClientScript script(options);
  script.Handshake()
      .Spawn(Call)
      .Drop()
      .Peer("SETTINGS")
      .ExpectWritten({"SETTINGS ACK"})
      .Peer("SETTINGS")
      .ExpectWritten({"GOAWAY last=0 ENHANCE_YOUR_CALM \"SETTINGS: expected at most 2 at once and 0 per second "
                      "(H2Options::settings), got more\""})
      .PeerCloses()
      .ExpectLog({"UNAVAILABLE: ..."})
      .Run();
}

TEST(ClientLimitsTest, OverFourTimesTheLimitTheConnectionEnds) {
  ChannelOptions options;
  options.max_metadata_bytes = 500;
  ClientScript script(options);
  script.Handshake()
      .Spawn(Call)
      .Drop()
      .Peer(ResponseHead(1, Field(2001 - kHeadBytes)))
      .ExpectWritten({"GOAWAY last=0 ENHANCE_YOUR_CALM..."})
      .PeerCloses()
      .ExpectLog({"UNAVAILABLE: ..."})
      .Run();
}

// ---- metadata that goes out -----------------------------------------------------------------------------------------

// The first of two calls tells how large its head is without metadata.
TEST(ClientLimitsTest, ARequestHeadMayHaveWhatTheServerTakes) {
  for (const size_t excess : {0, 1, 2}) {
    ClientScript script;
    // 1,000 octets are the value, the key and 32; the rest of the head has 300 to 400.
    script.Handshake("MAX_HEADER_LIST_SIZE=2000").Do([excess](ClientWorld& world) {
      const std::string said = absl::StrCat("user-agent=", std::string(wire::UserAgent("")));
      size_t head = 0;
      for (const std::string& field :
           {std::string(":method=POST"), std::string(":scheme=http"), std::string(":path=/bench.Echo/Unary"),
            std::string(":authority=test"), std::string("te=trailers"), std::string("content-type=application/grpc"),
            std::string("grpc-accept-encoding=identity,gzip,deflate"), said}) {
        head += field.size() - 1 + 32;
      }
      Spawn(CallWith(world, CallOptions().Metadata("a", std::string(1999 + excess - head - 33, 'x'))));
    });
    if (excess < 2) {
      script.ExpectWritten({RequestLine(1, "Unary"), Data(1, Message("hello"), "END_STREAM")}).ExpectLog({});
    } else {
      script.ExpectWritten({})
          .ExpectLog({"RESOURCE_EXHAUSTED: the call's metadata cannot be sent: header block: expected at most 2000 "
                      "octets (the peer's MAX_HEADER_LIST_SIZE, or 64 KiB), got 2001"})
          .ExpectNothingLeft();
    }
    script.Run();
  }
}

// ---- calls and messages that go out ---------------------------------------------------------------------------------

TEST(ClientLimitsTest, CallsOverTheServersLimitWaitForAPlace) {
  ClientScript script;
  script.Handshake("MAX_CONCURRENT_STREAMS=2")
      .Spawn(Call)
      .Spawn(Call)
      .ExpectWritten({RequestLine(1, "Unary"), Data(1, Message("hello"), "END_STREAM"), RequestLine(3, "Unary"),
                      Data(3, Message("hello"), "END_STREAM")})
      .Spawn(Call)
      .ExpectWritten({})
      .Peer(ResponseHead(1))
      .Peer(Data(1, Message("hi")))
      .Peer(Trailers(1))
      .ExpectLog({"reply hi"})
      .ExpectWritten({RequestLine(5, "Unary"), Data(5, Message("hello"), "END_STREAM")})
      .Run();
}

TEST(ClientLimitsTest, ARequestMayHaveSoManyBytes) {
  const size_t bytes = Message("hello").size() - 5;
  for (const size_t limit : {bytes - 1, bytes, bytes + 1}) {
    ChannelOptions options;
    options.max_send_message_bytes = limit;
    ClientScript script(options);
    script.Handshake().Spawn(Call);
    if (limit >= bytes) {
      script.ExpectWritten({RequestLine(1, "Unary"), Data(1, Message("hello"), "END_STREAM")}).ExpectLog({});
    } else {
      script.ExpectWritten({})
          .ExpectLog({absl::StrCat("RESOURCE_EXHAUSTED: message to be sent of ", bytes, " bytes is over the limit of ",
                                   limit, " bytes (option max_send_message_bytes); send it in parts")})
          .ExpectNothingLeft();
    }
    script.Run();
  }
}

TEST(ClientLimitsTest, AMessageOfAStreamMayHaveSoManyBytes) {
  const auto coroutine = [](ClientWorld& world) -> Task<void> {
    TestCall call = world.Open("ClientStream");
    const bool taken = co_await call.Write("hello");
    absl::Status status = co_await call.Finish();
    world.Log(absl::StrCat(taken ? "taken, " : "refused, ", Line(status)));
  };
  ChannelOptions options;
  options.max_send_message_bytes = Message("hello").size() - 6;
  ClientScript script(options);
  script.Handshake()
      .Spawn(+coroutine)
      .ExpectWritten({})  // it was over before anything left
      .ExpectLog({"refused, RESOURCE_EXHAUSTED: message to be sent of 7 bytes is over the limit of 6 bytes (option "
                  "max_send_message_bytes); send it in parts"})
      .ExpectNothingLeft()
      .Run();
}

}  // namespace
}  // namespace weir
