// Compressed messages on the server: gRPC over HTTP2 (Message-Encoding, Message-Accept-Encoding, Compressed-Flag) and
// the cases of gRPC's compression.md that a server decides.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/wire/compressed_message.h"
#include "weir/rpc/wire/zlib_compressor.h"
#include "weir/rpc/wire/zstd_compressor.h"
#include "weir/tests/support/server_script.h"

namespace weir {
namespace {

using bench::Payload;
using bench::StreamRequest;
using bench::Summary;
using testing::Data;
using testing::Envelope;
using testing::Message;
using testing::Request;
using testing::ResponseHead;
using testing::ServerScript;
using testing::ServerWorld;
using testing::Trailers;

constexpr char kAccepts[] = " grpc-accept-encoding=identity,deflate,gzip";
const std::string kLong(1000, 'x');

// A bench.Payload, compressed, with its envelope.
std::string Compressed(std::string_view body, const std::shared_ptr<const Compressor>& by = GzipCompressor()) {
  return std::string(wire::CompressFramed(transport::SharedBytes::Of(Message(body)), *by)->bytes);
}

std::string Trimmed(const std::string& body) { return body.size() < 20 ? body : absl::StrCat(body.size(), " bytes"); }

// The response head of a call whose request is compressed.
std::string HeadThatAccepts(int id, std::string_view encoding = "") {
  return absl::StrCat("HEADERS ", id, " :status=200 ", std::string(encoding),
                      "grpc-accept-encoding=identity,gzip,deflate content-type=application/grpc");
}
std::string HeadWith(int id, std::string_view encoding) {
  return absl::StrCat("HEADERS ", id, " :status=200 grpc-encoding=", std::string(encoding),
                      " content-type=application/grpc");
}

Task<absl::StatusOr<Payload>> Echo(ServerWorld& world, ServerContext& context, const Payload& request) {
  world.Log(absl::StrCat(Trimmed(request.body()), context.request_was_compressed() ? " compressed" : ""));
  co_return request;
}

Task<absl::StatusOr<Payload>> EchoInGzip(ServerWorld& world, ServerContext& context, const Payload& request) {
  context.SetCompression("gzip");
  co_return request;
}

Task<absl::StatusOr<Payload>> EchoInDeflate(ServerWorld& world, ServerContext& context, const Payload& request) {
  context.SetCompression("deflate");
  co_return request;
}

Task<absl::StatusOr<Payload>> EchoAsItIs(ServerWorld& world, ServerContext& context, const Payload& request) {
  context.SetCompression("identity");
  co_return request;
}

Task<absl::StatusOr<Summary>> Count(ServerWorld& world, ServerContext& context, Reader<Payload>& reader) {
  while (std::optional<Payload> payload = co_await reader.Read()) {
    world.Log(absl::StrCat(Trimmed(payload->body()), reader.last_message_compressed() ? " compressed" : ""));
  }
  co_return Summary();
}

weir::ServerOptions Answering(std::string compression) {
  weir::ServerOptions options;
  options.compression = std::move(compression);
  return options;
}

// ---- many messages that become large ------------------------------------------------------------------------------

const weir::ServerOptions kDefaults;
// A message of exactly the limit, in 4 KiB.
std::string Bomb() {
  const size_t around = Message(std::string(3 << 20, 'x')).size() - wire::kEnvelopeHeaderBytes - (3 << 20);
  return Compressed(std::string(kDefaults.max_receive_message_bytes - around, 'x'));
}
constexpr int kBombs = 60;  // fit into one read, and into the window of a stream

void LogWhenOthersHaveTheirTurn(ServerWorld& world) {
  world.loop().Post([&world] { world.Log("others"); });
}

Task<absl::StatusOr<Summary>> CountWithOthers(ServerWorld& world, ServerContext& context, Reader<Payload>& reader) {
  while (std::optional<Payload> payload = co_await reader.Read()) {
    world.Log(absl::StrCat(payload->ByteSizeLong()));
    LogWhenOthersHaveTheirTurn(world);
  }
  co_return Summary();
}

Task<absl::StatusOr<Payload>> OneWithOthers(ServerWorld& world, ServerContext& context, const Payload& request) {
  world.Log(absl::StrCat(request.ByteSizeLong()));
  LogWhenOthersHaveTheirTurn(world);
  co_return Payload();
}

testing::Lines OthersBetween(int messages) {
  testing::Lines lines;
  for (int i = 0; i < messages; ++i) {
    lines.push_back(absl::StrCat(kDefaults.max_receive_message_bytes));
    lines.push_back("others");
  }
  return lines;
}

// In one read, whose share of 256 KiB they fit into.
void ReceiveAtOnce(ServerWorld& world, const std::string& frames) {
  testing::Cuts whole = testing::Cuts::Whole();
  world.Receive(testing::Frames(frames), &whole);
}

TEST(DecompressionShareTest, BombsOfOneCallLetOthersHaveTheirTurnBetweenThem) {
  ServerWorld world({.client_stream = CountWithOthers}, {});
  world.Start();
  std::string frames = "PREFACE\nSETTINGS\nSETTINGS ACK\n" + Request(1, "ClientStream", "grpc-encoding=gzip") + "\n";
  const std::string bomb = Bomb();
  for (int i = 0; i < kBombs; ++i) frames += Data(1, bomb, i == kBombs - 1 ? "END_STREAM" : "") + "\n";
  ReceiveAtOnce(world, frames);
  EXPECT_EQ(world.TakeLog(), OthersBetween(kBombs));
  EXPECT_EQ(world.TakeWritten().back(), Trailers(1));
}

TEST(DecompressionShareTest, BombsOfManyCallsLetOthersHaveTheirTurnBetweenThem) {
  ServerWorld world({.unary = OneWithOthers}, {});
  world.Start();
  std::string frames = "PREFACE\nSETTINGS\nSETTINGS ACK\n";
  const std::string bomb = Bomb();
  for (int i = 0; i < kBombs; ++i) {
    frames += Request(2 * i + 1, "Unary", "grpc-encoding=gzip") + "\n" + Data(2 * i + 1, bomb, "END_STREAM") + "\n";
  }
  ReceiveAtOnce(world, frames);
  EXPECT_EQ(world.TakeLog(), OthersBetween(kBombs));
  EXPECT_EQ(world.TakeWritten().back(), Trailers(2 * kBombs - 1));
}

TEST(DecompressionShareTest, WhatHasHadItsTurnIsHeldNoMore) {
  ServerWorld world({.client_stream = CountWithOthers}, {});
  world.Start();
  const std::string bomb = Bomb();
  ReceiveAtOnce(world, "PREFACE\nSETTINGS\nSETTINGS ACK\n" + Request(1, "ClientStream", "grpc-encoding=gzip") + "\n" +
                           Data(1, bomb) + "\n" + Data(1, bomb));
  EXPECT_EQ(world.TakeLog(), OthersBetween(2));
  EXPECT_EQ(world.connection()->held_bytes(), 0u);
  ReceiveAtOnce(world, "RST_STREAM 1 CANCEL");
}

TEST(DecompressionShareTest, WhatWaitsForATurnMayBeCutOffOrReset) {
  ServerWorld world({.client_stream = CountWithOthers}, {});
  world.Start();
  const std::string bomb = Bomb();
  const std::string head =
      Request(1, "ClientStream", "grpc-encoding=gzip") + "\n" + Data(1, bomb) + "\n" + Data(1, bomb) + "\n";
  ReceiveAtOnce(world, "PREFACE\nSETTINGS\nSETTINGS ACK\n" + head + Data(1, bomb.substr(0, 100), "END_STREAM"));
  EXPECT_EQ(world.TakeLog(), OthersBetween(2));
  EXPECT_TRUE(world.TakeWritten().back().starts_with(
      "HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=13"));
  ReceiveAtOnce(world, Request(3, "ClientStream", "grpc-encoding=gzip"));
  ReceiveAtOnce(world, Data(3, bomb) + "\n" + Data(3, bomb) + "\nRST_STREAM 3 CANCEL");
  EXPECT_EQ(world.TakeLog(), OthersBetween(1));
  EXPECT_EQ(world.Leftovers(), testing::Lines());
}

// While messages wait, their bytes stay charged to the client's window: it cannot send faster than they become large.
Task<absl::StatusOr<Summary>> LookAtTheWindow(ServerWorld& world, ServerContext& context, Reader<Payload>& reader) {
  int messages = 0;
  while (std::optional<Payload> payload = co_await reader.Read()) {
    if (++messages > 1) continue;
    world.loop().Post([&world] {  // this turn has not been written yet
      world.loop().Post([&world] { world.Log(world.TakeReturned(1) < 16'384 ? "held" : "given back"); });
    });
  }
  world.Log(absl::StrCat(messages));
  co_return Summary();
}

TEST(DecompressionShareTest, WhatWaitsForATurnIsNotGivenBackToTheWindow) {
  ServerWorld world({.client_stream = LookAtTheWindow}, {});
  world.Start();
  std::string frames = "PREFACE\nSETTINGS\nSETTINGS ACK\n" + Request(1, "ClientStream", "grpc-encoding=gzip") + "\n";
  const std::string bomb = Bomb();
  for (int i = 0; i < 32; ++i) frames += Data(1, bomb) + "\n";
  ReceiveAtOnce(world, frames + Data(1, "", "END_STREAM"));
  EXPECT_EQ(world.TakeLog(), testing::Lines({"held", "32"}));
}

// ---- requests -------------------------------------------------------------------------------------------------------

TEST(W07Encoding, ACompressedRequestIsReadAndItsEncodingNotMirrored) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary", absl::StrCat("grpc-encoding=gzip", kAccepts)))
      .Peer(Data(1, Compressed(kLong), "END_STREAM"))
      .ExpectLog({"1000 bytes compressed"})
      .ExpectWritten({HeadThatAccepts(1), Data(1, Message(kLong)), Trailers(1)})
      .ExpectNothingLeft()
      .Run();
}

// "Compression contexts are NOT maintained over message boundaries", and the flag is each message's own (W9).
TEST(W09PerMessage, MessagesWithAndWithoutTheFlagMix) {
  ServerScript script;
  script.ClientStream(Count)
      .Handshake()
      .Peer(Request(1, "ClientStream", "grpc-encoding=deflate"))
      .Peer(Data(1, Compressed(kLong, DeflateCompressor()) + Message("plain")))
      .Peer(Data(1, Compressed(kLong, DeflateCompressor()), "END_STREAM"))
      .ExpectLog({"1000 bytes compressed", "plain", "1000 bytes compressed"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W09PerMessage, AnEncodingWithoutTheFlagCompressesNothing) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary", "grpc-encoding=gzip"))
      .Peer(Data(1, Message("plain"), "END_STREAM"))
      .ExpectLog({"plain"})
      .ExpectWritten({HeadThatAccepts(1), Data(1, Message("plain")), Trailers(1)})
      .Run();
}

// Case 4: "A message compressed by a client in a way not supported by its server MUST fail with status UNIMPLEMENTED,
// its associated description indicating the unsupported condition as well as the supported ones."
TEST(W08BadEncoding, AnUnknownEncodingIsUnimplementedAndToldWhatIsSupported) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary", "grpc-encoding=snappy"))
      .ExpectWritten(
          {"HEADERS 1 END_STREAM :status=200 content-type=application/grpc "
           "grpc-accept-encoding=identity,gzip,deflate grpc-status=12 grpc-message=\"grpc-encoding: expected "
           "one of identity,gzip,deflate, got \\\"snappy\\\"\"",
           "RST_STREAM 1 NO_ERROR"})
      .ExpectLog({})
      .ExpectNothingLeft()
      .Run();
}

// Case 6: "An ill-constructed message with its Compressed-Flag bit set but lacking a grpc-encoding entry different from
// identity in its metadata MUST fail with INTERNAL status".
TEST(W08BadEncoding, TheFlagWithoutAnEncodingIsInternal) {
  for (const std::string fields : {"", "grpc-encoding=identity"}) {
    ServerScript script;
    script.Unary(Echo)
        .Handshake()
        .Peer(Request(1, "Unary", fields))
        .Peer(Data(1, Compressed(kLong), "END_STREAM"))
        .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=13 "
                        "grpc-message=\"message has its compressed flag set, but the call has no grpc-encoding\""})
        .ExpectLog({})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(W08BadEncoding, DamageIsInternalNamingEncodingAndFault) {
  const std::string whole = Compressed(kLong).substr(5);
  const std::string cut = whole.substr(0, whole.size() - 1);
  const struct {
    std::string payload;
    std::string fault;
  } kCases[] = {{"nonsense", "corrupt data: incorrect header check"},
                {cut, "the data is cut off"},
                {whole + "xy", "2 bytes follow its end"}};
  for (const auto& c : kCases) {
    ServerScript script;
    script.Unary(Echo)
        .Handshake()
        .Peer(Request(1, "Unary", "grpc-encoding=gzip"))
        .Peer(Data(1, Envelope(1, c.payload.size(), c.payload), "END_STREAM"))
        .ExpectWritten({absl::StrCat("HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=13 "
                                     "grpc-message=\"message of ",
                                     c.payload.size(), " bytes in grpc-encoding gzip: ", c.fault, "\"")})
        .ExpectLog({})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(W17MessageLimit, TheLimitIsThatOfTheDecompressedMessage) {
  const size_t bytes = Message(kLong).size() - 5;
  for (const size_t limit : {bytes - 1, bytes, bytes + 1}) {
    weir::ServerOptions options;
    options.max_receive_message_bytes = limit;
    ServerScript script(options);
    script.Unary(Echo)
        .Handshake()
        .Peer(Request(1, "Unary", "grpc-encoding=gzip"))
        .Peer(Data(1, Compressed(kLong), "END_STREAM"));
    if (limit < bytes) {
      script.ExpectLog({}).ExpectWritten(
          {absl::StrCat("HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=8 "
                        "grpc-message=\"message of ",
                        Compressed(kLong).size() - 5, " bytes in grpc-encoding gzip is over the limit of ", limit,
                        " bytes when decompressed (option max_receive_message_bytes)\"")});
    } else {
      script.ExpectLog({"1000 bytes compressed"});
    }
    script.ExpectNothingLeft().Run();
  }
}

// ---- replies --------------------------------------------------------------------------------------------------------

// Case 1: without any configuration nothing is compressed, though the client would understand it.
TEST(W07Encoding, WithoutAWishNothingIsCompressed) {
  ServerScript script;
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary", kAccepts))
      .Peer(Data(1, Message(kLong), "END_STREAM"))
      .ExpectWritten({ResponseHead(1), Data(1, Message(kLong)), Trailers(1)})
      .Run();
}

// Case 2: the server's configuration is used where the call has none.
TEST(W07Encoding, TheServersDefaultCompresses) {
  ServerScript script(Answering("gzip"));
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary", kAccepts))
      .Peer(Data(1, Message(kLong), "END_STREAM"))
      .ExpectWritten({HeadWith(1, "gzip"), Data(1, Compressed(kLong)), Trailers(1)})
      .ExpectNothingLeft()
      .Run();
}

// Case 3: what a call says goes before the server's default.
TEST(W07Encoding, ACallMayCompressOtherwise) {
  ServerScript script(Answering("gzip"));
  script.Unary(EchoInDeflate)
      .Handshake()
      .Peer(Request(1, "Unary", kAccepts))
      .Peer(Data(1, Message(kLong), "END_STREAM"))
      .ExpectWritten({HeadWith(1, "deflate"), Data(1, Compressed(kLong, DeflateCompressor())), Trailers(1)})
      .Run();
}

TEST(W07Encoding, ACallMayCompressNothing) {
  ServerScript script(Answering("gzip"));
  script.Unary(EchoAsItIs)
      .Handshake()
      .Peer(Request(1, "Unary", kAccepts))
      .Peer(Data(1, Message(kLong), "END_STREAM"))
      .ExpectWritten({ResponseHead(1), Data(1, Message(kLong)), Trailers(1)})
      .Run();
}

// gRPC compression.md: "a response MAY be compressed differently, if at all". One side's says nothing of the other's.
TEST(W07Encoding, RequestAndReplyMayDiffer) {
  ServerScript script;
  script.Unary(EchoInGzip)
      .Handshake()
      .Peer(Request(1, "Unary", absl::StrCat("grpc-encoding=deflate", kAccepts)))
      .Peer(Data(1, Compressed(kLong, DeflateCompressor()), "END_STREAM"))
      .ExpectWritten({HeadThatAccepts(1, "grpc-encoding=gzip "), Data(1, Compressed(kLong)), Trailers(1)})
      .Run();
}

TEST(W07Encoding, AClientThatDoesNotAcceptItGetsPlainMessages) {
  for (const std::string accepts : {"", "grpc-accept-encoding=identity", "grpc-accept-encoding=identity,deflate"}) {
    for (const bool by_default : {false, true}) {
      ServerScript script(Answering(by_default ? "gzip" : ""));
      script.Unary(by_default ? Echo : EchoInGzip)
          .Handshake()
          .Peer(Request(1, "Unary", accepts))
          .Peer(Data(1, Message(kLong), "END_STREAM"))
          .ExpectWritten({ResponseHead(1), Data(1, Message(kLong)), Trailers(1)})
          .Run();
    }
  }
}

TEST(W09PerMessage, AMessageThatWouldNotGetSmallerGoesAsItIs) {
  ServerScript script(Answering("gzip"));
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary", kAccepts))
      .Peer(Data(1, Message("short"), "END_STREAM"))
      .ExpectWritten({HeadWith(1, "gzip"), Data(1, Message("short")), Trailers(1)})
      .Run();
}

TEST(W07Encoding, AnEncodingThatTheServerHasNotEndsTheCall) {
  ServerScript script;
  const auto handler = [](ServerWorld&, ServerContext& context,
                          const Payload& request) -> Task<absl::StatusOr<Payload>> {
    context.SetCompression("br");
    co_return request;
  };
  script.Unary(+handler)
      .Handshake()
      .Peer(Request(1, "Unary", "grpc-accept-encoding=br"))
      .Peer(Data(1, Message(kLong), "END_STREAM"))
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=13 "
                      "grpc-message=\"SetCompression: expected one of identity,gzip,deflate, got \\\"br\\\"; add it to "
                      "ServerOptions::compressors\""})
      .ExpectNothingLeft()
      .Run();
}

TEST(W07Encoding, AnErrorIsStillASingleBlock) {
  ServerScript script(Answering("gzip"));
  const auto handler = [](ServerWorld&, ServerContext& context,
                          const Payload& request) -> Task<absl::StatusOr<Payload>> {
    co_return absl::NotFoundError("no such thing");
  };
  script.Unary(+handler)
      .Handshake()
      .Peer(Request(1, "Unary", kAccepts))
      .Peer(Data(1, Message(kLong), "END_STREAM"))
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-status=5 "
                      "grpc-message=\"no such thing\""})
      .Run();
}

TEST(W09PerMessage, SingleMessagesMayBeLeftOut) {
  ServerScript script;
  const auto handler = [](ServerWorld& world, ServerContext& context, const StreamRequest&,
                          Writer<Payload>& writer) -> Task<absl::Status> {
    context.SetCompression("gzip");
    Payload payload;
    payload.set_body(kLong);
    co_await writer.Write(payload);
    co_await writer.Write(payload, WriteOptions().Uncompressed());
    context.SetCompression("identity");  // too late: the head has said how
    co_await writer.Write(payload);
    co_return absl::OkStatus();
  };
  script.ServerStream(+handler)
      .Handshake()
      .Peer(Request(1, "ServerStream", kAccepts))
      .Peer(Data(1, Envelope(0, 0), "END_STREAM"))
      .ExpectWritten(
          {HeadWith(1, "gzip"), Data(1, Compressed(kLong) + Message(kLong) + Compressed(kLong)), Trailers(1)})
      .ExpectNothingLeft()
      .Run();
}

// ---- others ---------------------------------------------------------------------------------------------------------

TEST(W07Encoding, AnotherCodingIsOneLine) {
  weir::ServerOptions options = Answering("zstd");
  options.compressors.Add(ZstdCompressor());
  ServerScript script(options);
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary", "grpc-encoding=zstd grpc-accept-encoding=zstd"))
      .Peer(Data(1, Compressed(kLong, ZstdCompressor()), "END_STREAM"))
      .ExpectLog({"1000 bytes compressed"})
      .ExpectWritten({"HEADERS 1 :status=200 grpc-encoding=zstd grpc-accept-encoding=identity,gzip,deflate,zstd "
                      "content-type=application/grpc",
                      Data(1, Compressed(kLong, ZstdCompressor())), Trailers(1)})
      .Run();
}

TEST(W07Encoding, AServerMayUnderstandIdentityOnly) {
  weir::ServerOptions options;
  options.compressors = Compressors::None();
  ServerScript script(options);
  script.Unary(Echo)
      .Handshake()
      .Peer(Request(1, "Unary", "grpc-encoding=gzip"))
      .ExpectWritten({"HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-accept-encoding=identity "
                      "grpc-status=12 grpc-message=\"grpc-encoding: expected one of identity, got \\\"gzip\\\"\"",
                      "RST_STREAM 1 NO_ERROR"})
      .Run();
}

}  // namespace
}  // namespace weir
