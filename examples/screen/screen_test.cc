#include "examples/screen/screen.h"

#include <gtest/gtest.h>

namespace screen {
namespace {

std::string Shown(std::string_view line) {
  std::string shown;
  return Shorten(line, &shown) ? shown : "(nothing)";
}

TEST(Shorten, LeavesOtherLinesAlone) {
  EXPECT_EQ(Shown("The client cancels."), "The client cancels.");
  EXPECT_EQ(Shown("1.000 is a number"), "1.000 is a number");
  EXPECT_EQ(Shown(""), "");
}

TEST(Shorten, DropsTheTimeAndFieldsThatEveryCallHas) {
  EXPECT_EQ(Shown("12.003 c1 > HEADERS 1 :method=POST :scheme=http :path=/a.B/C :authority=localhost:1 te=trailers "
                  "content-type=application/grpc user-agent=grpc-c++-weir/0.1.0 hiker=\"Ann B.\""),
            "      c1 > HEADERS 1 :path=/a.B/C hiker=\"Ann B.\"");
  EXPECT_EQ(Shown("0.000 c1 < HEADERS 1 :status=200 content-type=application/grpc"), "      c1 < HEADERS 1");
  EXPECT_EQ(Shown("0.000 c1 < HEADERS 1 :status=404"), "      c1 < HEADERS 1 :status=404");
}

TEST(Shorten, CountsThePayload) {
  EXPECT_EQ(Shown(R"(0.000 c1 > DATA 1 END_STREAM "\x00\x00\x00\x00\x07\n\x05world")"),
            "      c1 > DATA 1 END_STREAM 12 bytes");
  EXPECT_EQ(Shown(R"(0.000 c1 > DATA 1 "a \"quoted\" word")"), "      c1 > DATA 1 15 bytes");
  EXPECT_EQ(Shown(R"(0.000 c1 > DATA 1 5000 bytes "\x00abc")"), "      c1 > DATA 1 5000 bytes");
}

TEST(Shorten, ShowsNeitherTheServersEndNorHousekeeping) {
  EXPECT_EQ(Shown("0.000 s1 < HEADERS 1 :path=/a"), "(nothing)");
  EXPECT_EQ(Shown("0.000 c1 > SETTINGS ACK"), "(nothing)");
  EXPECT_EQ(Shown("0.000 c1 > WINDOW_UPDATE 0 1000"), "(nothing)");
  EXPECT_EQ(Shown("0.000 c1 < GOAWAY last=5 NO_ERROR"), "      c1 < GOAWAY last=5 NO_ERROR");
}

}  // namespace
}  // namespace screen
