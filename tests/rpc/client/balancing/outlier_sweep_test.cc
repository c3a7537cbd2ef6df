// Which addresses outlier detection ejects, and when they come back: the numbers of gRFC A50.
#include "weir/rpc/client/balancing/outlier_sweep.h"

#include <chrono>
#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace weir {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Sweeps {
 public:
  explicit Sweeps(OutlierConfig config) : config_(config) {}

  // The next interval of 10 s is over: so many of so many calls succeeded at each address. Which ones are ejected now.
  struct Share {
    uint64_t successes;
    uint64_t total;
  };
  std::vector<size_t> After(const std::vector<Share>& shares) {
    records_.resize(shares.size());
    std::vector<OutlierRecord*> all;
    for (size_t i = 0; i < shares.size(); ++i) {
      records_[i].current = {.successes = shares[i].successes, .failures = shares[i].total - shares[i].successes};
      all.push_back(&records_[i]);
    }
    now_ += seconds(10);
    SweepOutliers(config_, all, now_, [this] { return chance; });
    std::vector<size_t> ejected;
    for (size_t i = 0; i < records_.size(); ++i) {
      if (records_[i].ejected_at.has_value()) ejected.push_back(i);
    }
    return ejected;
  }
  // The same without calls.
  std::vector<size_t> AfterNothing() { return After(std::vector<Share>(records_.size(), Share{0, 0})); }
  // How many intervals pass until nothing is ejected any more.
  int IntervalsUntilFree() {
    int intervals = 1;
    while (!AfterNothing().empty()) ++intervals;
    return intervals;
  }

  uint32_t chance = 0;

 private:
  const OutlierConfig config_;
  std::vector<OutlierRecord> records_;
  transport::MonotonicTime now_{};
};

OutlierConfig BySuccessRate(SuccessRateEjection ejection = {}) {
  OutlierConfig config;
  config.success_rate = ejection;
  return config;
}
OutlierConfig ByFailurePercentage(FailurePercentageEjection ejection = {}) {
  OutlierConfig config;
  config.failure_percentage = ejection;
  return config;
}

constexpr Sweeps::Share kGood{100, 100};
constexpr Sweeps::Share kHalf{50, 100};

// ---- success rate

// Rates 1, 1, 1, 1, 0.5: mean 0.9, standard deviation 0.2; 0.9 - 1.9 * 0.2 = 0.52.
TEST(SuccessRate, BelowTheMeanByMoreThanTheFactorIsEjected) {
  EXPECT_THAT(Sweeps(BySuccessRate()).After({kGood, kGood, kGood, kGood, kHalf}), ElementsAre(4));
  EXPECT_THAT(Sweeps(BySuccessRate({.stdev_factor = 2100})).After({kGood, kGood, kGood, kGood, kHalf}), IsEmpty());
}

TEST(SuccessRate, IsNotComparedAmongTooFewAddresses) {
  EXPECT_THAT(Sweeps(BySuccessRate({.stdev_factor = 1000})).After({kGood, kGood, kGood, kHalf}), IsEmpty());
  EXPECT_THAT(Sweeps(BySuccessRate({.stdev_factor = 1000, .minimum_hosts = 4})).After({kGood, kGood, kGood, kHalf}),
              ElementsAre(3));
}

TEST(SuccessRate, AddressWithTooFewCallsSaysNothing) {
  EXPECT_THAT(Sweeps(BySuccessRate()).After({kGood, kGood, kGood, kGood, kGood, {0, 99}}), IsEmpty());
  EXPECT_THAT(Sweeps(BySuccessRate()).After({kGood, kGood, kGood, kGood, kGood, {0, 100}}), ElementsAre(5));
  EXPECT_THAT(Sweeps(BySuccessRate()).After({kGood, kGood, kGood, {99, 99}, kHalf}), IsEmpty()) << "four are left";
}

TEST(SuccessRate, NobodyIsEjectedWhenAllAreTheSame) {
  EXPECT_THAT(Sweeps(BySuccessRate()).After({kHalf, kHalf, kHalf, kHalf, kHalf}), IsEmpty());
}

// ---- failure percentage

TEST(FailurePercentage, AboveTheThresholdIsEjected) {
  EXPECT_THAT(Sweeps(ByFailurePercentage()).After({kGood, kGood, kGood, kGood, {15, 100}}), IsEmpty());
  EXPECT_THAT(Sweeps(ByFailurePercentage()).After({kGood, kGood, kGood, kGood, {14, 100}}), ElementsAre(4));
}

TEST(FailurePercentage, NeedsEnoughAddressesWithEnoughCalls) {
  EXPECT_THAT(Sweeps(ByFailurePercentage()).After({kGood, kGood, kGood, {0, 50}}), IsEmpty());
  EXPECT_THAT(Sweeps(ByFailurePercentage()).After({kGood, kGood, kGood, kGood, {0, 50}}), ElementsAre(4));
  EXPECT_THAT(Sweeps(ByFailurePercentage()).After({kGood, kGood, kGood, kGood, kGood, {0, 49}}), IsEmpty());
}

// ---- how many

TEST(MaxEjectionPercent, IsOfAllAddressesAndOneMayBeEjectedInAnyCase) {
  constexpr Sweeps::Share kBad{0, 100};
  std::vector<Sweeps::Share> shares(10, kGood);
  shares[0] = shares[4] = shares[7] = kBad;
  OutlierConfig config = ByFailurePercentage();
  EXPECT_THAT(Sweeps(config).After(shares), ElementsAre(0)) << "10 % by default";
  config.max_ejection_percent = 0;
  EXPECT_THAT(Sweeps(config).After(shares), ElementsAre(0));
  config.max_ejection_percent = 20;
  EXPECT_THAT(Sweeps(config).After(shares), ElementsAre(0, 4));
  config.max_ejection_percent = 100;
  EXPECT_THAT(Sweeps(config).After(shares), ElementsAre(0, 4, 7));
}

TEST(MaxEjectionPercent, CountsThoseThatAreEjectedAlready) {
  Sweeps sweeps(ByFailurePercentage());
  EXPECT_THAT(sweeps.After({kGood, kGood, kGood, kGood, {0, 100}}), ElementsAre(4));
  EXPECT_THAT(sweeps.After({{0, 100}, kGood, kGood, kGood, {0, 50}}), ElementsAre(4));
}

TEST(EnforcementPercentage, IsTheChanceOfBeingEjected) {
  for (const bool by_rate : {true, false}) {
    const auto config = [by_rate](uint32_t percentage) {
      return by_rate ? BySuccessRate({.enforcement_percentage = percentage})
                     : ByFailurePercentage({.threshold = 49, .enforcement_percentage = percentage});
    };
    Sweeps lucky(config(30));
    lucky.chance = 130;
    EXPECT_THAT(lucky.After({kGood, kGood, kGood, kGood, kHalf}), IsEmpty());
    lucky.chance = 129;
    EXPECT_THAT(lucky.After({kGood, kGood, kGood, kGood, kHalf}), ElementsAre(4));
    EXPECT_THAT(Sweeps(config(0)).After({kGood, kGood, kGood, kGood, kHalf}), IsEmpty());
  }
}

// ---- how long

TEST(EjectionTime, GrowsWithEachEjectionUpToTheLargest) {
  OutlierConfig config = ByFailurePercentage();
  config.max_ejection_time = absl::Seconds(80);
  Sweeps sweeps(config);
  const std::vector<Sweeps::Share> bad = {kGood, kGood, kGood, kGood, {0, 100}};
  for (const int intervals : {3, 6, 8, 8}) {
    ASSERT_THAT(sweeps.After(bad), ElementsAre(4));
    EXPECT_EQ(sweeps.IntervalsUntilFree(), intervals);
  }
}

TEST(EjectionTime, ShrinksWithEachIntervalThatWasGood) {
  Sweeps sweeps(ByFailurePercentage());
  const std::vector<Sweeps::Share> bad = {kGood, kGood, kGood, kGood, {0, 100}};
  sweeps.After(bad);
  sweeps.IntervalsUntilFree();
  sweeps.After(bad);
  EXPECT_EQ(sweeps.IntervalsUntilFree(), 6);
  sweeps.AfterNothing();
  sweeps.AfterNothing();
  sweeps.After(bad);
  EXPECT_EQ(sweeps.IntervalsUntilFree(), 3);
}

TEST(EjectionTime, IsNotProlongedByCallsThatBeganBefore) {
  Sweeps sweeps(ByFailurePercentage());
  const std::vector<Sweeps::Share> bad = {kGood, kGood, kGood, kGood, {0, 100}};
  sweeps.After(bad);
  sweeps.After(bad);
  EXPECT_EQ(sweeps.IntervalsUntilFree(), 2);
}

TEST(EjectionTime, LargestIsAtLeastTheBase) {
  OutlierConfig config = ByFailurePercentage();
  config.base_ejection_time = absl::Seconds(20);
  config.max_ejection_time = absl::Seconds(20);
  Sweeps sweeps(config);
  sweeps.After({kGood, kGood, kGood, kGood, {0, 100}});
  EXPECT_EQ(sweeps.IntervalsUntilFree(), 2);
}

}  // namespace
}  // namespace weir
