// No header block of a peer does more than fail its own call, and what is read can be written again. The input is lines
// of "name=value".
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "weir/rpc/wire/protocol.h"

namespace {

using weir::transport::HeaderList;
using weir::wire::Grpc;

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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const HeaderList fields = Parse(std::string_view(reinterpret_cast<const char*>(data), size));
  static_cast<void>(Grpc().DecodeRequest({.fields = fields}));
  static_cast<void>(Grpc().DecodeResponse({.status = 200, .fields = fields}, size % 2 == 0));

  const absl::Status status = Grpc().DecodeTrailers(fields);
  if (!Grpc().DecodeMetadata(fields).Check().ok()) std::abort();  // what comes in may be sent back
  HeaderList again;
  Grpc().EncodeTrailers(status, Grpc().DecodeMetadata(fields), &again);
  for (const weir::transport::HeaderView field : again) {
    for (const char c : field.value) {
      if (c < 0x20 || c > 0x7e) std::abort();  // nothing raw is sent on
    }
  }
  if (Grpc().DecodeTrailers(again).code() != status.code()) std::abort();
  return 0;
}
