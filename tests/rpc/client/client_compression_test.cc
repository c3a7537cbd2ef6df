// Compressed messages on the client: what it says, sends and understands, and the cases of gRPC's compression.md that a
// client decides.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/wire/compressed_message.h"
#include "weir/rpc/wire/zlib_compressor.h"
#include "weir/rpc/wire/zstd_compressor.h"
#include "weir/tests/support/client_script.h"

namespace weir {
namespace {

using bench::Payload;
using testing::ClientScript;
using testing::ClientWorld;
using testing::Data;
using testing::Envelope;
using testing::Line;
using testing::Message;
using testing::ResponseHead;
using testing::TestCall;
using testing::Trailers;

const std::string kLong(1000, 'x');

std::string Compressed(std::string_view body, const std::shared_ptr<const Compressor>& by = GzipCompressor()) {
  return std::string(wire::CompressFramed(transport::SharedBytes::Of(Message(body)), *by)->bytes);
}

// The head of a request, with what it says of encodings.
std::string Head(int id, std::string_view method, std::string_view encodings) {
  return absl::StrCat("HEADERS ", id, " :method=POST :scheme=http :path=/bench.Echo/", std::string(method),
                      " :authority=test te=trailers content-type=application/grpc ", std::string(encodings),
                      "user-agent=...");
}
constexpr char kOffer[] = "grpc-accept-encoding=identity,gzip,deflate ";

ChannelOptions Asking(std::string compression) {
  ChannelOptions options;
  options.compression = std::move(compression);
  return options;
}

Task<void> CallWith(ClientWorld& world, CallOptions options) {
  TestCall call = world.Call("Unary", kLong, options);
  absl::StatusOr<Payload> reply = co_await call.Reply();
  if (!reply.ok()) {
    world.Log(Line(reply.status()));
  } else {
    world.Log(absl::StrCat("reply ", reply->body().size(), call.last_message_compressed() ? " compressed" : ""));
  }
}
Task<void> Call(ClientWorld& world) { return CallWith(world, CallOptions()); }
Task<void> CallInDeflate(ClientWorld& world) { return CallWith(world, CallOptions().Compression("deflate")); }
Task<void> CallAsItIs(ClientWorld& world) { return CallWith(world, CallOptions().Compression("identity")); }
Task<void> CallInBrotli(ClientWorld& world) { return CallWith(world, CallOptions().Compression("br")); }

Task<void> ReadAll(ClientWorld& world) {
  TestCall call = world.Call("ServerStream", "");
  while (std::optional<Payload> payload = co_await call.Read()) {
    world.Log(absl::StrCat("read ", payload->body().size(), call.last_message_compressed() ? " compressed" : ""));
  }
  absl::Status status = co_await call.Finish();
  world.Log(Line(status));
}

// ---- requests -------------------------------------------------------------------------------------------------------

// Case 1: without any configuration nothing is compressed; what is understood is said all the same.
TEST(W07Encoding, WithoutAWishNothingIsCompressed) {
  ClientScript script;
  script.Handshake().Spawn(Call).ExpectWritten({Head(1, "Unary", kOffer), Data(1, Message(kLong), "END_STREAM")}).Run();
}

// Case 2: the channel's configuration is used where the call has none.
TEST(W07Encoding, TheChannelsDefaultCompresses) {
  ClientScript script(Asking("gzip"));
  script.Handshake()
      .Spawn(Call)
      .ExpectWritten(
          {Head(1, "Unary", absl::StrCat("grpc-encoding=gzip ", kOffer)), Data(1, Compressed(kLong), "END_STREAM")})
      .Run();
}

// Case 3: what a call says goes before the channel's default.
TEST(W07Encoding, ACallMayCompressOtherwise) {
  ClientScript script(Asking("gzip"));
  script.Handshake()
      .Spawn(CallInDeflate)
      .ExpectWritten({Head(1, "Unary", absl::StrCat("grpc-encoding=deflate ", kOffer)),
                      Data(1, Compressed(kLong, DeflateCompressor()), "END_STREAM")})
      .Run();
}

TEST(W07Encoding, ACallMayCompressNothing) {
  ClientScript script(Asking("gzip"));
  script.Handshake()
      .Spawn(CallAsItIs)
      .ExpectWritten({Head(1, "Unary", kOffer), Data(1, Message(kLong), "END_STREAM")})
      .Run();
}

TEST(W07Encoding, HeadsThatAreUsedAgainKeepTheirEncodingApart) {
  ClientScript script;
  const std::string in_deflate = absl::StrCat("grpc-encoding=deflate ", kOffer);
  script.Handshake()
      .Spawn(Call)
      .ExpectWritten({Head(1, "Unary", kOffer), Data(1, Message(kLong), "END_STREAM")})
      .Spawn(CallInDeflate)
      .ExpectWritten({Head(3, "Unary", in_deflate), Data(3, Compressed(kLong, DeflateCompressor()), "END_STREAM")})
      .Spawn(Call)
      .ExpectWritten({Head(5, "Unary", kOffer), Data(5, Message(kLong), "END_STREAM")})
      .Run();
}

TEST(W07Encoding, AnEncodingThatTheChannelHasNotFailsTheCall) {
  ClientScript script;
  script.Handshake()
      .Spawn(CallInBrotli)
      .ExpectWritten({})
      .ExpectLog({"INTERNAL: compression of the call: expected one of identity,gzip,deflate, got \"br\"; add it to "
                  "ChannelOptions::compressors"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W09PerMessage, SingleMessagesMayBeLeftOut) {
  ClientScript script(Asking("gzip"));
  const auto coroutine = [](ClientWorld& world) -> Task<void> {
    TestCall call = world.Open("ClientStream");
    co_await call.Write(kLong);
    co_await call.Write(kLong, WriteOptions().Uncompressed());
    absl::Status status = co_await call.Finish();
    world.Log(Line(status));
  };
  script.Handshake()
      .Spawn(+coroutine)
      .ExpectWritten({Head(1, "ClientStream", absl::StrCat("grpc-encoding=gzip ", kOffer)),
                      Data(1, Compressed(kLong) + Message(kLong), "END_STREAM")})
      .Run();
}

TEST(W07Encoding, AChannelMayUnderstandIdentityOnly) {
  ChannelOptions options;
  options.compressors = Compressors::None();
  ClientScript script(options);
  script.Handshake().Spawn(Call).ExpectWritten({Head(1, "Unary", ""), Data(1, Message(kLong), "END_STREAM")}).Run();
}

// ---- replies --------------------------------------------------------------------------------------------------------

TEST(W07Encoding, ACompressedReplyIsReadInWhateverEncodingWasOffered) {
  ClientScript script(Asking("gzip"));
  script.Handshake()
      .Spawn(Call)
      .Peer(ResponseHead(1, "grpc-encoding=deflate"))
      .Peer(Data(1, Compressed(kLong, DeflateCompressor())))
      .Peer(Trailers(1))
      .ExpectLog({"reply 1000 compressed"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W09PerMessage, MessagesWithAndWithoutTheFlagMix) {
  ClientScript script;
  script.Handshake()
      .Spawn(ReadAll)
      .Peer(ResponseHead(1, "grpc-encoding=gzip"))
      .Peer(Data(1, Compressed(kLong) + Message("plain") + Compressed(kLong)))
      .Peer(Trailers(1))
      .ExpectLog({"read 1000 compressed", "read 5", "read 1000 compressed", "OK"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W07Encoding, AnotherCodingIsOneLine) {
  ChannelOptions options = Asking("zstd");
  options.compressors.Add(ZstdCompressor());
  ClientScript script(options);
  script.Handshake()
      .Spawn(Call)
      .ExpectWritten({Head(1, "Unary", "grpc-encoding=zstd grpc-accept-encoding=identity,gzip,deflate,zstd "),
                      Data(1, Compressed(kLong, ZstdCompressor()), "END_STREAM")})
      .Peer(ResponseHead(1, "grpc-encoding=zstd"))
      .Peer(Data(1, Compressed(kLong, ZstdCompressor())))
      .Peer(Trailers(1))
      .ExpectLog({"reply 1000 compressed"})
      .Run();
}

// Case 5: "A message compressed by a server in a way not supported by its client MUST fail with status INTERNAL, its
// associated description indicating the unsupported condition as well as the supported ones."
TEST(W08BadEncoding, AnUnknownEncodingIsInternal) {
  ClientScript script;
  script.Handshake()
      .Spawn(Call)
      .Drop()
      .Peer(ResponseHead(1, "grpc-encoding=br"))
      .ExpectLog({"INTERNAL: grpc-encoding of the response: expected one of identity,gzip,deflate, got \"br\""})
      .ExpectWritten({"RST_STREAM 1 INTERNAL_ERROR"})
      .ExpectNothingLeft()
      .Run();
}

// A status that comes in the head says more than the encoding of messages that never come.
TEST(W08BadEncoding, AnUnknownEncodingBesideAStatusDoesNotHideIt) {
  ClientScript script;
  script.Handshake()
      .Spawn(Call)
      .Peer("HEADERS 1 END_STREAM :status=200 content-type=application/grpc grpc-encoding=br grpc-status=5")
      .ExpectLog({"NOT_FOUND: "})
      .Run();
}

// Case 6.
TEST(W08BadEncoding, TheFlagWithoutAnEncodingIsInternal) {
  for (const std::string fields : {"", "grpc-encoding=identity"}) {
    ClientScript script;
    script.Handshake()
        .Spawn(Call)
        .Peer(ResponseHead(1, fields))
        .Peer(Data(1, Compressed(kLong)))
        .ExpectLog({"INTERNAL: message has its compressed flag set, but the call has no grpc-encoding"})
        .ExpectNothingLeft()
        .Run();
  }
}

TEST(W08BadEncoding, DamageIsInternalNamingEncodingAndFault) {
  ClientScript script;
  script.Handshake()
      .Spawn(ReadAll)
      .Peer(ResponseHead(1, "grpc-encoding=deflate"))
      .Peer(Data(1, Envelope(1, 8, "nonsense")))
      .ExpectLog({"INTERNAL: message of 8 bytes in grpc-encoding deflate: corrupt data: incorrect header check"})
      .ExpectNothingLeft()
      .Run();
}

TEST(W17MessageLimit, TheLimitIsThatOfTheDecompressedMessage) {
  const size_t bytes = Message(kLong).size() - 5;
  for (const size_t limit : {bytes - 1, bytes, bytes + 1}) {
    ChannelOptions options;
    options.max_receive_message_bytes = limit;
    ClientScript script(options);
    script.Handshake()
        .Spawn(Call)
        .Peer(ResponseHead(1, "grpc-encoding=gzip"))
        .Peer(Data(1, Compressed(kLong)))
        .Peer(Trailers(1))
        .ExpectLog({limit < bytes ? absl::StrCat("RESOURCE_EXHAUSTED: message of ", Compressed(kLong).size() - 5,
                                                 " bytes in grpc-encoding gzip is over the limit of ", limit, "...")
                                  : "reply 1000 compressed"})
        .ExpectNothingLeft()
        .Run();
  }
}

}  // namespace
}  // namespace weir
