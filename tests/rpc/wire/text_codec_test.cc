#include "weir/rpc/wire/text_codec.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace weir::wire {
namespace {

std::string AllBytes() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  return bytes;
}

TEST(PercentTest, LeavesPrintableAsciiAsItIs) {
  std::string printable;
  for (char c = 0x20; c <= 0x7e; ++c) {
    if (c != '%') printable += c;
  }
  std::swap(printable.front(), printable[1]);  // a blank, but not at the end
  EXPECT_EQ(PercentEncode(printable), printable);
  EXPECT_EQ(PercentDecode(printable), printable);
}

TEST(PercentTest, EncodesTheBlankAtEitherEndWhichNoFieldValueMayHave) {
  EXPECT_EQ(PercentEncode(" a b "), "%20a b%20");
  EXPECT_EQ(PercentEncode(" "), "%20");
  EXPECT_EQ(PercentEncode("   "), "%20 %20");
  EXPECT_EQ(PercentDecode(PercentEncode("  a  ")), "  a  ");
}

TEST(PercentTest, EncodesTheRestWithUpperCaseDigits) {
  EXPECT_EQ(PercentEncode("100%"), "100%25");
  EXPECT_EQ(PercentEncode("\t\r\n\x7f"), "%09%0D%0A%7F");
  EXPECT_EQ(PercentEncode("\xe2\x98\xba"), "%E2%98%BA");
  EXPECT_EQ(PercentEncode(""), "");
}

TEST(PercentTest, RoundTripsEveryByte) {
  EXPECT_EQ(PercentDecode(PercentEncode(AllBytes())), AllBytes());
  // The message of the interop case special_status_message.
  const std::string special = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n";
  EXPECT_EQ(PercentDecode(PercentEncode(special)), special);
}

TEST(PercentTest, KeepsABrokenEscapeAsItIs) {
  const struct {
    std::string_view text;
    std::string_view decoded;
  } kCases[] = {
      {"%", "%"},       {"%4", "%4"},     {"%zz", "%zz"},          {"%4g%41", "%4gA"},
      {"a%", "a%"},     {"%%41", "%A"},   {"%e2%98%ba", "\u263a"}, {"%-1", "%-1"},
      {"%2525", "%25"}, {"\xff", "\xff"},
  };
  for (const auto& c : kCases) EXPECT_EQ(PercentDecode(c.text), c.decoded) << c.text;
}

TEST(Base64Test, EmitsNoPadding) {
  // RFC 4648 section 10, without the padding.
  EXPECT_EQ(Base64Encode(""), "");
  EXPECT_EQ(Base64Encode("f"), "Zg");
  EXPECT_EQ(Base64Encode("fo"), "Zm8");
  EXPECT_EQ(Base64Encode("foo"), "Zm9v");
  EXPECT_EQ(Base64Encode("foob"), "Zm9vYg");
  EXPECT_EQ(Base64Encode("\xfb\xff"), "+/8");
  EXPECT_EQ(Base64Encode("\xab\xab\xab"), "q6ur");  // the interop case custom_metadata
}

TEST(Base64Test, AcceptsPaddedAndUnpadded) {
  for (const std::string_view text : {"Zg", "Zg=="}) EXPECT_EQ(Base64Decode(text), "f") << text;
  for (const std::string_view text : {"Zm8", "Zm8="}) EXPECT_EQ(Base64Decode(text), "fo") << text;
  EXPECT_EQ(Base64Decode("Zm9v"), "foo");
  EXPECT_EQ(Base64Decode(""), "");
}

TEST(Base64Test, RefusesWhatIsNot) {
  for (const std::string_view text : {"Z", "Zm9vY", "Z===", "====", "=", "==", "Zg=", "Zg=a", "Zm=8",
                                      "Zm9v=", "Zm9v====", "Zm 8", "Zm8-", "Zm8_", "Zm8\n", "\xff\xff"}) {
    EXPECT_EQ(Base64Decode(text), std::nullopt) << text;
  }
}

TEST(Base64Test, RoundTripsAtEveryLength) {
  const std::string bytes = AllBytes();
  for (size_t length = 0; length <= bytes.size(); ++length) {
    const std::string part = bytes.substr(bytes.size() - length);
    std::string text = Base64Encode(part);
    EXPECT_EQ(text.find('='), std::string::npos);
    EXPECT_EQ(Base64Decode(text), part);
    while (text.size() % 4 != 0) text += '=';
    EXPECT_EQ(Base64Decode(text), part);
  }
}

TEST(Base64Test, AListIsSplitBeforeItIsDecoded) {
  using List = std::vector<std::string>;
  EXPECT_EQ(Base64DecodeList("Zg,Zm8=,Zm9v", 3), (List{"f", "fo", "foo"}));
  EXPECT_EQ(Base64DecodeList("Zg==, Zm8", 3), (List{"f", "fo"}));
  EXPECT_EQ(Base64DecodeList("Zg", 3), (List{"f"}));
  EXPECT_EQ(Base64DecodeList("", 3), (List{""}));
  EXPECT_EQ(Base64DecodeList("Zg,", 3), (List{"f", ""}));
  EXPECT_EQ(Base64DecodeList("Zg,!,Zg", 3), std::nullopt);
}

TEST(Base64Test, AListOfMoreValuesThanWantedIsNone) {
  for (size_t values : {1, 127, 128, 129}) {
    std::string text = "YQ";
    for (size_t i = 1; i < values; ++i) text += ",YQ";
    EXPECT_EQ(Base64DecodeList(text, 128),
              values <= 128 ? std::optional(std::vector<std::string>(values, "a")) : std::nullopt);
  }
  EXPECT_EQ(Base64DecodeList(std::string(16'000, ','), 128), std::nullopt);
}

}  // namespace
}  // namespace weir::wire
