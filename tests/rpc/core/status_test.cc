#include "weir/rpc/core/status.h"

#include <cstdint>

#include "gtest/gtest.h"
#include "weir/rpc/core/method.h"

namespace weir {
namespace {

TEST(StatusTest, UnprocessedIsAMarkThatTravelsWithTheStatus) {
  const absl::Status marked = MarkUnprocessed(absl::UnavailableError("gone"));
  EXPECT_TRUE(IsUnprocessed(marked));
  EXPECT_TRUE(IsUnprocessed(absl::Status(marked)));
  EXPECT_EQ(marked.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(marked.message(), "gone");
  EXPECT_FALSE(IsUnprocessed(absl::UnavailableError("gone")));
}

TEST(StatusTest, OkCannotBeUnprocessed) {
  EXPECT_TRUE(MarkUnprocessed(absl::OkStatus()).ok());
  EXPECT_FALSE(IsUnprocessed(MarkUnprocessed(absl::OkStatus())));
}

TEST(StatusTest, GrpcNumbersAreTheCodesThemselves) {
  for (uint64_t number = 0; number <= 16; ++number) {
    EXPECT_EQ(GrpcNumberFromCode(CodeFromGrpcNumber(number)), static_cast<int>(number));
  }
  EXPECT_EQ(CodeFromGrpcNumber(5), absl::StatusCode::kNotFound);
  EXPECT_EQ(CodeFromGrpcNumber(14), absl::StatusCode::kUnavailable);
}

TEST(StatusTest, AnyOtherNumberIsUnknown) {
  for (const uint64_t number : {uint64_t{17}, uint64_t{99}, UINT64_MAX}) {
    EXPECT_EQ(CodeFromGrpcNumber(number), absl::StatusCode::kUnknown);
  }
  EXPECT_EQ(GrpcNumberFromCode(static_cast<absl::StatusCode>(17)), 2);
  EXPECT_EQ(GrpcNumberFromCode(static_cast<absl::StatusCode>(-1)), 2);
}

TEST(MethodSpecTest, SplitsThePath) {
  constexpr MethodSpec kSpec{"/pkg.Echo/Say", CallKind::kUnary};
  static_assert(kSpec.service() == "pkg.Echo" && kSpec.method() == "Say");
  for (const std::string_view path : {"", "/", "pkg.Echo/Say", "/Say", "Say"}) {
    EXPECT_EQ((MethodSpec{path, CallKind::kUnary}.service()), "") << path;
    EXPECT_EQ((MethodSpec{path, CallKind::kUnary}.method()), "") << path;
  }
}

TEST(MethodSpecTest, KindsSayWhoStreams) {
  EXPECT_FALSE(ClientStreams(CallKind::kUnary) || ServerStreams(CallKind::kUnary));
  EXPECT_TRUE(ClientStreams(CallKind::kClientStreaming) && !ServerStreams(CallKind::kClientStreaming));
  EXPECT_TRUE(!ClientStreams(CallKind::kServerStreaming) && ServerStreams(CallKind::kServerStreaming));
  EXPECT_TRUE(ClientStreams(CallKind::kBidiStreaming) && ServerStreams(CallKind::kBidiStreaming));
}

TEST(StatusTest, DetailsAreBytesBesideTheStatus) {
  absl::Status status = absl::NotFoundError("no such chat");
  EXPECT_EQ(EncodedDetails(status), "");
  SetEncodedDetails(&status, std::string_view("a\0b", 3));
  EXPECT_EQ(EncodedDetails(status), std::string_view("a\0b", 3));
  EXPECT_EQ(EncodedDetails(Unshared(status)), std::string_view("a\0b", 3));
  SetEncodedDetails(&status, "");
  EXPECT_EQ(status, absl::NotFoundError("no such chat"));
  absl::Status ok;
  SetEncodedDetails(&ok, "x");
  EXPECT_EQ(EncodedDetails(ok), "");
}

TEST(StatusTest, AnUnsharedStatusIsTheSameWithItsPayloads) {
  const absl::Status status = MarkUnprocessed(absl::UnavailableError("gone"));
  EXPECT_EQ(Unshared(status), status);
  EXPECT_TRUE(IsUnprocessed(Unshared(status)));
  EXPECT_TRUE(Unshared(absl::OkStatus()).ok());
}

}  // namespace
}  // namespace weir
