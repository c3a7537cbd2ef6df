// Whatever comes, decompression makes at most one byte more than the limit; and what it makes of a message is the same
// after any other. The first byte chooses the coding, the second the limit.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "weir/rpc/wire/zlib_compressor.h"
#include "weir/rpc/wire/zstd_compressor.h"

namespace {

std::shared_ptr<const weir::Compressor> Chosen(uint8_t byte) {
  switch (byte % 3) {
    case 0:
      return weir::GzipCompressor();
    case 1:
      return weir::DeflateCompressor();
    default:
      return weir::ZstdCompressor();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const auto compressor = Chosen(data[0]);
  const size_t bytes_max = size_t{16} << data[1] % 13;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::string message;
  const absl::Status done = compressor->Decompress(bytes, bytes_max, &message);
  if (done.ok() && message.size() > bytes_max + 1) std::abort();
  if (!done.ok() || message.size() > bytes_max) message = "another";
  // Its state is ready for the next one.
  std::string again;
  std::string compressed;
  if (!compressor->Compress(message, &compressed).ok()) std::abort();
  if (!compressor->Decompress(compressed, message.size(), &again).ok() || again != message) std::abort();
  return 0;
}
