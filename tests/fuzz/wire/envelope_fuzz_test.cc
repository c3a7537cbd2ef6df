// Any split of the input gives the same messages and the same error, and a message that lies in several pieces is
// parsed as it is in one. The first byte seeds the split.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/stubs/logging.h"
#include "weir/rpc/wire/envelope.h"
#include "weir/rpc/wire/message_codec.h"

namespace {

using weir::wire::Envelope;
using weir::wire::EnvelopeReader;

constexpr size_t kLimit = 1 << 16;

struct Result {
  std::vector<std::string> messages;
  absl::Status error;

  friend bool operator==(const Result&, const Result&) = default;
};

// Any message will do that has fields of all kinds.
void RequireParsedAlike(const weir::transport::ChunkedBytes& pieces, std::string_view whole) {
  google::protobuf::FileDescriptorProto one, several;
  const bool parsed = weir::wire::DecodeMessage(whole, &one).ok();
  if (weir::wire::DecodeMessage(pieces, &several).ok() != parsed) std::abort();
  if (parsed && one.SerializePartialAsString() != several.SerializePartialAsString()) std::abort();
}

// `seed` 0: in one piece.
Result Read(std::string_view bytes, uint32_t seed) {
  EnvelopeReader reader(kLimit);
  Result result;
  const auto take = [&](size_t max) {
    Envelope envelope;
    while (max-- > 0 && reader.Next(&envelope) == EnvelopeReader::Cut::kMessage) {
      const std::string payload = envelope.payload.Flatten();
      if (!envelope.payload.contiguous()) RequireParsedAlike(envelope.payload, payload);
      result.messages.push_back((envelope.compressed ? "C" : "P") + payload);
    }
  };
  while (!bytes.empty()) {
    size_t piece_bytes = bytes.size();
    size_t taken_max = SIZE_MAX;
    if (seed != 0) {
      seed = seed * 1664525 + 1013904223;
      piece_bytes = 1 + (seed >> 16) % (seed >> 28 == 0 ? 300 : 7);
      taken_max = (seed >> 8) % 3;
    }
    const std::string piece(bytes.substr(0, piece_bytes));
    bytes.remove_prefix(piece.size());
    reader.Feed(piece);
    take(taken_max);
    reader.Keep();
  }
  take(SIZE_MAX);
  result.error = reader.AtEnd();
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const google::protobuf::LogSilencer quiet;  // it tells of each string that is no UTF-8
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (!(Read(bytes, 0) == Read(bytes, data[0] + 1u))) std::abort();
  return 0;
}
