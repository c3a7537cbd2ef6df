// ForEachSeed: runs seeds, and makes the list of faults of a seed that fails as short as it can.
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "weir/testing/simulation.h"

namespace weir::testing {
namespace {

// Runs of one seed that are made to find a shorter list.
constexpr int kShrinkRunsMax = 200;

using Numbers = std::vector<size_t>;

struct Outcome {
  std::string failure;  // empty: none
  std::vector<Fault> faults;
};

bool Tracing() { return std::getenv("WEIR_SIM_TRACE") != nullptr; }

Outcome RunOnce(uint64_t seed, std::optional<Numbers> faults, bool trace,
                const std::function<void(Simulation&)>& scenario) {
  Outcome outcome;
  ::testing::TestPartResultArray results;
  {
    ::testing::ScopedFakeTestPartResultReporter reporter(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
    Simulation simulation({.seed = seed, .faults = std::move(faults), .trace = trace});
    scenario(simulation);
    outcome.faults = simulation.faults();
  }
  for (int i = 0; i < results.size(); ++i) {
    const ::testing::TestPartResult& result = results.GetTestPartResult(i);
    if (!result.failed()) continue;
    std::ostringstream text;
    text << (result.file_name() == nullptr ? "?" : result.file_name()) << ":" << result.line_number() << ": "
         << result.message() << "\n";
    outcome.failure += text.str();
  }
  return outcome;
}

// Leaves out ever smaller parts of the list for as long as the seed still fails.
Numbers Shrink(uint64_t seed, Numbers kept, const std::function<void(Simulation&)>& scenario) {
  int runs = 0;
  for (size_t part = kept.size(); part > 0 && runs < kShrinkRunsMax; part /= 2) {
    for (size_t from = 0; from < kept.size() && runs < kShrinkRunsMax;) {
      Numbers fewer = kept;
      const auto first = fewer.begin() + static_cast<ptrdiff_t>(from);
      fewer.erase(first, first + static_cast<ptrdiff_t>(std::min(part, kept.size() - from)));
      ++runs;
      if (RunOnce(seed, fewer, false, scenario).failure.empty()) {
        from += part;
      } else {
        kept = std::move(fewer);
      }
    }
  }
  return kept;
}

std::optional<Numbers> FaultsFromEnvironment() {
  const char* text = std::getenv("WEIR_SIM_FAULTS");
  if (text == nullptr) return std::nullopt;
  Numbers numbers;
  std::istringstream stream(text);
  for (std::string number; std::getline(stream, number, ',');) {
    if (!number.empty()) numbers.push_back(std::strtoull(number.c_str(), nullptr, 0));
  }
  return numbers;
}

void Report(uint64_t seed, const Outcome& outcome, const Numbers& kept) {
  const ::testing::TestInfo* const test = ::testing::UnitTest::GetInstance()->current_test_info();
  std::string text = absl::StrCat("seed ", seed, " fails:\n", outcome.failure, "with ", kept.size(), " of ",
                                  outcome.faults.size(), " fault(s):\n");
  for (size_t number : kept) absl::StrAppend(&text, "  ", number, ": ", outcome.faults[number].ToString(), "\n");
  const char* const target = std::getenv("TEST_TARGET");
  absl::StrAppend(&text, "rerun: ", target == nullptr ? "" : "bazel test ", target == nullptr ? "" : target);
  const std::string name = test == nullptr ? "*" : absl::StrCat(test->test_suite_name(), ".", test->name());
  absl::StrAppend(&text, " --test_env=WEIR_SIM_SEED=", seed, " --test_env=WEIR_SIM_FAULTS=", absl::StrJoin(kept, ","),
                  " --test_filter=", name, "\n(--test_env=WEIR_SIM_TRACE=1 shows what happens)");
  ADD_FAILURE() << text;
}

}  // namespace

void ForEachSeed(Seeds seeds, const std::function<void(Simulation&)>& scenario) {
  if (const char* seed = std::getenv("WEIR_SIM_SEED"); seed != nullptr) {
    seeds.first = std::strtoull(seed, nullptr, 0);
    seeds.count = 1;
  } else if (const char* count = std::getenv("WEIR_SIM_SEEDS"); count != nullptr) {
    seeds.count = std::atoi(count);
  }
  const std::optional<Numbers> only = FaultsFromEnvironment();
  for (int i = 0; i < seeds.count; ++i) {
    const uint64_t seed = seeds.first + static_cast<uint64_t>(i);
    const Outcome outcome = RunOnce(seed, only, Tracing(), scenario);
    if (outcome.failure.empty()) continue;
    Numbers kept;
    for (size_t number = 0; number < outcome.faults.size(); ++number) kept.push_back(number);
    return Report(seed, outcome, Shrink(seed, only.value_or(kept), scenario));
  }
}

}  // namespace weir::testing
