// Whatever resets a stream, its call gets an error that says who did it; whatever a status is, there is a code to reset
// with. The input: who (peer, we, GOAWAY), the HTTP/2 code, an HTTP status in two octets, and a GOAWAY's debug data.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "weir/rpc/core/status.h"
#include "weir/rpc/wire/status_mapping.h"

namespace {

using weir::transport::ErrorCode;

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  const auto code = static_cast<ErrorCode>(data[1]);
  const weir::transport::H2GoAway goaway{
      .last_stream_id = 1, .error_code = code, .debug_data = std::string(data + 4, data + size)};
  const weir::transport::H2StreamReset reset{
      .stream_id = 3, .error_code = code, .by = static_cast<weir::transport::ResetBy>(data[0] % 3)};
  const absl::Status status = weir::wire::StatusFromReset(reset, data[0] % 2 == 0 ? &goaway : nullptr);
  Require(!status.ok() && !status.message().empty());
  Require(weir::wire::ResetFromStatus(status) != ErrorCode::kNoError);
  Require(!weir::IsUnprocessed(status) || weir::wire::ResetFromStatus(status) == ErrorCode::kRefusedStream);
  Require(weir::wire::CodeFromHttp(data[2] << 8 | data[3]) != absl::StatusCode::kOk);

  const auto any = static_cast<absl::StatusCode>(data[3] % 17);
  Require((weir::wire::ResetFromStatus(any) == ErrorCode::kNoError) == (any == absl::StatusCode::kOk));
  const weir::transport::BlockSize block{.bytes = uint32_t{data[2]} << 8, .fields = data[3]};
  Require(absl::IsResourceExhausted(weir::wire::TooLarge("block", block, {})));
  return 0;
}
