// Decoding never fails, undoes encoding, and leaves clean text as it is.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "weir/rpc/wire/text_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string encoded = weir::wire::PercentEncode(text);
  for (const char c : encoded) {
    if (c < 0x20 || c > 0x7e) std::abort();
  }
  if (weir::wire::PercentDecode(encoded) != text) std::abort();
  const std::string decoded = weir::wire::PercentDecode(text);
  if (decoded.size() > text.size()) std::abort();
  if (text.find('%') == std::string_view::npos && decoded != text) std::abort();
  return 0;
}
