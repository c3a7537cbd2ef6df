// Requests as gRPC over HTTP/2: what a client sends and what a server reads.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "weir/rpc/wire/protocol.h"
#include "weir/rpc/wire/user_agent.h"

namespace weir::wire {
namespace {

using transport::HeaderList;
using transport::HeaderView;
using transport::RequestReceived;

std::string Text(const HeaderList& fields) {
  std::string text;
  for (const HeaderView field : fields) {
    text.append(field.name).append("=").append(field.value).append("\n");
  }
  return text;
}

// A good request, with `changes` put over it: an empty name-value means "without".
RequestReceived Request(std::vector<std::pair<std::string, std::string>> changes = {}) {
  std::vector<std::pair<std::string, std::string>> fields = {
      {":method", "POST"},          {":scheme", "http"}, {":path", "/pkg.Echo/Say"},
      {":authority", "echo.local"}, {"te", "trailers"},  {"content-type", "application/grpc"}};
  for (auto& [name, value] : changes) {
    bool found = false;
    for (auto& field : fields) {
      if (field.first == name) {
        field.second = value;
        found = true;
      }
    }
    if (!found) fields.emplace_back(name, value);
  }
  RequestReceived request;
  for (const auto& [name, value] : fields) {
    if (value != "(without)") request.fields.Add(name, value);
  }
  return request;
}

// ---- W1, W4, W5, W10, W11, W12: what a client sends

TEST(GrpcEncodeRequestTest, OrderIsThatOfTheSpecification) {
  const Metadata metadata({{"tenant", "blue"}, {"trace-bin", std::string_view("\xab\xab", 2)}});
  HeaderList fields;
  Grpc().EncodeRequest({.scheme = "https",
                        .path = "/pkg.Echo/Say",
                        .authority = "echo.local",
                        .user_agent = "shop/2.1 grpc-c++-weir/0.1.0",
                        .timeout = absl::Seconds(5),
                        .metadata = &metadata},
                       &fields);
  EXPECT_EQ(Text(fields),
            ":method=POST\n:scheme=https\n:path=/pkg.Echo/Say\n:authority=echo.local\n"
            "grpc-timeout=5S\nte=trailers\ncontent-type=application/grpc\nuser-agent=shop/2.1 grpc-c++-weir/0.1.0\n"
            "tenant=blue\ntrace-bin=q6s\n");
}

TEST(GrpcEncodeRequestTest, OptionalFieldsAreLeftOut) {
  HeaderList fields;
  Grpc().EncodeRequest({.scheme = "http", .path = "/a/b", .authority = "x"}, &fields);
  EXPECT_EQ(Text(fields),
            ":method=POST\n:scheme=http\n:path=/a/b\n:authority=x\nte=trailers\ncontent-type=application/grpc\n"
            "user-agent=" +
                std::string(kUserAgent) + "\n");
  HeaderList infinite;
  Grpc().EncodeRequest({.scheme = "http", .path = "/a/b", .authority = "x", .timeout = absl::InfiniteDuration()},
                       &infinite);
  EXPECT_EQ(infinite.Find("grpc-timeout"), std::nullopt);
}

TEST(GrpcEncodeRequestTest, MetadataThatMayNotBeSentIsLeftOut) {
  const Metadata metadata({{"ok", "yes"},
                           {"grpc-status", "0"},
                           {"te", "gzip"},
                           {"user-agent", "of the caller"},
                           {"split", "a\r\nb"},
                           {"bad key", "x"},
                           {"utf8", "\xc3\xa9"}});
  HeaderList fields;
  Grpc().EncodeRequest({.scheme = "http", .path = "/a/b", .authority = "x", .metadata = &metadata}, &fields);
  EXPECT_EQ(fields.size(), 8u) << Text(fields);
  EXPECT_EQ(fields.Find("ok"), "yes");
}

TEST(GrpcEncodeRequestTest, WhiteSpaceAroundAValueIsStripped) {
  const Metadata metadata({{"padded", "  in the middle  "}, {"blank", "   "}});
  HeaderList fields;
  Grpc().EncodeRequest({.scheme = "http", .path = "/a/b", .authority = "x", .metadata = &metadata}, &fields);
  EXPECT_EQ(fields.Find("padded"), "in the middle");
  EXPECT_EQ(fields.Find("blank"), "");
}

TEST(UserAgentTest, TheApplicationsOwnComesFirst) {
  EXPECT_EQ(UserAgent(""), "grpc-c++-weir/0.1.0");
  EXPECT_EQ(UserAgent("shop/2.1"), "shop/2.1 grpc-c++-weir/0.1.0");
}

// ---- what a server reads

TEST(GrpcDecodeRequestTest, AGoodRequest) {
  const RequestReceived request = Request({{"grpc-timeout", "250m"}, {"grpc-encoding", "identity"}});
  const DecodedRequest decoded = Grpc().DecodeRequest(request);
  EXPECT_TRUE(decoded.status.ok()) << decoded.status;
  EXPECT_EQ(decoded.http_status, 200);
  EXPECT_EQ(decoded.path, "/pkg.Echo/Say");
  EXPECT_EQ(decoded.authority, "echo.local");
  EXPECT_EQ(decoded.timeout, absl::Milliseconds(250));
  EXPECT_EQ(decoded.encoding, "identity");
  EXPECT_EQ(decoded.path.data(), request.target().data());  // a view, not a copy
}

TEST(GrpcDecodeRequestTest, WithoutATimeoutThereIsNoDeadline) {
  EXPECT_EQ(Grpc().DecodeRequest(Request()).timeout, std::nullopt);
}

TEST(GrpcDecodeRequestTest, RowsOfTheSpecification) {
  using absl::StatusCode;
  const struct {
    std::string name;
    std::string value;
    StatusCode code;
    int http_status;
  } kCases[] = {
      // W4: the absence of te is accepted; what else it may say is the transport's business.
      {"te", "(without)", StatusCode::kOk, 200},
      // W6: content-type
      {"content-type", "application/grpc+proto", StatusCode::kOk, 200},
      {"content-type", "application/grpc+json", StatusCode::kOk, 200},
      {"content-type", "application/grpc;charset=utf-8", StatusCode::kOk, 200},
      {"content-type", "application/grpc ; x=y", StatusCode::kOk, 200},
      {"content-type", "Application/GRPC", StatusCode::kOk, 200},
      {"content-type", "application/grpc-web", StatusCode::kInternal, 415},
      {"content-type", "application/grpcx", StatusCode::kInternal, 415},
      {"content-type", "application/grp", StatusCode::kInternal, 415},
      {"content-type", "application/json", StatusCode::kInternal, 415},
      {"content-type", "", StatusCode::kInternal, 415},
      {"content-type", "(without)", StatusCode::kInternal, 415},
      // W2: method
      {":method", "GET", StatusCode::kInternal, 405},
      {":method", "post", StatusCode::kInternal, 405},
      {":method", "(without)", StatusCode::kInternal, 405},
      // W3: path
      {":path", "pkg.Echo/Say", StatusCode::kUnimplemented, 200},
      {":path", "/pkg.Echo", StatusCode::kUnimplemented, 200},
      {":path", "/pkg.Echo/", StatusCode::kUnimplemented, 200},
      {":path", "//Say", StatusCode::kUnimplemented, 200},
      {":path", "/pkg.Echo//Say", StatusCode::kUnimplemented, 200},
      {":path", "/pkg.Echo/Say/", StatusCode::kUnimplemented, 200},
      {":path", "/", StatusCode::kUnimplemented, 200},
      {":path", "*", StatusCode::kUnimplemented, 200},
      {":path", "", StatusCode::kUnimplemented, 200},
      {":path", "http://echo.local/pkg.Echo/Say", StatusCode::kUnimplemented, 200},
      {":path", "(without)", StatusCode::kUnimplemented, 200},
      {":path", "/a/b", StatusCode::kOk, 200},
      // W5: grpc-timeout
      {"grpc-timeout", "99999999H", StatusCode::kOk, 200},
      {"grpc-timeout", "0n", StatusCode::kOk, 200},
      {"grpc-timeout", "", StatusCode::kInternal, 200},
      {"grpc-timeout", "5sec", StatusCode::kInternal, 200},
      {"grpc-timeout", "-5S", StatusCode::kInternal, 200},
      {"grpc-timeout", "1.5S", StatusCode::kInternal, 200},
      {"grpc-timeout", "5", StatusCode::kInternal, 200},
      {"grpc-timeout", "123456789n", StatusCode::kInternal, 200},
      // W8: which encodings there are is the server's matter (compressors_test)
      {"grpc-encoding", "unheard-of", StatusCode::kOk, 200},
      // Not the protocol's
      {"grpc-unheard-of", "x", StatusCode::kOk, 200},
  };
  for (const auto& c : kCases) {
    const DecodedRequest decoded = Grpc().DecodeRequest(Request({{c.name, c.value}}));
    EXPECT_EQ(decoded.status.code(), c.code) << c.name << ": " << c.value << ": " << decoded.status;
    EXPECT_EQ(decoded.http_status, c.http_status) << c.name << ": " << c.value;
    if (!decoded.status.ok()) {  // the text names the field that is wrong
      EXPECT_NE(std::string(decoded.status.message()).find(c.name + ": expected"), std::string::npos) << decoded.status;
    }
  }
}

TEST(GrpcDecodeRequestTest, TheFirstOfTwoEqualFieldsCounts) {
  RequestReceived request = Request({{"grpc-timeout", "1S"}});
  request.fields.Add("grpc-timeout", "nonsense");
  request.fields.Add("content-type", "text/html");
  const DecodedRequest decoded = Grpc().DecodeRequest(request);
  EXPECT_TRUE(decoded.status.ok()) << decoded.status;
  EXPECT_EQ(decoded.timeout, absl::Seconds(1));
}

TEST(GrpcDecodeRequestTest, HostStandsInForAuthority) {
  EXPECT_EQ(Grpc().DecodeRequest(Request({{":authority", "(without)"}, {"host", "by.host"}})).authority, "by.host");
  EXPECT_EQ(Grpc().DecodeRequest(Request({{"host", "by.host"}})).authority, "echo.local");
}

TEST(GrpcDecodeRequestTest, WhatAPeerSentIsQuotedSafelyAndNotAtLength) {
  const DecodedRequest decoded = Grpc().DecodeRequest(Request({{":path", "\n\xff" + std::string(10'000, 'x')}}));
  EXPECT_LT(decoded.status.message().size(), 300u);
  EXPECT_NE(std::string(decoded.status.message()).find("got \"\\n\\xffxxx"), std::string::npos) << decoded.status;
}

TEST(GrpcTest, AcceptsItsContentTypes) {
  EXPECT_TRUE(Grpc().Accepts("application/grpc"));
  EXPECT_TRUE(Grpc().Accepts("application/grpc+proto"));
  EXPECT_FALSE(Grpc().Accepts("application/grpc-web+proto"));
  EXPECT_FALSE(Grpc().Accepts(""));
  EXPECT_EQ(Grpc().name(), "grpc");
}

// ---- W11 to W14: the application's metadata

TEST(GrpcDecodeMetadataTest, LeavesOutWhatIsTheProtocolsOrHttps) {
  RequestReceived request = Request({{"grpc-timeout", "1S"}, {"grpc-trace-bin", "AA"}});
  EXPECT_TRUE(Grpc().DecodeMetadata(request.fields, 128).empty());
  request.fields.Add("user-agent", "grpc-go/1.60");
  request.fields.Add("tenant", "blue");
  request.fields.Add("host", "h");
  request.fields.Add("content-length", "3");
  EXPECT_EQ(Grpc().DecodeMetadata(request.fields, 128), Metadata({{"user-agent", "grpc-go/1.60"}, {"tenant", "blue"}}));
}

TEST(GrpcDecodeMetadataTest, DecodesBinaryValuesPaddedOrNotAndLists) {
  HeaderList fields;
  fields.Add("a-bin", "q6s");
  fields.Add("b-bin", "q6s=");
  fields.Add("c-bin", "Zg,Zm8=");
  fields.Add("a-bin", "Zg");
  const std::string_view abab("\xab\xab", 2);
  EXPECT_EQ(Grpc().DecodeMetadata(fields, 128),
            Metadata({{"a-bin", abab}, {"b-bin", abab}, {"c-bin", "f"}, {"c-bin", "fo"}, {"a-bin", "f"}}));
}

TEST(GrpcDecodeMetadataTest, ABinaryValueThatIsNotBase64IsDroppedAlone) {
  HeaderList fields;
  fields.Add("a-bin", "!");
  fields.Add("a-bin", "Zg");
  fields.Add("b-bin", "Zg,Zm9vY");
  fields.Add("c", "!");
  EXPECT_EQ(Grpc().DecodeMetadata(fields, 128), Metadata({{"a-bin", "f"}, {"c", "!"}}));
}

// Sixteen kilobytes of commas would be as many entries, and by an index of HPACK one octet.
TEST(GrpcDecodeMetadataTest, AListCountsAsTheFieldsThatItStandsFor) {
  for (size_t values : {6, 7, 8, 16'000}) {
    HeaderList fields;
    fields.Add("a", "1");
    fields.Add("b-bin", std::string(values - 1, ','));
    fields.Add("c-bin", "Zg,Zg");  // no room is left for it beside a first list of seven
    fields.Add("d", "2");
    const Metadata metadata = Grpc().DecodeMetadata(fields, 10);
    EXPECT_EQ(metadata.GetAll("b-bin").size(), values <= 7 ? values : 0) << values;
    EXPECT_EQ(metadata.GetAll("c-bin").size(), values == 7 ? 0u : 2u) << values;
    EXPECT_EQ(metadata.Get("d"), "2");
    EXPECT_LE(metadata.size(), 10u);
  }
}

TEST(GrpcDecodeMetadataTest, KeepsOrderAndDuplicatesAndDoesNotSplitText) {
  HeaderList fields;
  fields.Add("k", "1,2");
  fields.Add("j", "x");
  fields.Add("k", "3");
  EXPECT_EQ(Grpc().DecodeMetadata(fields, 128), Metadata({{"k", "1,2"}, {"j", "x"}, {"k", "3"}}));
}

TEST(GrpcDecodeMetadataTest, WhatIsReceivedMayBeSentBackAsItIs) {
  HeaderList fields;
  fields.Add("name", "caf\xc3\xa9");  // valid in HTTP: no error, but not ASCII-Value either: thrown away
  fields.Add("raw", "\xff");
  fields.Add("tab", "a\tb");
  fields.Add("a!b", "a token of HTTP, but no Header-Name of gRPC");
  fields.Add("user-agent", "grpc-go/1.60");
  fields.Add("k-bin", "//8");
  fields.Add("k", "v");
  const Metadata received = Grpc().DecodeMetadata(fields, 128);
  EXPECT_EQ(received, Metadata({{"user-agent", "grpc-go/1.60"}, {"k-bin", "\xff\xff"}, {"k", "v"}}));
  EXPECT_TRUE(received.Check().ok());
}

TEST(GrpcMetadataTest, AnyBytesSurviveTheRoundTrip) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  const Metadata sent({{"k-bin", bytes}, {"k-bin", ""}, {"k-bin", "a,b"}, {"text", "a,b"}});
  HeaderList fields;
  Grpc().EncodeRequest({.scheme = "http", .path = "/a/b", .authority = "x", .metadata = &sent}, &fields);
  Metadata received;
  for (const auto& [key, value] : Grpc().DecodeMetadata(fields, 128)) {
    if (key != "user-agent") received.Add(key, value);
  }
  EXPECT_EQ(received, sent);
}

}  // namespace
}  // namespace weir::wire
