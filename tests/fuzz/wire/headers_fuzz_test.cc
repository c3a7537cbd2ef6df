// No header block of a peer does more than fail its own call, and what is read can be written again. The input is lines
// of "name=value".
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "weir/rpc/wire/compressors.h"
#include "weir/rpc/wire/protocol.h"
#include "weir/rpc/wire/zlib_compressor.h"
#include "weir/rpc/wire/zstd_compressor.h"

namespace {

using weir::transport::HeaderList;
using weir::transport::RequestReceived;
using weir::transport::ResponseReceived;
using weir::wire::Grpc;

void Require(bool condition) {
  if (!condition) std::abort();
}

HeaderList Parse(std::string_view text) {
  HeaderList fields;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const size_t equals = line.find('=');
    fields.Add(line.substr(0, equals), equals == std::string_view::npos ? std::string_view() : line.substr(equals + 1));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return fields;
}

int StatusOf(const HeaderList& fields) {
  const std::string_view text = fields.Find(":status").value_or("200");
  int status = 200;
  std::from_chars(text.data(), text.data() + text.size(), status);
  return status;
}

// Two of the usual, one of which an application has put in its place, and one more.
weir::Compressors Codings() { return weir::Compressors().Add(weir::GzipCompressor()).Add(weir::ZstdCompressor()); }

// A request that is read can be made again, and then says the same; what may be sent on is never raw.
void FuzzRequest(const HeaderList& fields) {
  const RequestReceived request{.fields = fields};
  const weir::wire::DecodedRequest decoded = Grpc().DecodeRequest(request);
  Require(Grpc().Accepts("application/grpc") && Grpc().name() == "grpc");
  const int attempts = Grpc().DecodePreviousAttempts(request);
  Require(attempts >= 0);
  static_cast<void>(weir::wire::Accepts(decoded.accept_encoding, "gzip"));
  static_cast<void>(weir::wire::OfRequest(Codings(), decoded.encoding));
  if (!decoded.status.ok()) return;
  const weir::Metadata metadata = Grpc().DecodeMetadata(fields, SIZE_MAX);
  HeaderList again;
  Grpc().EncodeRequest({.scheme = "http",
                        .path = decoded.path,
                        .authority = decoded.authority,
                        .user_agent = "fuzz",
                        .timeout = decoded.timeout,
                        .encoding = decoded.encoding,
                        .accept_encoding = decoded.accept_encoding,
                        .previous_attempts = attempts,
                        .metadata = &metadata},
                       &again);
  const RequestReceived sent{.fields = again};
  const weir::wire::DecodedRequest reread = Grpc().DecodeRequest(sent);
  Require(reread.status.ok() && reread.path == decoded.path && reread.encoding == decoded.encoding);
  Require(reread.timeout.has_value() == decoded.timeout.has_value());
  Require(Grpc().DecodePreviousAttempts(sent) == attempts);
}

void RequireClean(const HeaderList& block) {
  for (const weir::transport::HeaderView field : block) {
    for (const char c : field.value) Require(c >= 0x20 && c <= 0x7e);  // nothing raw is sent on
  }
}

void FuzzResponse(const HeaderList& fields, bool end_stream) {
  const ResponseReceived response{.status = StatusOf(fields), .fields = fields};
  const weir::wire::DecodedResponse decoded = Grpc().DecodeResponse(response, end_stream);
  const weir::Compressors codings = fields.empty() ? weir::Compressors::None() : Codings();
  static_cast<void>(weir::wire::OfResponse(&codings, decoded.encoding));
  static_cast<void>(weir::wire::OfResponse(nullptr, decoded.encoding));
  const absl::Status status = Grpc().DecodeTrailers(fields);
  const weir::Metadata metadata = Grpc().DecodeMetadata(fields, SIZE_MAX);
  Require(metadata.Check().ok());  // what comes in may be sent back
  HeaderList head, again, shorter, only;
  Grpc().EncodeResponseHead({.encoding = decoded.encoding, .accept_encoding = "gzip", .metadata = &metadata}, &head);
  const ResponseReceived sent{.status = 200, .fields = head};
  const weir::wire::DecodedResponse reread = Grpc().DecodeResponse(sent, false);
  Require(!reread.final_status.has_value() && reread.encoding == decoded.encoding);
  Grpc().EncodeTrailers(status, metadata, &again);
  RequireClean(again);
  Require(Grpc().DecodeTrailers(again).code() == status.code());
  if (Grpc().ShortenTrailers(again, &shorter)) Require(Grpc().DecodeTrailers(shorter).code() == status.code());
  Grpc().EncodeTrailersOnly(status, metadata, "identity,gzip", &only);
  RequireClean(only);
  Require(Grpc().DecodeTrailers(only).code() == status.code());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const HeaderList fields = Parse(std::string_view(reinterpret_cast<const char*>(data), size));
  FuzzRequest(fields);
  FuzzResponse(fields, size % 2 == 0);
  return 0;
}
