// Every rule of RFC 9113 section 8 (and RFC 8441) that MessageRules takes over from the engine, one row a rule.
#include "weir/transport/h2/message_rules.h"

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "weir/transport/h2/headers.h"

namespace weir::transport {
namespace {

using Block = MessageRules::Block;

constexpr char kNul[] = {'a', '\0', 'b'};

struct Row {
  const char* rule;
  std::vector<HeaderView> fields;
  bool end_stream = true;
};

struct Outcome {
  bool well_formed = false;
  std::vector<std::string> kept;
};

Outcome Check(Block block, const std::vector<HeaderView>& fields, bool end_stream, bool extended_connect = true,
              MessageState* state = nullptr, bool head_request = false) {
  MessageState own;
  MessageRules rules;
  rules.Begin(block);
  Outcome outcome;
  for (const HeaderView& field : fields) {
    if (rules.Field(field.name, field.value, extended_connect) == MessageRules::Verdict::kKeep) {
      outcome.kept.emplace_back(field.name);
    }
  }
  outcome.well_formed = rules.End(end_stream, head_request, state != nullptr ? state : &own);
  return outcome;
}

std::vector<HeaderView> Request(std::vector<HeaderView> more = {}) {
  std::vector<HeaderView> fields = {
      {":method", "POST"}, {":scheme", "http"}, {":path", "/a.B/C"}, {":authority", "x:1"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

TEST(MessageRulesTest, WellFormedRequestsPass) {
  const std::vector<Row> rows = {
      {"the four pseudo-header fields", Request()},
      {"any order of pseudo-header fields",
       {{":path", "/"}, {":authority", "x"}, {":scheme", "https"}, {":method", "GET"}}},
      {"host instead of :authority", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "x"}}},
      {"te: trailers", Request({{"te", "trailers"}})},
      {"an empty value", Request({{"x", ""}})},
      {"a tab inside a value", Request({{"x", "a\tb"}})},
      {"octets above 0x7f in a value", Request({{"x", "\xc3\xa4\xff"}})},
      {"a long value", Request({{"x", "0123456789abcdef0123456789abcdef!"}})},
      {"every octet of a token in a name", Request({{"!#$%&'*+-.^_`|~09az", "v"}})},
      {"duplicates of an ordinary field", Request({{"x", "1"}, {"x", "2"}})},
      {"a query in :path", {{":method", "GET"}, {":scheme", "http"}, {":path", "/a?b=c%20"}, {":authority", "x"}}},
      {"OPTIONS *", {{":method", "OPTIONS"}, {":scheme", "http"}, {":path", "*"}, {":authority", "x"}}},
      {"a path of another scheme",
       {{":method", "GET"}, {":scheme", "urn+x.1-"}, {":path", "abc"}, {":authority", "x"}}},
      {"a :path of gRPC without slash",
       {{":method", "POST"}, {":scheme", "http"}, {":path", "a.B/C"}, {":authority", "x"}}},
      {"* for POST", {{":method", "POST"}, {":scheme", "http"}, {":path", "*"}, {":authority", "x"}}},
      {"the path of a Unix socket in :authority",
       {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "/run/x.sock"}}},
      {"an empty :authority", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", ""}}},
      {"CONNECT", {{":method", "CONNECT"}, {":authority", "x:443"}}},
      {"extended CONNECT",
       {{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"}, {":path", "/"}, {":authority", "x"}}},
      {"an IPv6 authority", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "[::1]:80"}}},
      {"content-length 0 without a body", Request({{"content-length", "0"}})},
  };
  for (const Row& row : rows) {
    EXPECT_TRUE(Check(Block::kRequest, row.fields, row.end_stream).well_formed) << row.rule;
    EXPECT_EQ(Check(Block::kRequest, row.fields, row.end_stream).kept.size(), row.fields.size()) << row.rule;
  }
}

TEST(MessageRulesTest, MalformedRequestsFail) {
  const std::vector<Row> rows = {
      {"no :method", {{":scheme", "http"}, {":path", "/"}, {":authority", "x"}}},
      {"no :scheme", {{":method", "GET"}, {":path", "/"}, {":authority", "x"}}},
      {"no :path", {{":method", "GET"}, {":scheme", "http"}, {":authority", "x"}}},
      {"neither :authority nor host", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}},
      {"nothing at all", {}},
      {":method twice", Request({{":method", "POST"}})},
      {":scheme twice", Request({{":scheme", "http"}})},
      {":path twice", Request({{":path", "/"}})},
      {":authority twice", Request({{":authority", "x"}})},
      {":protocol twice",
       {{":method", "CONNECT"},
        {":protocol", "a"},
        {":protocol", "a"},
        {":scheme", "http"},
        {":path", "/"},
        {":authority", "x"}}},
      {"host twice", Request({{"host", "x"}, {"host", "x"}})},
      {"an unknown pseudo-header field", Request({{":other", "x"}})},
      {"a response's pseudo-header field", Request({{":status", "200"}})},
      {"a pseudo-header field after a regular one",
       {{":method", "GET"}, {"a", "b"}, {":scheme", "http"}, {":path", "/"}, {":authority", "x"}}},
      {"an empty name", Request({{"", "x"}})},
      {"an upper-case name", Request({{"Upper", "x"}})},
      {"a blank in a name", Request({{"na me", "x"}})},
      {"a control octet in a name", Request({{"na\x1fme", "x"}})},
      {"DEL in a name", Request({{"name\x7f", "x"}})},
      {"an octet above 0x7f in a name", Request({{"n\xc3\xa4me", "x"}})},
      {"a colon in a name", Request({{"na:me", "x"}})},
      {"NUL in a value", Request({{"x", std::string_view(kNul, 3)}})},
      {"CR in a value", Request({{"x", "a\rb"}})},
      {"LF in a value", Request({{"x", "a\nb"}})},
      {"connection", Request({{"connection", "close"}})},
      {"keep-alive", Request({{"keep-alive", "1"}})},
      {"proxy-connection", Request({{"proxy-connection", "x"}})},
      {"transfer-encoding", Request({{"transfer-encoding", "chunked"}})},
      {"upgrade", Request({{"upgrade", "h2c"}})},
      {"te with another value", Request({{"te", "gzip"}})},
      {"an empty :method", {{":method", ""}, {":scheme", "http"}, {":path", "/"}, {":authority", "x"}}},
      {"a :method that is no token", {{":method", "G ET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "x"}}},
      {"an empty :path", {{":method", "GET"}, {":scheme", "http"}, {":path", ""}, {":authority", "x"}}},
      {"a :path without slash", {{":method", "GET"}, {":scheme", "http"}, {":path", "a"}, {":authority", "x"}}},
      {"* for another method than OPTIONS and POST",
       {{":method", "GET"}, {":scheme", "http"}, {":path", "*"}, {":authority", "x"}}},
      {"a blank in :path", {{":method", "GET"}, {":scheme", "http"}, {":path", "/a b"}, {":authority", "x"}}},
      {"a control octet in :path", {{":method", "GET"}, {":scheme", "http"}, {":path", "/a\x01"}, {":authority", "x"}}},
      {"an empty :scheme", {{":method", "GET"}, {":scheme", ""}, {":path", "/"}, {":authority", "x"}}},
      {"a :scheme with other octets", {{":method", "GET"}, {":scheme", "ht/tp"}, {":path", "/"}, {":authority", "x"}}},
      {"a blank in :authority", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "x y"}}},
      {"a slash in host", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "a/b"}}},
      {"CONNECT with :path", {{":method", "CONNECT"}, {":authority", "x"}, {":path", "/"}}},
      {"CONNECT with :scheme", {{":method", "CONNECT"}, {":authority", "x"}, {":scheme", "http"}}},
      {"CONNECT without :authority", {{":method", "CONNECT"}}},
      {":protocol without CONNECT", Request({{":protocol", "websocket"}})},
      {"extended CONNECT without :path",
       {{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"}, {":authority", "x"}}},
      {"extended CONNECT with host only",
       {{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"}, {":path", "/"}, {"host", "x"}}},
      {"an empty :protocol",
       {{":method", "CONNECT"}, {":protocol", ""}, {":scheme", "http"}, {":path", "/"}, {":authority", "x"}}},
      {"content-length that is no number", Request({{"content-length", "1x"}})},
      {"an empty content-length", Request({{"content-length", ""}})},
      {"a signed content-length", Request({{"content-length", "+1"}}), false},
      {"content-length over 2^63", Request({{"content-length", "9223372036854775808"}}), false},
      {"content-length twice", Request({{"content-length", "0"}, {"content-length", "0"}})},
      {"content-length 1 and END_STREAM on the head", Request({{"content-length", "1"}})},
  };
  for (const Row& row : rows) {
    EXPECT_FALSE(Check(Block::kRequest, row.fields, row.end_stream).well_formed) << row.rule;
  }
}

TEST(MessageRulesTest, ProtocolIsMalformedWhereExtendedConnectWasNotAnnounced) {
  const std::vector<HeaderView> tunnel = {
      {":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"}, {":path", "/"}, {":authority", "x"}};
  EXPECT_FALSE(Check(Block::kRequest, tunnel, false, /*extended_connect=*/false).well_formed);
  EXPECT_TRUE(Check(Block::kRequest, tunnel, false, /*extended_connect=*/true).well_formed);
}

TEST(MessageRulesTest, AFieldWithOctetsNoFieldMayHoldIsLeftOutAndTheCallGoesOn) {
  for (const HeaderView field : std::vector<HeaderView>{{"na(me", "v"},
                                                        {"na/me", "v"},
                                                        {"name", "a\x01"},
                                                        {"name", "\x7f"},
                                                        {"name",
                                                         "0123456789\x1f"
                                                         "abcdef"}}) {
    const Outcome outcome = Check(Block::kRequest, Request({field, {"after", "kept"}}), true);
    EXPECT_TRUE(outcome.well_formed) << field.name;
    EXPECT_EQ(outcome.kept.back(), "after");
    EXPECT_EQ(outcome.kept.size(), 5u) << field.name;
  }
}

TEST(MessageRulesTest, ResponsesNeedOneStatusOfThreeDigits) {
  EXPECT_TRUE(Check(Block::kResponse, {{":status", "200"}, {"a", "b"}}, true).well_formed);
  EXPECT_TRUE(Check(Block::kResponse, {{":status", "103"}}, false).well_formed);
  const std::vector<Row> rows = {
      {"no :status", {{"a", "b"}}},
      {":status twice", {{":status", "200"}, {":status", "200"}}},
      {"two digits", {{":status", "20"}}},
      {"four digits", {{":status", "2000"}}},
      {"no digits", {{":status", "2x0"}}},
      {"below 100", {{":status", "099"}}},
      {"101, which HTTP/2 does not have", {{":status", "101"}}, false},
      {"a request's pseudo-header field", {{":status", "200"}, {":path", "/"}}},
      {":status after a regular field", {{"a", "b"}, {":status", "200"}}},
      {"an interim response that ends the stream", {{":status", "100"}}},
      {"transfer-encoding", {{":status", "200"}, {"transfer-encoding", "chunked"}}},
      {"content-length 5 and END_STREAM on the head", {{":status", "200"}, {"content-length", "5"}}},
  };
  for (const Row& row : rows) {
    EXPECT_FALSE(Check(Block::kResponse, row.fields, row.end_stream).well_formed) << row.rule;
  }
}

TEST(MessageRulesTest, TheContentLengthOfAResponseWithoutBodySpeaksOfAnotherBody) {
  MessageState state;
  EXPECT_TRUE(Check(Block::kResponse, {{":status", "200"}, {"content-length", "5"}}, true, true, &state,
                    /*head_request=*/true)
                  .well_formed);
  EXPECT_TRUE(Check(Block::kResponse, {{":status", "304"}, {"content-length", "5"}}, true).well_formed);
  EXPECT_TRUE(Check(Block::kResponse, {{":status", "204"}, {"content-length", "5"}}, true).well_formed);
}

TEST(MessageRulesTest, TrailersEndTheStreamAndHaveNoPseudoHeaderFields) {
  EXPECT_TRUE(Check(Block::kTrailers, {{"grpc-status", "0"}}, true).well_formed);
  EXPECT_TRUE(Check(Block::kTrailers, {}, true).well_formed);
  EXPECT_FALSE(Check(Block::kTrailers, {{"grpc-status", "0"}}, false).well_formed) << "no END_STREAM";
  EXPECT_FALSE(Check(Block::kTrailers, {{":status", "200"}}, true).well_formed) << "pseudo-header field";
  EXPECT_FALSE(Check(Block::kTrailers, {{"Upper", "x"}}, true).well_formed) << "upper case";
}

TEST(MessageRulesTest, TrailersComeOnlyAfterTheAnnouncedBody) {
  MessageState state;
  ASSERT_TRUE(Check(Block::kRequest, Request({{"content-length", "3"}}), false, true, &state).well_formed);
  EXPECT_FALSE(Check(Block::kTrailers, {}, true, true, &state).well_formed);
  EXPECT_TRUE(state.Body(3));
  EXPECT_TRUE(Check(Block::kTrailers, {}, true, true, &state).well_formed);
}

TEST(MessageRulesTest, TheBodyIsAsLongAsAnnounced) {
  MessageState state;
  ASSERT_TRUE(Check(Block::kRequest, Request({{"content-length", "5"}}), false, true, &state).well_formed);
  EXPECT_TRUE(state.Body(4));
  EXPECT_FALSE(state.BodyEnd()) << "one octet short";
  EXPECT_TRUE(state.Body(1));
  EXPECT_TRUE(state.BodyEnd());
  EXPECT_FALSE(state.Body(1)) << "one octet too many";

  MessageState unannounced;
  EXPECT_TRUE(unannounced.Body(1 << 20));
  EXPECT_TRUE(unannounced.BodyEnd());
}

}  // namespace
}  // namespace weir::transport
