// Decoding undoes encoding; what decodes, padded, unpadded or as an element of a list, means the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "weir/rpc/wire/text_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string encoded = weir::wire::Base64Encode(text);
  if (encoded.find('=') != std::string::npos || weir::wire::Base64Decode(encoded) != text) std::abort();

  if (const auto bytes = weir::wire::Base64Decode(text)) {
    if (weir::wire::Base64Decode(weir::wire::Base64Encode(*bytes)) != bytes) std::abort();
    const auto list = weir::wire::Base64DecodeList(std::string(text) + "," + std::string(text), 2);
    if (!list || list->size() != 2 || (*list)[0] != *bytes || (*list)[1] != *bytes) std::abort();
  }
  static_cast<void>(weir::wire::Base64DecodeList(text, SIZE_MAX));
  return 0;
}
