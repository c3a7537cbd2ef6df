#include "weir/transport/h2/error_code.h"

#include <iterator>

#include "weir/transport/h2/text.h"

namespace weir::transport {
namespace {

constexpr std::string_view kNames[] = {
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
};
constexpr std::string_view kUnknownPrefix = "ERROR_0x";

}  // namespace

std::string ErrorCodeName(ErrorCode code) {
  const uint32_t value = static_cast<uint32_t>(code);
  if (value < std::size(kNames)) return std::string(kNames[value]);
  std::string out(kUnknownPrefix);
  int digits = 1;
  while (digits < 8 && (value >> (4 * digits)) != 0) ++digits;
  AppendHex(value, digits, &out);
  return out;
}

std::optional<ErrorCode> ParseErrorCode(std::string_view name) {
  for (uint32_t value = 0; value < std::size(kNames); ++value) {
    if (kNames[value] == name) return static_cast<ErrorCode>(value);
  }
  if (!name.starts_with(kUnknownPrefix)) return std::nullopt;
  const std::optional<uint64_t> value = ParseHex(name.substr(kUnknownPrefix.size()));
  if (!value.has_value() || *value > 0xffffffff) return std::nullopt;
  return static_cast<ErrorCode>(*value);
}

std::string ToString(ErrorCode code) {
  return ErrorCodeName(code) + "(" + std::to_string(static_cast<uint32_t>(code)) + ")";
}

}  // namespace weir::transport
