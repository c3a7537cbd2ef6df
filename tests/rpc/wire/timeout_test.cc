#include "weir/rpc/wire/timeout.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace weir::wire {
namespace {

TEST(EncodeTimeoutTest, UsesTheCoarsestUnitThatLosesNothing) {
  const struct {
    absl::Duration timeout;
    std::string_view text;
  } kCases[] = {
      {absl::Seconds(5), "5S"},     {absl::Milliseconds(250), "250m"}, {absl::Microseconds(7), "7u"},
      {absl::Nanoseconds(1), "1n"}, {absl::Minutes(1), "1M"},          {absl::Minutes(90), "90M"},
      {absl::Hours(1), "1H"},       {absl::Hours(240), "240H"},
  };
  for (const auto& c : kCases) EXPECT_EQ(EncodeTimeout(c.timeout), c.text);
}

TEST(EncodeTimeoutTest, RoundsUpToThreeDigits) {
  EXPECT_EQ(EncodeTimeout(absl::Seconds(5) - absl::Microseconds(13)), "5S");  // what remains when the call starts
  EXPECT_EQ(EncodeTimeout(absl::Milliseconds(1234)), "1240m");
  EXPECT_EQ(EncodeTimeout(absl::Microseconds(100'001)), "101m");
  EXPECT_EQ(EncodeTimeout(absl::Nanoseconds(1001)), "1010n");
  EXPECT_EQ(EncodeTimeout(absl::Nanoseconds(1) / 4), "1n");
}

TEST(EncodeTimeoutTest, ZeroAndThePastAreTheSmallestPositiveInteger) {
  EXPECT_EQ(EncodeTimeout(absl::ZeroDuration()), "1n");
  EXPECT_EQ(EncodeTimeout(absl::Seconds(-1)), "1n");
  EXPECT_EQ(EncodeTimeout(-absl::InfiniteDuration()), "1n");
}

TEST(EncodeTimeoutTest, NeverNeedsANinthDigit) {
  EXPECT_EQ(EncodeTimeout(absl::Hours(99'999'999)), "99999999H");
  EXPECT_EQ(EncodeTimeout(absl::Hours(100'000'000)), "99999999H");
  EXPECT_EQ(EncodeTimeout(absl::InfiniteDuration()), "99999999H");
  EXPECT_EQ(EncodeTimeout(absl::Seconds(631'000'000)), "10516667M");  // 20 years: nine digits in seconds
}

TEST(TimeoutTest, RoundTripIsMonotoneAndNeverShorter) {
  absl::Duration previous_in = absl::ZeroDuration();
  absl::Duration previous_out = absl::ZeroDuration();
  for (absl::Duration in = absl::Nanoseconds(1); in < absl::Hours(90'000'000); in += in / 37 + absl::Nanoseconds(1)) {
    const std::string text = EncodeTimeout(in);
    ASSERT_LE(text.size(), 9u) << in;
    const absl::StatusOr<absl::Duration> out = ParseTimeout(text);
    ASSERT_TRUE(out.ok()) << text;
    EXPECT_GE(*out, in) << text;
    EXPECT_LE(*out, in * 1.01 + absl::Nanoseconds(1)) << text << " for " << in;
    EXPECT_GE(*out, previous_out) << in << " after " << previous_in;
    if (in < absl::Hours(20'000)) {
      EXPECT_EQ(EncodeTimeout(*out), text);  // beyond, eight digits round once more
    }
    previous_in = in;
    previous_out = *out;
  }
}

TEST(ParseTimeoutTest, AcceptsOneToEightDigitsAndAUnit) {
  const struct {
    std::string_view text;
    absl::Duration timeout;
  } kCases[] = {
      {"1H", absl::Hours(1)},
      {"2M", absl::Minutes(2)},
      {"3S", absl::Seconds(3)},
      {"4m", absl::Milliseconds(4)},
      {"5u", absl::Microseconds(5)},
      {"6n", absl::Nanoseconds(6)},
      {"0n", absl::ZeroDuration()},
      {"00000007S", absl::Seconds(7)},
      {"99999999n", absl::Nanoseconds(99'999'999)},
      {"99999999H", absl::Hours(99'999'999)},  // does not overflow
  };
  for (const auto& c : kCases) {
    const absl::StatusOr<absl::Duration> parsed = ParseTimeout(c.text);
    ASSERT_TRUE(parsed.ok()) << c.text;
    EXPECT_EQ(*parsed, c.timeout) << c.text;
  }
}

TEST(ParseTimeoutTest, RefusesEverythingElse) {
  for (const std::string_view text : {"", "S", "5", "5s", "5sec", "5 S", " 5S", "5S ", "-5S", "+5S", "1.5S",
                                      "123456789n", "5SS", "0x5S", "H5", "5\0S"}) {
    EXPECT_EQ(ParseTimeout(text).status().code(), absl::StatusCode::kInternal) << text;
  }
  EXPECT_EQ(ParseTimeout("5sec").status().message(),
            "grpc-timeout: expected 1-8 digits and a unit HMSmun, got \"5sec\"");
}

}  // namespace
}  // namespace weir::wire
