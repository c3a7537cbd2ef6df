// Responses as gRPC over HTTP/2: what a server sends and what a client makes of it.
#include <initializer_list>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/core/why.h"
#include "weir/rpc/wire/grpc_status.h"
#include "weir/rpc/wire/protocol.h"

namespace weir::wire {
namespace {

using transport::HeaderList;
using transport::HeaderView;
using transport::ResponseReceived;

std::string Text(const HeaderList& fields) {
  std::string text;
  for (const HeaderView field : fields) {
    text.append(field.name).append("=").append(field.value).append("\n");
  }
  return text;
}

std::string Trailers(const absl::Status& status, const Metadata& trailing = {}) {
  HeaderList fields;
  Grpc().EncodeTrailers(status, trailing, &fields);
  return Text(fields);
}

std::string TrailersOnly(const absl::Status& status) {
  HeaderList fields;
  Grpc().EncodeTrailersOnly(status, {}, "identity,gzip", &fields);
  return Text(fields);
}

// Without the why, which has tests of its own.
absl::Status Plain(const absl::Status& status) {
  absl::Status plain(status.code(), status.message());
  SetEncodedDetails(&plain, EncodedDetails(status));
  return plain;
}

absl::Status FromTrailers(std::initializer_list<HeaderView> fields) {
  return Plain(Grpc().DecodeTrailers(HeaderList(fields)));
}

DecodedResponse FromHead(int http_status, std::initializer_list<HeaderView> fields, bool end_stream) {
  // `encoding` is a view into the fields: none of these tests looks at it after the call.
  ResponseReceived response{.status = http_status, .fields = {}};
  response.fields.Add(":status", std::to_string(http_status));
  for (const HeaderView field : fields) response.fields.Add(field.name, field.value);
  DecodedResponse decoded = Grpc().DecodeResponse(response, end_stream);
  if (decoded.final_status.has_value()) decoded.final_status = Plain(*decoded.final_status);
  return decoded;
}

// ---- what a server sends

TEST(GrpcEncodeResponseTest, HeadIsContentTypeAndMetadata) {
  HeaderList fields;
  const Metadata metadata({{"k", "v"}, {"b-bin", "f"}});
  ResponseHead head;
  head.metadata = &metadata;
  Grpc().EncodeResponseHead(head, &fields);
  EXPECT_EQ(Text(fields), "content-type=application/grpc\nk=v\nb-bin=Zg\n");
}

// Response-Headers -> HTTP-Status [Message-Encoding] [Message-Accept-Encoding] Content-Type *Custom-Metadata
TEST(GrpcEncodeResponseTest, EncodingsComeBeforeContentType) {
  HeaderList fields;
  ResponseHead head;
  head.encoding = "gzip";
  head.accept_encoding = "identity,gzip";
  Grpc().EncodeResponseHead(head, &fields);
  EXPECT_EQ(Text(fields), "grpc-encoding=gzip\ngrpc-accept-encoding=identity,gzip\ncontent-type=application/grpc\n");
}

TEST(GrpcEncodeTrailersTest, StatusIsAlwaysThereWithoutLeadingZeros) {
  EXPECT_EQ(Trailers(absl::OkStatus()), "grpc-status=0\n");
  EXPECT_EQ(Trailers(absl::NotFoundError("")), "grpc-status=5\n");
  EXPECT_EQ(Trailers(absl::UnauthenticatedError("")), "grpc-status=16\n");
  EXPECT_EQ(Trailers(absl::Status(static_cast<absl::StatusCode>(99), "")), "grpc-status=2\n");
}

TEST(GrpcEncodeTrailersTest, MessageIsPercentEncodedAndNeverGoesWithOk) {
  EXPECT_EQ(Trailers(absl::InternalError("50% \u263a\n")), "grpc-status=13\ngrpc-message=50%25 %E2%98%BA%0A\n");
  EXPECT_EQ(Trailers(absl::Status(absl::StatusCode::kOk, "no")), "grpc-status=0\n");
}

TEST(GrpcEncodeTrailersTest, MetadataFollowsTheStatus) {
  EXPECT_EQ(Trailers(absl::OkStatus(), Metadata({{"k", "v"}, {"grpc-status", "13"}})), "grpc-status=0\nk=v\n");
}

TEST(GrpcEncodeTrailersTest, AMessageOverTheLimitIsCutBetweenCharacters) {
  const auto message_of = [](const std::string& text) {
    HeaderList fields;
    Grpc().EncodeTrailers(absl::InternalError(text), {}, &fields);
    return std::string(fields.Find("grpc-message").value_or(""));
  };
  EXPECT_EQ(message_of(std::string(kGrpcMessageBytesMax - 1, 'x')).size(), kGrpcMessageBytesMax - 1);
  EXPECT_EQ(message_of(std::string(kGrpcMessageBytesMax, 'x')).size(), kGrpcMessageBytesMax);
  EXPECT_EQ(message_of(std::string(kGrpcMessageBytesMax + 1, 'x')).size(), kGrpcMessageBytesMax);
  std::string smileys;
  for (int i = 0; i < 2000; ++i) smileys += "\u263a";  // nine bytes each
  EXPECT_EQ(message_of(smileys).size(), kGrpcMessageBytesMax / 9 * 9);
}

absl::Status WithDetails(absl::Status status, std::string_view details) {
  SetEncodedDetails(&status, details);
  return status;
}

TEST(GrpcEncodeTrailersTest, DetailsFollowTheMessageWithoutPadding) {
  EXPECT_EQ(Trailers(WithDetails(absl::NotFoundError("x"), "f"), Metadata({{"k", "v"}})),
            "grpc-status=5\ngrpc-message=x\ngrpc-status-details-bin=Zg\nk=v\n");
  EXPECT_EQ(Trailers(WithDetails(absl::NotFoundError(""), "f")), "grpc-status=5\ngrpc-status-details-bin=Zg\n");
  EXPECT_EQ(TrailersOnly(WithDetails(absl::NotFoundError(""), "f")),
            "content-type=application/grpc\ngrpc-status=5\ngrpc-status-details-bin=Zg\n");
}

TEST(GrpcEncodeTrailersTest, DetailsAreWhatMayBeLeftOut) {
  HeaderList fields;
  HeaderList shorter;
  Grpc().EncodeTrailers(absl::NotFoundError("x"), Metadata({{"k", "v"}}), &fields);
  EXPECT_FALSE(Grpc().ShortenTrailers(fields, &shorter));
  EXPECT_TRUE(shorter.empty());
  fields.Clear();
  Grpc().EncodeTrailers(WithDetails(absl::NotFoundError("x"), "f"), Metadata({{"k", "v"}}), &fields);
  EXPECT_TRUE(Grpc().ShortenTrailers(fields, &shorter));
  EXPECT_EQ(Text(shorter), "grpc-status=5\ngrpc-message=x\nk=v\n");
}

TEST(GrpcEncodeTrailersOnlyTest, IsHeadAndTrailersInOne) {
  EXPECT_EQ(TrailersOnly(absl::NotFoundError("x")), "content-type=application/grpc\ngrpc-status=5\ngrpc-message=x\n");
}

TEST(GrpcEncodeTrailersOnlyTest, UnimplementedSaysWhichEncodingsAreUnderstood) {
  EXPECT_EQ(TrailersOnly(absl::UnimplementedError("x")),
            "content-type=application/grpc\ngrpc-accept-encoding=identity,gzip\ngrpc-status=12\ngrpc-message=x\n");
}

// ---- what a client makes of trailers

TEST(GrpcDecodeTrailersTest, EveryCodeRoundTrips) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "50% \u263a\r\n");
    HeaderList fields;
    Grpc().EncodeTrailers(status, {}, &fields);
    EXPECT_EQ(Grpc().DecodeTrailers(fields), status);
  }
  EXPECT_TRUE(FromTrailers({{"grpc-status", "0"}}).ok());
  EXPECT_TRUE(FromTrailers({{"grpc-status", "0"}, {"grpc-message", "some peers send this"}}).ok());
}

TEST(GrpcDecodeTrailersTest, WithoutAStatusItIsUnknown) {
  EXPECT_EQ(FromTrailers({}), absl::UnknownError("peer ended the call without grpc-status"));
  EXPECT_EQ(FromTrailers({{"k", "v"}, {"grpc-message", "lost"}}),
            absl::UnknownError("peer ended the call without grpc-status: lost"));
}

TEST(GrpcDecodeTrailersTest, ANumberThatIsNoCodeIsUnknown) {
  for (const std::string_view text : {"", "x", "-1", "1.0", " 1", "17", "99", "18446744073709551616"}) {
    const absl::Status status = FromTrailers({{"grpc-status", text}, {"grpc-message", "why"}});
    EXPECT_EQ(status.code(), absl::StatusCode::kUnknown) << text;
    EXPECT_EQ(status.message(), "grpc-status: expected a number from 0 to 16, got \"" + std::string(text) + "\": why");
  }
}

TEST(GrpcDecodeTrailersTest, DetailsComeWithOrWithoutPadding) {
  for (const std::string_view details : {"Zg", "Zg=="}) {
    const absl::Status status =
        FromTrailers({{"grpc-status-details-bin", details}, {"grpc-status", "5"}, {"grpc-message", "x"}});
    EXPECT_EQ(status, WithDetails(absl::NotFoundError("x"), "f"));
  }
}

TEST(GrpcDecodeTrailersTest, DetailsThatAreNotBase64AreDroppedAlone) {
  EXPECT_EQ(FromTrailers({{"grpc-status", "5"}, {"grpc-message", "x"}, {"grpc-status-details-bin", "Z"}}),
            absl::NotFoundError("x"));
  EXPECT_EQ(FromTrailers({{"grpc-status", "5"}, {"grpc-status-details-bin", ""}}), absl::NotFoundError(""));
}

TEST(GrpcDecodeTrailersTest, DetailsOfOkAreDropped) {
  EXPECT_EQ(FromTrailers({{"grpc-status", "0"}, {"grpc-status-details-bin", "Zg"}}), absl::OkStatus());
}

TEST(GrpcDecodeTrailersTest, LeadingZerosAreRead) {
  EXPECT_TRUE(FromTrailers({{"grpc-status", "00"}}).ok());
  EXPECT_EQ(FromTrailers({{"grpc-status", "005"}}).code(), absl::StatusCode::kNotFound);
}

TEST(GrpcDecodeTrailersTest, TheFirstOfTwoCounts) {
  EXPECT_EQ(FromTrailers({{"grpc-status", "5"}, {"grpc-message", "a"}, {"grpc-status", "0"}, {"grpc-message", "b"}}),
            absl::NotFoundError("a"));
}

TEST(GrpcDecodeTrailersTest, ABrokenEscapeInTheMessageIsKept) {
  EXPECT_EQ(FromTrailers({{"grpc-status", "13"}, {"grpc-message", "100% of %zz%41"}}),
            absl::InternalError("100% of %zzA"));
}

// ---- what a client makes of a head

TEST(GrpcDecodeResponseTest, AnOrdinaryHeadEndsNothing) {
  EXPECT_EQ(FromHead(200, {{"content-type", "application/grpc"}}, false).final_status, std::nullopt);
  EXPECT_EQ(FromHead(200, {{"content-type", "application/grpc+proto"}}, false).final_status, std::nullopt);
  EXPECT_EQ(FromHead(200, {{"content-type", "application/grpc"}, {"grpc-encoding", "identity"}}, false).final_status,
            std::nullopt);
}

TEST(GrpcDecodeResponseTest, TrailersOnlyEndsTheCall) {
  EXPECT_EQ(FromHead(200, {{"content-type", "application/grpc"}, {"grpc-status", "5"}, {"grpc-message", "x"}}, true)
                .final_status,
            absl::NotFoundError("x"));
  EXPECT_EQ(FromHead(200, {{"content-type", "application/grpc"}, {"grpc-status", "0"}}, true).final_status,
            absl::OkStatus());
  EXPECT_EQ(FromHead(200, {{"content-type", "application/grpc"}}, true).final_status,
            absl::UnknownError("peer ended the call without grpc-status"));
}

TEST(GrpcDecodeResponseTest, GrpcStatusCountsBeforeTheHttpStatus) {
  for (const int http : {200, 400, 404, 415, 503}) {
    EXPECT_EQ(FromHead(http, {{"content-type", "application/grpc"}, {"grpc-status", "7"}}, true).final_status,
              absl::PermissionDeniedError(""));
    EXPECT_EQ(FromHead(http, {{"grpc-status", "7"}}, true).final_status, absl::PermissionDeniedError(""));
  }
}

TEST(GrpcDecodeResponseTest, AnHttpErrorIsMappedAndNamed) {
  for (const bool end_stream : {false, true}) {
    EXPECT_EQ(FromHead(503, {{"content-type", "application/grpc"}}, end_stream).final_status,
              absl::UnavailableError("peer answered HTTP 503, expected 200"));
    EXPECT_EQ(
        FromHead(404, {{"content-type", "text/html"}}, end_stream).final_status,
        absl::UnimplementedError("peer answered HTTP 404 with content-type \"text/html\", expected application/grpc"));
  }
}

TEST(GrpcDecodeResponseTest, AnotherContentTypeIsNamed) {
  EXPECT_EQ(FromHead(200, {{"content-type", "text/html"}}, false).final_status,
            absl::UnknownError("peer answered HTTP 200 with content-type \"text/html\", expected application/grpc"));
  EXPECT_EQ(FromHead(200, {}, false).final_status,
            absl::UnknownError("peer answered HTTP 200 with content-type \"\", expected application/grpc"));
}

TEST(GrpcDecodeResponseTest, MetadataOfTheHead) {
  HeaderList fields;
  fields.Add(":status", "200");
  fields.Add("content-type", "application/grpc");
  fields.Add("server", "envoy");
  fields.Add("k-bin", "Zg");
  EXPECT_EQ(Grpc().DecodeMetadata(fields, 128), Metadata({{"server", "envoy"}, {"k-bin", "f"}}));
}

// ---- why

TEST(GrpcDecodeWhyTest, StatusOfTheServerSaysItAllByItself) {
  EXPECT_FALSE(WhyOf(Grpc().DecodeTrailers(HeaderList({{"grpc-status", "5"}}))).has_value());
}

TEST(GrpcDecodeWhyTest, StatusThatIsMadeOfTrailersWithoutOneIsThisSides) {
  for (const char* number : {"17", "x", ""}) {
    EXPECT_EQ(WhyOf(Grpc().DecodeTrailers(HeaderList({{"grpc-status", number}})))->by, Why::By::kUs);
  }
  EXPECT_EQ(WhyOf(Grpc().DecodeTrailers(HeaderList()))->by, Why::By::kUs);
}

TEST(GrpcDecodeWhyTest, AnHttpStatusIsThePeersWord) {
  ResponseReceived response{.status = 503, .fields = {}};
  response.fields.Add("content-type", "text/html");
  const Why why = *WhyOf(*Grpc().DecodeResponse(response, false).final_status);
  EXPECT_EQ(why.by, Why::By::kPeer);
  EXPECT_EQ(why.http2, "HTTP 503");
  EXPECT_FALSE(why.SafeToRetry());
}

}  // namespace
}  // namespace weir::wire
