#include "weir/rpc/wire/status_mapping.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/core/why.h"

namespace weir::wire {
namespace {

using transport::ErrorCode;
using transport::ResetBy;

absl::StatusCode CodeFromReset(ErrorCode code) {
  switch (code) {
    case ErrorCode::kCancel:
      return absl::StatusCode::kCancelled;
    case ErrorCode::kRefusedStream:
      return absl::StatusCode::kUnavailable;
    case ErrorCode::kEnhanceYourCalm:
      return absl::StatusCode::kResourceExhausted;
    case ErrorCode::kInadequateSecurity:
      return absl::StatusCode::kPermissionDenied;
    // NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, FRAME_SIZE_ERROR,
    // COMPRESSION_ERROR, CONNECT_ERROR by gRPC's table. STREAM_CLOSED and HTTP_1_1_REQUIRED are not in it; unknown
    // codes "MAY be treated by an implementation as being equivalent to INTERNAL_ERROR" (RFC 9113 section 7).
    default:
      return absl::StatusCode::kInternal;
  }
}

// What this side resets a stream for by itself: what the peer sent on it (transport/h2).
std::string Broken(const transport::H2StreamReset& reset) {
  const bool over_limit = reset.error_code == ErrorCode::kEnhanceYourCalm;
  return absl::StrCat("stream ", reset.stream_id, " was reset by this side: ", ToString(reset.error_code), ": ",
                      over_limit ? "the peer sent more than is allowed on it" : "the peer broke a rule of HTTP/2 on it",
                      "; WEIR_TRACE=frames shows its frames");
}

}  // namespace

absl::StatusCode CodeFromHttp(int http_status) {
  switch (http_status) {
    case 400:
      return absl::StatusCode::kInternal;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kUnimplemented;
    case 429:
      return absl::StatusCode::kUnavailable;
    case 431:
      return absl::StatusCode::kInternal;
    case 502:
      return absl::StatusCode::kUnavailable;
    case 503:
      return absl::StatusCode::kUnavailable;
    case 504:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kUnknown;
  }
}

std::string Describe(const transport::H2GoAway& goaway) {
  std::string text = ToString(goaway.error_code);
  if (!goaway.debug_data.empty()) absl::StrAppend(&text, " \"", absl::CHexEscape(goaway.debug_data), "\"");
  return text;
}

absl::Status StatusFromReset(const transport::H2StreamReset& reset, const transport::H2GoAway* goaway) {
  Why why;
  why.http2 = absl::StrCat("RST_STREAM ", ToString(reset.error_code));
  // RFC 9113 section 6.8: streams above the last identifier "are not or will not be processed"; section 8.7:
  // REFUSED_STREAM is used "to indicate that the stream is being closed prior to any processing having occurred".
  if (reset.by == ResetBy::kGoAway) {
    why.by = Why::By::kPeer;
    why.processed = Why::Processed::kNo;
    std::string text = absl::StrCat("peer sent GOAWAY before it processed stream ", reset.stream_id);
    why.http2 = "GOAWAY";
    if (goaway != nullptr) {
      absl::StrAppend(&text, ": ", Describe(*goaway));
      absl::StrAppend(&why.http2, " ", Describe(*goaway));
    }
    return WithWhy(absl::UnavailableError(text), why);
  }
  absl::StatusCode code = CodeFromReset(reset.error_code);
  if (reset.error_code == ErrorCode::kRefusedStream) why.processed = Why::Processed::kNo;
  if (reset.by == ResetBy::kLocal) return WithWhy(absl::Status(code, Broken(reset)), why);
  why.by = Why::By::kPeer;
  return WithWhy(
      absl::Status(code, absl::StrCat("peer reset stream ", reset.stream_id, ": ", ToString(reset.error_code))), why);
}

absl::Status TooLarge(std::string_view what, const transport::BlockSize& block, const transport::H2Options& limits) {
  std::string text;
  const auto add = [&text](uint32_t got, uint32_t limit, absl::string_view unit, absl::string_view option) {
    if (got <= limit) return;
    absl::StrAppend(&text, text.empty() ? " over the limit of " : " and of ", limit, " ", unit, " by ", got - limit,
                    " (option ", option, ")");
  };
  add(block.bytes, limits.header_list_bytes_max, "bytes", "max_metadata_bytes");
  add(block.fields, limits.header_fields_max, "fields", "max_metadata_fields");
  return absl::ResourceExhaustedError(absl::StrCat(std::string(what), ": ", block.bytes, " bytes in ", block.fields,
                                                   " fields, the protocol's included, are", text));
}

ErrorCode ResetFromStatus(const absl::Status& status) {
  return IsUnprocessed(status) ? ErrorCode::kRefusedStream : ResetFromStatus(status.code());
}

ErrorCode ResetFromStatus(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return ErrorCode::kNoError;
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnavailable:
      return ErrorCode::kCancel;
    case absl::StatusCode::kResourceExhausted:
      return ErrorCode::kEnhanceYourCalm;
    case absl::StatusCode::kPermissionDenied:
      return ErrorCode::kInadequateSecurity;
    default:
      return ErrorCode::kInternalError;
  }
}

}  // namespace weir::wire
