// What is sent is what is received: a message, of a type that is known or not, in an envelope that may be compressed.
// And no compressed payload makes more than the limit. The first octet chooses the coding, the second the limit.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/stubs/logging.h"
#include "weir/rpc/core/intercepted_message.h"
#include "weir/rpc/wire/compressed_message.h"
#include "weir/rpc/wire/envelope.h"
#include "weir/rpc/wire/message_codec.h"
#include "weir/rpc/wire/zlib_compressor.h"
#include "weir/rpc/wire/zstd_compressor.h"
#include "weir/tests/fuzz/input.h"

namespace {

using weir::testing::Require;
using weir::wire::Envelope;
using weir::wire::EnvelopeReader;
using weir::wire::kEnvelopeHeaderBytes;

// Null: none.
std::shared_ptr<const weir::Compressor> Chosen(uint8_t byte) {
  switch (byte % 4) {
    case 0:
      return nullptr;
    case 1:
      return weir::GzipCompressor();
    case 2:
      return weir::DeflateCompressor();
    default:
      return weir::ZstdCompressor();
  }
}

// The payload that the receiver of one message gets to decode.
std::string Received(std::string_view framed, size_t framed_bytes, const weir::Compressor* compressor) {
  EnvelopeReader reader(framed.size());
  reader.Feed(framed);
  Envelope envelope;
  Require(reader.Next(&envelope) == EnvelopeReader::Cut::kMessage && reader.AtEnd().ok(), "one envelope");
  if (!envelope.compressed) return envelope.payload.Flatten();
  std::string payload;
  Require(weir::wire::Decompress(envelope.payload.Flatten(), compressor, framed_bytes, &payload).ok(),
          "our own coding");
  return payload;
}

template <class Message>
void FuzzMessage(std::string_view bytes, const weir::Compressor* compressor) {
  Message message;
  if (!weir::wire::DecodeMessage(bytes, &message).ok()) return;
  const weir::OutgoingMessage outgoing = weir::wire::Outgoing(message);
  const auto plain = outgoing.Encode();
  const auto framed = outgoing.Encode(compressor);
  Require(plain.ok() && framed.ok() && framed->bytes.size() <= plain->bytes.size(), "compression makes nothing larger");
  Message again;
  const std::string payload = Received(framed->bytes, plain->bytes.size(), compressor);
  Require(weir::wire::DecodeMessage(std::string_view(payload), &again).ok(), "what was sent decodes");
  Require(weir::wire::Outgoing(again).Encode()->bytes == plain->bytes, "and is the same");

  weir::InterceptedMessage seen(outgoing);
  (void)seen.ToText();
  Message* const own = seen.Mutable<Message>();
  Require(own != nullptr && own != &message && seen.FramedBytes() == plain->bytes.size(), "a copy of the same value");
  *own = Message();
  Require(seen.FramedBytes() == kEnvelopeHeaderBytes && outgoing.FramedBytes() == plain->bytes.size(),
          "the application's message is not changed");
}

void FuzzPayload(std::string_view payload, const weir::Compressor* compressor, size_t bytes_max) {
  std::string message;
  const absl::Status done = weir::wire::Decompress(payload, compressor, bytes_max, &message);
  if (done.ok()) return Require(message.size() <= bytes_max, "within the limit");
  Require(absl::IsInternal(done) || absl::IsResourceExhausted(done), "the codes that gRPC has for it");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const google::protobuf::LogSilencer quiet;  // it tells of each string that is no UTF-8
  weir::testing::Input input(data, size);
  const auto compressor = Chosen(input.Byte());
  const size_t bytes_max = size_t{16} << input.Byte() % 13;
  const std::string_view bytes = input.Bytes(SIZE_MAX);
  FuzzMessage<google::protobuf::FileDescriptorProto>(bytes, compressor.get());
  FuzzMessage<weir::Bytes>(bytes, compressor.get());
  FuzzPayload(bytes, compressor.get(), bytes_max);
  return 0;
}
