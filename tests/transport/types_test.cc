// Error codes, header lists, events and quoting: the value types.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "weir/transport/h2/error_code.h"
#include "weir/transport/h2/event.h"
#include "weir/transport/h2/headers.h"
#include "weir/transport/h2/text.h"

namespace weir::transport {
namespace {

TEST(ErrorCodeTest, EveryCodeHasANameThatIsReadBack) {
  for (uint32_t value : {0u, 1u, 7u, 8u, 13u, 14u, 0x1fu, 0x100u, 0xffffffffu}) {
    const ErrorCode code = static_cast<ErrorCode>(value);
    EXPECT_EQ(ParseErrorCode(ErrorCodeName(code)), code) << ErrorCodeName(code);
  }
  EXPECT_EQ(ErrorCodeName(ErrorCode::kHttp11Required), "HTTP_1_1_REQUIRED");
  EXPECT_EQ(ErrorCodeName(static_cast<ErrorCode>(0x1f)), "ERROR_0x1f");
  EXPECT_EQ(ToString(ErrorCode::kCancel), "CANCEL(8)");
}

TEST(ErrorCodeTest, OtherWordsAreNoErrorCodes) {
  for (const char* word : {"", "cancel", "CANCEL ", "ERROR_0x", "ERROR_0xg", "ERROR_0x100000000", "8"}) {
    EXPECT_EQ(ParseErrorCode(word), std::nullopt) << word;
  }
}

TEST(HeaderListTest, KeepsOrderAndDuplicates) {
  HeaderList list = {{":path", "/a"}, {"cookie", "1"}, {"cookie", "2"}};
  list.Add("empty", "");
  ASSERT_EQ(list.size(), 4u);
  EXPECT_EQ(list[1], (HeaderView{"cookie", "1"}));
  EXPECT_EQ(list[2], (HeaderView{"cookie", "2"}));
  EXPECT_EQ(list.Find("cookie"), "1");
  EXPECT_EQ(list.Find("empty"), "");
  EXPECT_EQ(list.Find("none"), std::nullopt);
  EXPECT_EQ(list.PseudoCount(), 1u);
  size_t count = 0;
  for (const HeaderView field : list) count += field.name.size();
  EXPECT_EQ(count, 5u + 6 + 6 + 5);
}

TEST(HeaderListTest, ListSizeCountsThirtyTwoOctetsForEachField) {
  EXPECT_EQ(HeaderList().ListSize(), 0u);
  EXPECT_EQ((HeaderList{{"ab", "cde"}, {"f", ""}}).ListSize(), 5u + 32 + 1 + 32);
}

TEST(HeaderListTest, ACopySharesItsBufferUntilOneOfTheTwoIsChanged) {
  HeaderList list = {{":path", "/a"}};
  HeaderList copy = list;
  EXPECT_TRUE(copy.SharesBufferWith(list));
  EXPECT_EQ(copy[0].value.data(), list[0].value.data());
  copy.Add("te", "trailers");
  EXPECT_FALSE(copy.SharesBufferWith(list));
  EXPECT_EQ(list, (HeaderList{{":path", "/a"}}));
  EXPECT_EQ(copy, (HeaderList{{":path", "/a"}, {"te", "trailers"}}));
}

TEST(HeaderListTest, ClearingAListLeavesItsCopies) {
  HeaderList list = {{"a", "b"}};
  const HeaderList copy = list;
  list.Clear();
  EXPECT_TRUE(list.empty());
  list.Add("c", "d");
  EXPECT_EQ(copy, (HeaderList{{"a", "b"}}));
  EXPECT_EQ(list, (HeaderList{{"c", "d"}}));
}

TEST(HeaderListTest, HoldsComparesWholeNamesAndValuesOfEveryLength) {
  for (size_t size = 0; size < 40; ++size) {
    const std::string text(size, 'x');
    HeaderList list;
    list.Add("name", text);
    list.Add(text, "value");
    EXPECT_TRUE(list.Holds(0, "name", text)) << size;
    EXPECT_TRUE(list.Holds(1, text, "value")) << size;
    EXPECT_FALSE(list.Holds(0, "name", text + "x")) << size;
    for (size_t at = 0; at < size; ++at) {
      std::string other = text;
      other[at] = 'y';
      EXPECT_FALSE(list.Holds(0, "name", other)) << size << " at " << at;
      EXPECT_FALSE(list.Holds(1, other, "value")) << size << " at " << at;
    }
  }
}

TEST(HeaderListTest, EqualityIsThatOfTheFieldsNotOfTheirStorage) {
  EXPECT_EQ((HeaderList{{"a", "b"}}), (HeaderList{{"a", "b"}}));
  EXPECT_FALSE((HeaderList{{"a", "b"}}) == (HeaderList{{"ab", ""}}));
  EXPECT_FALSE((HeaderList{{"a", "b"}}) == (HeaderList{{"a", "b"}, {"a", "b"}}));
}

TEST(EventTest, EveryEventIsOneLine) {
  RequestReceived request{{{":method", "CONNECT"}, {":protocol", "websocket"}, {":path", "/chat"}, {"a", "b c"}}};
  EXPECT_EQ(request.method(), "CONNECT");
  EXPECT_EQ(request.target(), "/chat");
  EXPECT_EQ(request.protocol(), "websocket");
  EXPECT_EQ(request.scheme(), "");
  EXPECT_EQ(request.authority(), "");
  EXPECT_EQ((H2WebSocketRequest{1, request}).ws_path(), "/chat");
  EXPECT_EQ(ToString(H2RequestReceived{1, {{{":method", "GET"}}}, true}), "Request 1 :method=GET end");
  EXPECT_EQ(ToString(H2WebSocketRequest{1, request}),
            "WebSocketRequest 1 :method=CONNECT :protocol=websocket :path=/chat a=\"b c\"");
  EXPECT_EQ(ToString(H2ResponseReceived{3, {200, {{":status", "200"}}}, false}), "Response 3 :status=200");
  EXPECT_EQ(ToString(H2BodyReceived{5, {"hello\n", true, 6}}), "Body 5 \"hello\\n\" more");
  EXPECT_EQ(ToString(H2BodyReceived{5, {"", false, 0}}), "Body 5 \"\" end");
  EXPECT_EQ(ToString(H2TrailersReceived{5, {{"grpc-status", "0"}}}), "Trailers 5 grpc-status=0");
  EXPECT_EQ(ToString(H2StreamReset{5, ErrorCode::kCancel, ResetBy::kPeer}), "Reset 5 CANCEL by peer");
  EXPECT_EQ(ToString(H2StreamReset{5, ErrorCode::kProtocolError, ResetBy::kLocal}), "Reset 5 PROTOCOL_ERROR by local");
  EXPECT_EQ(ToString(H2StreamReset{5, ErrorCode::kRefusedStream, ResetBy::kGoAway}),
            "Reset 5 REFUSED_STREAM by goaway");
  EXPECT_EQ(ToString(H2GoAway{7, ErrorCode::kNoError, "bye"}), "GoAway last=7 NO_ERROR \"bye\"");
  EXPECT_EQ(ToString(H2GoAway{7, ErrorCode::kNoError, ""}), "GoAway last=7 NO_ERROR");
  EXPECT_EQ(ToString(H2WindowUpdated{0}), "WindowUpdated 0");
  EXPECT_EQ(ToString(H2SettingsReceived{true, {}}), "Settings ACK");
  EXPECT_EQ(ToString(H2SettingsReceived{false, {{4, 10}, {0x1f, 1}}}), "Settings INITIAL_WINDOW_SIZE=10 0x1f=1");
  EXPECT_EQ(ToString(H2PingAcked{0xab}), "PingAcked 00000000000000ab");
  EXPECT_EQ(ToString(H2ConnectionError{ErrorCode::kProtocolError, "why"}), "ConnectionError PROTOCOL_ERROR \"why\"");
}

TEST(TextTest, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(QuoteIfNeeded("plain"), "plain");
  EXPECT_EQ(QuoteIfNeeded(""), "\"\"");
  EXPECT_EQ(QuoteIfNeeded("a b"), "\"a b\"");
  EXPECT_EQ(QuoteIfNeeded("a#b"), "\"a#b\"");
  EXPECT_EQ(Quote(std::string_view("\0\x7f\xff", 3)), "\"\\x00\\x7f\\xff\"");
}

TEST(TextTest, SettingNamesAreReadBack) {
  for (uint16_t identifier : {1, 2, 3, 4, 5, 6, 7, 8, 9, 0x1f, 0x1000}) {
    EXPECT_EQ(ParseSettingName(SettingName(identifier)), identifier);
  }
  EXPECT_EQ(ParseSettingName("0x10000"), std::nullopt);
  EXPECT_EQ(ParseSettingName("bogus"), std::nullopt);
}

}  // namespace
}  // namespace weir::transport
