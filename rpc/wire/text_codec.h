// Text codecs of header values: percent-encoding for grpc-message, base64 for metadata whose key ends in "-bin".
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::wire {

// Bytes other than 0x20-0x24 and 0x26-0x7E become %XX (gRPC over HTTP2, Responses: Percent-Encoded).
std::string PercentEncode(std::string_view text);

// The inverse; never fails: "When decoding invalid values, implementations MUST NOT error or throw away the message."
// A '%' that two hex digits do not follow stays as it is: "the implementation can decode valid portions while leaving
// broken %-encodings as-is".
std::string PercentDecode(std::string_view text);

// Standard alphabet, no padding: "Implementations MUST accept padded and un-padded values and should emit un-padded".
std::string Base64Encode(std::string_view bytes);

// Padded or not; nullopt if it is neither. Unused bits of the last digit are ignored.
std::optional<std::string> Base64Decode(std::string_view text);

// The value of a -bin field, which may be a list that a peer or proxy has joined: split at commas, then decoded.
// nullopt if any element is not base64, or if there are more than `values_max`.
std::optional<std::vector<std::string>> Base64DecodeList(std::string_view text, size_t values_max);

}  // namespace weir::wire
