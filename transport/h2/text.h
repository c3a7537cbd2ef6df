// Words and quoting shared by every text form of frames and events.
//
//   a=b   plain            a="b c"   quoted: the value holds a space, a quote, a control octet or is empty
//
// Escapes inside quotes: \" \\ \n \r \t and \xHH for every other octet outside 0x20..0x7e. Must not lose an octet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "weir/transport/h2/headers.h"

namespace weir::transport {

// "text" in quotes with escapes.
std::string Quote(std::string_view text);

// `word` as it stands if it can be read back without quotes, else Quote(word).
std::string QuoteIfNeeded(std::string_view word);

// "MAX_CONCURRENT_STREAMS" for a known SETTINGS identifier, "0x1f" for any other.
std::string SettingName(uint16_t identifier);
std::optional<uint16_t> ParseSettingName(std::string_view name);

// Appends " name=value" for each field.
void AppendFields(const HeaderList& fields, std::string* out);

// Appends `value` in lower-case hexadecimal with `digits` digits.
void AppendHex(uint64_t value, int digits, std::string* out);

// Decimal and hexadecimal numbers; nullopt for anything else, overflow included.
std::optional<uint64_t> ParseDecimal(std::string_view text);
std::optional<uint64_t> ParseHex(std::string_view text);

// Value of one hexadecimal digit, or -1.
int HexDigit(char c);

}  // namespace weir::transport
