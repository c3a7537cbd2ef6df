#include "weir/transport/h2/frame_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "weir/tests/support/frame_script.h"
#include "weir/transport/h2/frame.h"

namespace weir::transport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::weir::testing::Cuts;
using ::weir::testing::Frames;

std::string ErrorOf(std::string_view script) {
  std::string out;
  return std::string(EncodeFrameText(script, &out).message());
}

// Every form that the decoder prints, in its own spelling.
const std::vector<std::string>& CanonicalLines() {
  static const auto& lines = *new std::vector<std::string>{
      "HEADERS 1 END_STREAM :method=POST :path=/echo.Echo/Say te=trailers",
      "HEADERS 3 padded=7 :status=200 content-type=application/grpc",
      "HEADERS 5 priority=3:16:exclusive a=b",
      "HEADERS 5 END_STREAM padded=0 priority=0:256 a=b",
      "HEADERS 7 NO_END_HEADERS a=b",
      "CONTINUATION 7 c=d",
      "CONTINUATION 7 END_HEADERS e=f",
      "HEADERS 9 a=\"b c\" empty=\"\" \"padded\"=1 \"x=y\"=z bin=\"\\x00\\xff\\\"\\\\\"",
      "DATA 1",
      "DATA 1 END_STREAM",
      "DATA 1 END_STREAM \"hello\\x00\\n\\r\\t\"",
      "DATA 1 padded=10 \"x\"",
      "DATA 1 padded=0",
      "DATA 1 zeros:5000",
      "PRIORITY 3 1:16",
      "PRIORITY 3 1:1:exclusive",
      "RST_STREAM 1 CANCEL",
      "RST_STREAM 1 ERROR_0x1f",
      "SETTINGS",
      "SETTINGS ACK",
      "SETTINGS MAX_CONCURRENT_STREAMS=100 INITIAL_WINDOW_SIZE=65535 0x1f=7 0xabcd=4294967295",
      "PING 0123456789abcdef",
      "PING ACK 0123456789abcdef",
      "GOAWAY last=5 NO_ERROR",
      "GOAWAY last=2147483647 ENHANCE_YOUR_CALM \"too_many_pings\"",
      "WINDOW_UPDATE 0 1000",
      "WINDOW_UPDATE 2147483647 2147483647",
      "FRAME type=0x0b flags=0x00 stream=1 hex:00ff",
      "FRAME type=0x03 flags=0x00 stream=1 hex:000000",
      "FRAME type=0x05 flags=0x04 stream=1 hex:0000000282",
  };
  return lines;
}

TEST(FrameTextTest, EveryLineIsReadBackAsItWasWritten) {
  for (const std::string& line : CanonicalLines()) {
    EXPECT_THAT(DecodeFrameText(Role::kServer, Frames(line)), ElementsAre(line));
  }
}

TEST(FrameTextTest, TheClientsMagicIsPrefaceAndComesFirst) {
  EXPECT_THAT(DecodeFrameText(Role::kClient, Frames("PREFACE\nSETTINGS")), ElementsAre("PREFACE", "SETTINGS"));
}

TEST(FrameTextTest, BytesCutAnywhereGiveTheSameLines) {
  std::string script = "PREFACE\n";
  for (const std::string& line : CanonicalLines()) script += line + "\n";
  const std::string bytes = Frames(script);
  const std::vector<std::string> whole = DecodeFrameText(Role::kClient, bytes);
  ASSERT_EQ(whole.size(), CanonicalLines().size() + 1);
  for (Cuts cuts : Cuts::All()) {
    FrameTextDecoder decoder(Role::kClient);
    std::vector<std::string> lines;
    for (std::string_view rest = bytes; !rest.empty();) {
      const std::string_view read = rest.substr(0, cuts.Next(rest.size()));
      decoder.Feed(read, &lines);
      rest.remove_prefix(read.size());
    }
    EXPECT_EQ(lines, whole) << cuts.ToString();
    EXPECT_EQ(decoder.pending_bytes(), 0u);
  }
}

TEST(FrameTextTest, RandomBytesAreReadBackFromTheirText) {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    std::string bytes;
    for (int frame = 0; frame < 4; ++frame) {
      std::string payload(random() % 40, '\0');
      for (char& c : payload) c = static_cast<char>(random());
      AppendFrameHeader({static_cast<uint32_t>(payload.size()), static_cast<FrameType>(random() % 12),
                         static_cast<uint8_t>(random() % 64), static_cast<uint32_t>(random() % 4)},
                        &bytes);
      bytes += payload;
    }
    const std::vector<std::string> lines = DecodeFrameText(Role::kServer, bytes);
    ASSERT_EQ(lines.size(), 4u);
    std::string again;
    for (const std::string& line : lines) {
      // Header blocks change their form (literals), so the property is text -> bytes -> text.
      if (line.starts_with("HEADERS") || line.starts_with("CONTINUATION")) continue;
      again.clear();
      ASSERT_TRUE(EncodeFrameText(line, &again).ok()) << line;
      if (line.starts_with("FRAME type=0x01") || line.starts_with("FRAME type=0x09")) continue;
      EXPECT_THAT(DecodeFrameText(Role::kServer, again), ElementsAre(line));
    }
  }
}

TEST(FrameTextTest, ATraceShowsNoCredentials) {
  std::string bytes;
  ASSERT_TRUE(EncodeFrameText("HEADERS 1 :path=/a authorization=\"Bearer secret\" cookie=secret x=y\n", &bytes).ok());
  FrameTextDecoder trace(Role::kServer, FrameTextDecoder::kTracePayloadBytes);
  std::vector<std::string> lines;
  trace.Feed(bytes, &lines);
  EXPECT_THAT(lines, ::testing::ElementsAre(
                         "HEADERS 1 :path=/a authorization=\"(13 secret bytes)\" cookie=\"(6 secret bytes)\" x=y"));
}

TEST(FrameTextTest, ATraceShowsTheBeginningOfALongPayload) {
  FrameTextDecoder decoder(Role::kServer, 4);
  std::vector<std::string> lines;
  decoder.Feed(Frames("DATA 1 END_STREAM \"abcdefgh\"\nDATA 1 \"abcd\""), &lines);
  EXPECT_THAT(lines, ElementsAre("DATA 1 END_STREAM 8 bytes \"abcd\"", "DATA 1 \"abcd\""));
  // ... and can be pasted into a script: the rest is zeros.
  EXPECT_EQ(Frames(lines[0]), Frames("DATA 1 END_STREAM \"abcd\\x00\\x00\\x00\\x00\""));
}

TEST(FrameTextTest, ABlockCutAcrossFramesShowsEachFieldWhereItEnds) {
  std::string block;
  AppendLiteralBlock({{"aaaa", "bbbb"}, {"cccc", "dddd"}}, &block);
  std::string bytes;
  AppendFrameHeader({15, FrameType::kHeaders, 0, 1}, &bytes);
  bytes += block.substr(0, 15);
  AppendFrameHeader({static_cast<uint32_t>(block.size() - 15), FrameType::kContinuation, frame_flag::kEndHeaders, 1},
                    &bytes);
  bytes += block.substr(15);
  EXPECT_THAT(DecodeFrameText(Role::kServer, bytes),
              ElementsAre("HEADERS 1 NO_END_HEADERS aaaa=bbbb", "CONTINUATION 1 END_HEADERS cccc=dddd"));
}

TEST(FrameTextTest, AnHpackErrorTurnsThisAndLaterBlocksIntoRawFrames) {
  const std::string bytes = Frames("FRAME type=0x01 flags=0x04 stream=1 hex:ff80\nHEADERS 3 a=b\nDATA 3 \"x\"");
  EXPECT_THAT(DecodeFrameText(Role::kServer, bytes), ElementsAre("FRAME type=0x01 flags=0x04 stream=1 hex:ff80",
                                                                 "FRAME type=0x01 flags=0x04 stream=3 hex:000161"
                                                                 "0162",
                                                                 "DATA 3 \"x\""));
}

TEST(FrameTextTest, AnHttp1ClientIsShownAsBytes) {
  EXPECT_THAT(DecodeFrameText(Role::kClient, Frames("BYTES \"GET / HTTP/1.1\\r\\n\"")),
              ElementsAre("BYTES \"GET / HTTP/1.1\\r\\n\""));
}

TEST(FrameTextTest, AFrameOfAbsurdLengthIsShownByItsBeginningAndSkipped) {
  std::string bytes = Frames("FRAME type=0x0 stream=1 length=2000000 hex:");
  bytes += std::string(2000000, 'x') + Frames("PING 0000000000000001");
  const std::vector<std::string> lines = DecodeFrameText(Role::kServer, bytes);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[0], HasSubstr("FRAME type=0x00 flags=0x00 stream=1 length=2000000 hex:7878"));
  EXPECT_EQ(lines[1], "PING 0000000000000001");
}

TEST(FrameTextTest, CommentsAndEmptyLinesAreSkipped) {
  EXPECT_EQ(Frames("# a script\n\n  \nSETTINGS # none\n"), Frames("SETTINGS"));
}

TEST(FrameTextTest, ErrorsNameLineColumnAndWhatWasExpected) {
  EXPECT_EQ(ErrorOf("SETTINGS\nRST_STREAM 1 CANSEL"),
            "line 2, column 14: expected an error code like CANCEL or ERROR_0x1f, got \"CANSEL\"");
  EXPECT_EQ(ErrorOf("DATA"), "line 1, column 5: expected a stream id, got the end of the line");
  EXPECT_EQ(ErrorOf("DATA 2147483648"), "line 1, column 6: expected a number up to 2147483647, got \"2147483648\"");
  EXPECT_EQ(ErrorOf("DATA 1 \"abc"), "line 1, column 8: expected a closing quote, got \"\\\"abc\"");
  EXPECT_EQ(ErrorOf("DATA 1 \"\\q\""), "line 1, column 9: expected one of \\\" \\\\ \\n \\r \\t \\xHH, got \"\\\\q\"");
  EXPECT_EQ(ErrorOf("DATA 1 \"\\x1\""),
            "line 1, column 9: expected two hexadecimal digits after \\x, got \"\\\\x1\\\"\"");
  EXPECT_EQ(ErrorOf("DATA 1 \"a\" \"b\""), "line 1, column 12: expected the end of the line, got \"b\"");
  EXPECT_EQ(ErrorOf("DATA 1 padded=256"), "line 1, column 8: expected a number up to 255, got \"256\"");
  EXPECT_EQ(ErrorOf("DATA 1 5 octets \"a\""), "line 1, column 10: expected the word bytes, got \"octets\"");
  EXPECT_EQ(ErrorOf("HEADERS 1 novalue"), "line 1, column 11: expected a field like name=value, got \"novalue\"");
  EXPECT_EQ(ErrorOf("PRIORITY 1 3"), "line 1, column 12: expected <dependency>:<weight>[:exclusive], got \"3\"");
  EXPECT_EQ(ErrorOf("PRIORITY 1 3:0"), "line 1, column 12: expected a weight of 1 to 256, got \"3:0\"");
  EXPECT_EQ(ErrorOf("SETTINGS BOGUS=1"),
            "line 1, column 10: expected a setting like MAX_CONCURRENT_STREAMS=100 or 0x1f=7, got \"BOGUS=1\"");
  EXPECT_EQ(ErrorOf("PING 12"), "line 1, column 6: expected 16 hexadecimal digits, got \"12\"");
  EXPECT_EQ(ErrorOf("GOAWAY NO_ERROR"), "line 1, column 8: expected last=<stream id>, got \"NO_ERROR\"");
  EXPECT_EQ(ErrorOf("WINDOW_UPDATE 1"), "line 1, column 16: expected an increment, got the end of the line");
  EXPECT_EQ(ErrorOf("FRAME"), "line 1, column 6: expected type=0x<hex>, got the end of the line");
  EXPECT_EQ(ErrorOf("FRAME type=1 hex:0"),
            "line 1, column 18: expected an even number of hexadecimal digits, got \"0\"");
  EXPECT_EQ(ErrorOf("FRAME type=1 hex:0g"), "line 1, column 18: expected hexadecimal digits, got \"0g\"");
  EXPECT_THAT(ErrorOf("HEADER 1"), HasSubstr("expected PREFACE, DATA, HEADERS"));
  EXPECT_EQ(ErrorOf("DATA 1 padded=1 zeros:16777215"),
            "line 1, column 1: expected a frame of at most 16777215 octets, got \"16777217\"");
}

}  // namespace
}  // namespace weir::transport
