// Plays the case files named as arguments, one test for each case, and prints what was held by section.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "weir/tests/conformance/case.h"

namespace weir::testing {
namespace {

struct Tally {
  int cases = 0;
  int failed = 0;
};
// By section, sorted as numbers are: "RFC9113 6.9.1" before "RFC9113 6.10".
struct BySection {
  static std::vector<std::string> Parts(const std::string& section) {
    std::vector<std::string> parts(1);
    for (char c : section) {
      if (c == '.' || c == ' ') {
        parts.emplace_back();
      } else {
        parts.back() += c;
      }
    }
    for (std::string& part : parts) part.insert(0, part.size() < 8 ? 8 - part.size() : 0, '0');
    return parts;
  }
  bool operator()(const std::string& a, const std::string& b) const { return Parts(a) < Parts(b); }
};
using Tallies = std::map<std::string, Tally, BySection>;

class CaseTest final : public ::testing::Test {
 public:
  CaseTest(const ConformanceCase& played, Tallies* tallies) : case_(played), tallies_(tallies) {}

  void TestBody() override {
    Tally& tally = (*tallies_)[case_.section];
    ++tally.cases;
    if (const auto wrong = PlayCase(case_)) {
      ++tally.failed;
      ADD_FAILURE() << case_.place << ": " << case_.section << ": " << case_.rule << "\n" << *wrong;
    }
  }

 private:
  const ConformanceCase case_;
  Tallies* const tallies_;
};

// Letters and digits are what a test's name may have.
std::string NameOf(const std::string& text) {
  std::string name = text;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

void Register(const ConformanceCase& played, size_t number, Tallies* tallies) {
  const std::string suite = NameOf(played.section);
  const std::string who = played.role == transport::Role::kServer ? "server_" : "client_";
  const std::string name = std::to_string(number) + "_" + who + NameOf(played.rule);
  ::testing::RegisterTest(suite.c_str(), name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [played, tallies]() -> ::testing::Test* { return new CaseTest(played, tallies); });
}

void PrintSummary(const Tallies& tallies) {
  Tally all;
  std::printf("\n%-18s %6s %7s\n", "section", "cases", "failed");
  for (const auto& [section, tally] : tallies) {
    std::printf("%-18s %6d %7d\n", section.c_str(), tally.cases, tally.failed);
    all.cases += tally.cases;
    all.failed += tally.failed;
  }
  std::printf("%-18s %6d %7d\n", "all", all.cases, all.failed);
}

int Main(int argc, char** argv) {
  std::vector<ConformanceCase> cases;
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i]);
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const auto mistake = text.empty() ? std::string(argv[i]) + ": expected cases, got nothing"
                                      : ParseCases(argv[i], text, &cases).value_or("");
    if (!mistake.empty()) {
      std::fprintf(stderr, "%s\n", mistake.c_str());
      return 1;
    }
  }
  Tallies tallies;
  for (size_t i = 0; i < cases.size(); ++i) Register(cases[i], i + 1, &tallies);
  const int result = RUN_ALL_TESTS();
  PrintSummary(tallies);
  return result;
}

}  // namespace
}  // namespace weir::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  return weir::testing::Main(argc, argv);
}
