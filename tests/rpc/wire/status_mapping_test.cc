#include "weir/rpc/wire/status_mapping.h"

#include <cstdint>
#include <string>

#include "gtest/gtest.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/core/why.h"

namespace weir::wire {
namespace {

using absl::StatusCode;
using transport::ErrorCode;
using transport::H2StreamReset;
using transport::ResetBy;

TEST(CodeFromHttpTest, FollowsTheTableOfGrpc) {
  const struct {
    int http;
    StatusCode code;
  } kCases[] = {
      {400, StatusCode::kInternal},      {401, StatusCode::kUnauthenticated}, {403, StatusCode::kPermissionDenied},
      {404, StatusCode::kUnimplemented}, {429, StatusCode::kUnavailable},     {431, StatusCode::kInternal},
      {502, StatusCode::kUnavailable},   {503, StatusCode::kUnavailable},     {504, StatusCode::kUnavailable},
      {200, StatusCode::kUnknown},       {204, StatusCode::kUnknown},         {302, StatusCode::kUnknown},
      {405, StatusCode::kUnknown},       {415, StatusCode::kUnknown},         {500, StatusCode::kUnknown},
      {505, StatusCode::kUnknown},       {0, StatusCode::kUnknown},           {999, StatusCode::kUnknown},
  };
  for (const auto& c : kCases) EXPECT_EQ(CodeFromHttp(c.http), c.code) << c.http;
}

TEST(StatusFromResetTest, FollowsTheTableOfGrpc) {
  const struct {
    ErrorCode error;
    StatusCode code;
  } kCases[] = {
      {ErrorCode::kNoError, StatusCode::kInternal},
      {ErrorCode::kProtocolError, StatusCode::kInternal},
      {ErrorCode::kInternalError, StatusCode::kInternal},
      {ErrorCode::kFlowControlError, StatusCode::kInternal},
      {ErrorCode::kSettingsTimeout, StatusCode::kInternal},
      {ErrorCode::kStreamClosed, StatusCode::kInternal},
      {ErrorCode::kFrameSizeError, StatusCode::kInternal},
      {ErrorCode::kRefusedStream, StatusCode::kUnavailable},
      {ErrorCode::kCancel, StatusCode::kCancelled},
      {ErrorCode::kCompressionError, StatusCode::kInternal},
      {ErrorCode::kConnectError, StatusCode::kInternal},
      {ErrorCode::kEnhanceYourCalm, StatusCode::kResourceExhausted},
      {ErrorCode::kInadequateSecurity, StatusCode::kPermissionDenied},
      {ErrorCode::kHttp11Required, StatusCode::kInternal},
      {static_cast<ErrorCode>(0xdeadbeef), StatusCode::kInternal},
  };
  for (const auto& c : kCases) {
    const absl::Status status = StatusFromReset({.stream_id = 5, .error_code = c.error, .by = ResetBy::kPeer});
    EXPECT_EQ(status.code(), c.code) << ToString(c.error);
    EXPECT_EQ(IsUnprocessed(status), c.error == ErrorCode::kRefusedStream) << ToString(c.error);
  }
}

TEST(StatusFromResetTest, SaysWhoDidIt) {
  const absl::Status peers = StatusFromReset({.stream_id = 5, .error_code = ErrorCode::kCancel, .by = ResetBy::kPeer});
  EXPECT_EQ(peers.message(), "peer reset stream 5: CANCEL(8)");
  EXPECT_EQ(WhyOf(peers)->by, Why::By::kPeer);
  EXPECT_EQ(WhyOf(peers)->http2, "RST_STREAM CANCEL(8)");
  const absl::Status ours =
      StatusFromReset({.stream_id = 7, .error_code = ErrorCode::kProtocolError, .by = ResetBy::kLocal});
  EXPECT_EQ(
      ours.message(),
      "stream 7 was reset by this side: PROTOCOL_ERROR(1): the peer broke a rule of HTTP/2 on it; WEIR_TRACE=frames "
      "shows its frames");
  EXPECT_EQ(WhyOf(ours)->by, Why::By::kUs);
}

TEST(StatusFromResetTest, AStreamAboveGoAwayIsUnprocessedWhateverItsCode) {
  for (const ErrorCode error : {ErrorCode::kNoError, ErrorCode::kRefusedStream, ErrorCode::kEnhanceYourCalm}) {
    const absl::Status status = StatusFromReset({.stream_id = 9, .error_code = error, .by = ResetBy::kGoAway});
    EXPECT_EQ(status.code(), StatusCode::kUnavailable);
    EXPECT_TRUE(IsUnprocessed(status));
    EXPECT_EQ(status.message(), "peer sent GOAWAY before it processed stream 9");
  }
}

TEST(StatusFromResetTest, GoAwaySaysItsCodeAndWhatCameWithIt) {
  const transport::H2GoAway goaway{.error_code = ErrorCode::kEnhanceYourCalm, .debug_data = "too_many\npings"};
  const absl::Status status =
      StatusFromReset({.stream_id = 9, .error_code = ErrorCode::kRefusedStream, .by = ResetBy::kGoAway}, &goaway);
  EXPECT_EQ(status.message(),
            "peer sent GOAWAY before it processed stream 9: ENHANCE_YOUR_CALM(11) \"too_many\\npings\"");
  EXPECT_EQ(WhyOf(status)->http2, "GOAWAY ENHANCE_YOUR_CALM(11) \"too_many\\npings\"");
}

TEST(ResetFromStatusTest, FollowsTheTableOfGrpcBackwards) {
  EXPECT_EQ(ResetFromStatus(StatusCode::kOk), ErrorCode::kNoError);
  EXPECT_EQ(ResetFromStatus(StatusCode::kCancelled), ErrorCode::kCancel);
  EXPECT_EQ(ResetFromStatus(StatusCode::kDeadlineExceeded), ErrorCode::kCancel);
  EXPECT_EQ(ResetFromStatus(StatusCode::kResourceExhausted), ErrorCode::kEnhanceYourCalm);
  EXPECT_EQ(ResetFromStatus(StatusCode::kPermissionDenied), ErrorCode::kInadequateSecurity);
  EXPECT_EQ(ResetFromStatus(StatusCode::kInternal), ErrorCode::kInternalError);
  EXPECT_EQ(ResetFromStatus(StatusCode::kUnknown), ErrorCode::kInternalError);
}

TEST(ResetFromStatusTest, PromisesThatNothingWasProcessedOnlyIfSo) {
  EXPECT_EQ(ResetFromStatus(absl::UnavailableError("backend is down")), ErrorCode::kCancel);
  EXPECT_EQ(ResetFromStatus(MarkUnprocessed(absl::UnavailableError("no handler slot"))), ErrorCode::kRefusedStream);
}

}  // namespace
}  // namespace weir::wire
