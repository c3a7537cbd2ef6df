#include "tests/interop/cases/client_main.h"

#include <cstdio>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "tests/interop/cases/case_table.h"
#include "tests/interop/cases/test_ca_path.h"

ABSL_FLAG(std::string, server_host, "localhost", "where the server runs");
ABSL_FLAG(int, server_port, 0, "its port");
ABSL_FLAG(std::string, server_host_override, "", "the :authority of calls, instead of host and port");
ABSL_FLAG(std::string, test_case, "large_unary",
          "cases and groups of cases, separated by commas: \"all\" (the official ones), \"compression\", "
          "\"features\", \"http2\"");
ABSL_FLAG(std::string, except, "", "cases to leave out, separated by commas");
ABSL_FLAG(bool, use_tls, false, "whether connections use TLS");
ABSL_FLAG(bool, use_test_ca, false, "trust the CA that a server without --tls_cert_file made on this machine");
ABSL_FLAG(std::string, tls_ca_file, "", "PEM file with the roots to trust; empty: as --use_test_ca, or the system's");
ABSL_FLAG(std::string, service_config_json, "", "of the channel; empty: none");
ABSL_FLAG(std::string, additional_metadata, "", "sent with every call: key1:value1;key2:value2");
ABSL_FLAG(int, soak_iterations, 10, "calls of the soak cases");
ABSL_FLAG(int, soak_max_failures, 0, "how many of them may fail");
ABSL_FLAG(int, soak_per_iteration_max_acceptable_latency_ms, 1000, "a slower call is a failure");
ABSL_FLAG(int, soak_overall_timeout_seconds, 10, "for all calls of a soak case together");
ABSL_FLAG(int, soak_min_time_ms_between_rpcs, 0, "from the start of one call to that of the next");
ABSL_FLAG(int, soak_request_size, 271828, "bytes of payload up");
ABSL_FLAG(int, soak_response_size, 314159, "bytes of payload down");
ABSL_FLAG(int, iteration_interval, 10, "seconds between the calls of long_lived_channel");
ABSL_FLAG(int, streams, 1000, "calls at a time in concurrent_large_unary and thousand_streams");

namespace weir::interop {
namespace {

// "key1:value1;key2:value2". Values may contain colons.
bool ParseMetadata(const std::string& text, Pairs* metadata) {
  for (const absl::string_view entry : absl::StrSplit(text, ';', absl::SkipEmpty())) {
    const std::vector<std::string> key_value = absl::StrSplit(entry, absl::MaxSplits(':', 1));
    if (key_value.size() != 2 || key_value[0].empty()) {
      std::fprintf(stderr, "--additional_metadata: expected key:value, got \"%s\"\n", std::string(entry).c_str());
      return false;
    }
    metadata->emplace_back(key_value[0], key_value[1]);
  }
  return true;
}

TrialOptions OptionsOfFlags() {
  TrialOptions options;
  options.server_uri = absl::StrCat(absl::GetFlag(FLAGS_server_host), ":", absl::GetFlag(FLAGS_server_port));
  options.soak_iterations = absl::GetFlag(FLAGS_soak_iterations);
  options.soak_max_failures = absl::GetFlag(FLAGS_soak_max_failures);
  options.soak_per_iteration_max_acceptable_latency =
      absl::Milliseconds(absl::GetFlag(FLAGS_soak_per_iteration_max_acceptable_latency_ms));
  options.soak_overall_timeout = absl::Seconds(absl::GetFlag(FLAGS_soak_overall_timeout_seconds));
  options.soak_min_time_between_rpcs = absl::Milliseconds(absl::GetFlag(FLAGS_soak_min_time_ms_between_rpcs));
  options.soak_request_bytes = absl::GetFlag(FLAGS_soak_request_size);
  options.soak_response_bytes = absl::GetFlag(FLAGS_soak_response_size);
  options.iteration_interval = absl::Seconds(absl::GetFlag(FLAGS_iteration_interval));
  options.streams = absl::GetFlag(FLAGS_streams);
  return options;
}

std::string_view NameOf(CaseGroup group) {
  switch (group) {
    case CaseGroup::kAll:
      return "all";
    case CaseGroup::kCompression:
      return "compression";
    case CaseGroup::kFeatures:
      return "features";
    case CaseGroup::kHttp2:
      return "http2";
  }
  return "";
}

std::vector<Case> SelectCases(const std::string& names, const std::string& except) {
  const std::set<std::string> wanted = absl::StrSplit(names, ',');
  const std::set<std::string> left_out = absl::StrSplit(except, ',');
  const auto has = [](const std::set<std::string>& set, std::string_view name) {
    return set.contains(std::string(name));
  };
  std::vector<Case> selected;
  for (const Case& test : AllCases()) {
    if (has(left_out, test.name)) continue;
    if (has(wanted, test.name) || has(wanted, NameOf(test.group))) selected.push_back(test);
  }
  return selected;
}

void PrintKnownCases(const std::string& name) {
  std::fprintf(
      stderr,
      "--test_case: expected known cases, \"all\", \"compression\", \"features\" or \"http2\", got \"%s\". Known:\n",
      name.c_str());
  for (const Case& test : AllCases()) {
    std::fprintf(stderr, "  %-28s %s\n", std::string(test.name).c_str(), std::string(test.what).c_str());
  }
}

// Prints "PASS name 12 ms", or "FAIL name 12 ms" and what was wrong; tests/interop/runner reads the first word.
bool RunCase(const Case& test, const TestClientFactory& factory, const TrialOptions& options) {
  const absl::Time start = absl::Now();
  Trial trial(factory, options);
  test.run(trial);
  const bool passed = trial.failures().empty();
  std::printf("%s %-28s %6lld ms\n", passed ? "PASS" : "FAIL", std::string(test.name).c_str(),
              static_cast<long long>(absl::ToInt64Milliseconds(absl::Now() - start)));
  constexpr size_t kShownFailures = 20;
  for (size_t i = 0; i < trial.failures().size() && i < kShownFailures; ++i) {
    std::printf("     %s\n", trial.failures()[i].c_str());
  }
  if (trial.failures().size() > kShownFailures) {
    std::printf("     ... and %zu more\n", trial.failures().size() - kShownFailures);
  }
  std::fflush(stdout);
  return passed;
}

}  // namespace

int RunInteropClient(int argc, char** argv, const std::string& library, const MakeTestClient& make) {
  absl::SetProgramUsageMessage("runs gRPC's interop cases with " + library);
  absl::ParseCommandLine(argc, argv);

  ClientTarget target;
  target.host = absl::GetFlag(FLAGS_server_host);
  target.port = absl::GetFlag(FLAGS_server_port);
  target.authority = absl::GetFlag(FLAGS_server_host_override);
  if (!ParseMetadata(absl::GetFlag(FLAGS_additional_metadata), &target.additional_metadata)) return 2;
  target.use_tls = absl::GetFlag(FLAGS_use_tls);
  target.tls_ca_file = absl::GetFlag(FLAGS_tls_ca_file);
  if (target.tls_ca_file.empty() && absl::GetFlag(FLAGS_use_test_ca)) target.tls_ca_file = TestCaPath();
  target.service_config_json = absl::GetFlag(FLAGS_service_config_json);
  if (target.port <= 0 || target.port > 65535) {
    std::fprintf(stderr, "--server_port: expected 1 to 65535, got %d\n", target.port);
    return 2;
  }
  const std::string name = absl::GetFlag(FLAGS_test_case);
  const std::vector<Case> cases = SelectCases(name, absl::GetFlag(FLAGS_except));
  if (cases.empty()) {
    PrintKnownCases(name);
    return 2;
  }

  const TestClientFactory factory = [&] { return make(target); };
  const TrialOptions options = OptionsOfFlags();
  size_t passed = 0;
  for (const Case& test : cases) passed += RunCase(test, factory, options) ? 1 : 0;
  std::printf("%s client: %zu of %zu cases passed\n", library.c_str(), passed, cases.size());
  return passed == cases.size() ? 0 : 1;
}

}  // namespace weir::interop
