// HTTP/2 error codes: the reason carried by RST_STREAM and GOAWAY.
//
// Values not listed here are legal on the wire ("unknown or unsupported error codes MUST NOT trigger any special
// behavior", RFC 9113 section 7), so an ErrorCode may hold any 32-bit number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::transport {

enum class ErrorCode : uint32_t {
  kNoError = 0x0,           // graceful shutdown, or: the response is complete and the rest of the request is not needed
  kProtocolError = 0x1,     // the peer broke a rule that has no code of its own
  kInternalError = 0x2,     // the sender failed
  kFlowControlError = 0x3,  // the peer sent more than the window allowed
  kSettingsTimeout = 0x4,   // SETTINGS was not acknowledged in time
  kStreamClosed = 0x5,      // a frame came for a half-closed stream
  kFrameSizeError = 0x6,    // a frame of an invalid size
  kRefusedStream = 0x7,     // not processed at all: safe to retry
  kCancel = 0x8,            // the stream is no longer needed
  kCompressionError = 0x9,  // the field compression context cannot be maintained
  kConnectError = 0xa,      // the connection behind a CONNECT failed
  kEnhanceYourCalm = 0xb,   // the peer generates excessive load
  kInadequateSecurity = 0xc,  // the transport does not meet the security requirements
  kHttp11Required = 0xd,      // use HTTP/1.1 instead
};

// "CANCEL" for a known code, "ERROR_0x1f" for any other: the word used by frame text.
std::string ErrorCodeName(ErrorCode code);

// The inverse of ErrorCodeName; nullopt if `name` is neither a known name nor ERROR_0x<hex>.
std::optional<ErrorCode> ParseErrorCode(std::string_view name);

// "CANCEL(8)": for error texts.
std::string ToString(ErrorCode code);

}  // namespace weir::transport
