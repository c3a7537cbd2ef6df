#include "weir/transport/h2/text.h"

#include <charconv>
#include <iterator>
#include <system_error>

namespace weir::transport {
namespace {

// RFC 9113 section 6.5.2, RFC 8441 section 3, RFC 9218 section 2.1.
struct Setting {
  uint16_t identifier;
  std::string_view name;
};
constexpr Setting kSettings[] = {
    {1, "HEADER_TABLE_SIZE"}, {2, "ENABLE_PUSH"},          {3, "MAX_CONCURRENT_STREAMS"},  {4, "INITIAL_WINDOW_SIZE"},
    {5, "MAX_FRAME_SIZE"},    {6, "MAX_HEADER_LIST_SIZE"}, {8, "ENABLE_CONNECT_PROTOCOL"}, {9, "NO_RFC7540_PRIORITIES"},
};

bool IsPrintable(char c) { return c >= 0x20 && c <= 0x7e; }

std::optional<uint64_t> ParseNumber(std::string_view text, int base) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace

std::string Quote(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (IsPrintable(c)) {
          out += c;
        } else {
          out += "\\x";
          AppendHex(static_cast<unsigned char>(c), 2, &out);
        }
    }
  }
  out += '"';
  return out;
}

std::string QuoteIfNeeded(std::string_view word) {
  bool plain = !word.empty();
  for (char c : word) plain = plain && IsPrintable(c) && c != ' ' && c != '"' && c != '\\' && c != '#';
  return plain ? std::string(word) : Quote(word);
}

std::string SettingName(uint16_t identifier) {
  for (const Setting& setting : kSettings) {
    if (setting.identifier == identifier) return std::string(setting.name);
  }
  std::string out = "0x";
  AppendHex(identifier, identifier > 0xff ? 4 : 2, &out);
  return out;
}

std::optional<uint16_t> ParseSettingName(std::string_view name) {
  for (const Setting& setting : kSettings) {
    if (setting.name == name) return setting.identifier;
  }
  if (!name.starts_with("0x")) return std::nullopt;
  const std::optional<uint64_t> value = ParseHex(name.substr(2));
  if (!value.has_value() || *value > 0xffff) return std::nullopt;
  return static_cast<uint16_t>(*value);
}

void AppendFields(const HeaderList& fields, std::string* out) {
  for (const HeaderView field : fields) {
    *out += ' ';
    const bool like_option = field.name == "padded" || field.name == "priority";
    const bool quote = like_option || field.name.find('=') != std::string_view::npos;
    *out += quote ? Quote(field.name) : QuoteIfNeeded(field.name);
    *out += '=';
    *out += QuoteIfNeeded(field.value);
  }
}

void AppendHex(uint64_t value, int digits, std::string* out) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) *out += "0123456789abcdef"[(value >> shift) & 0xf];
}

std::optional<uint64_t> ParseDecimal(std::string_view text) { return ParseNumber(text, 10); }
std::optional<uint64_t> ParseHex(std::string_view text) { return ParseNumber(text, 16); }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace weir::transport
