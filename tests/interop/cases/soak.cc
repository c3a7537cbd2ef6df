// Cases over time: the same call again and again within budgets for failures, latency and the whole.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "tests/interop/cases/case_table.h"

namespace weir::interop {
namespace {

enum class Channels { kOne, kOnePerCall };

absl::Status SoakCall(TestClient& client, const TrialOptions& options) {
  grpc::testing::SimpleRequest request;
  request.set_response_size(options.soak_response_bytes);
  *request.mutable_payload() = Zeros(options.soak_request_bytes);
  const Outcome<grpc::testing::SimpleResponse> got =
      client.UnaryCall(request, CallSetup::Timeout(options.soak_overall_timeout));
  if (!got.status.ok()) return got.status;
  const size_t got_bytes = got.reply.payload().body().size();
  if (got_bytes == static_cast<size_t>(options.soak_response_bytes)) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("response payload size: expected ", options.soak_response_bytes, ", got ", got_bytes));
}

// The lines that gRPC's own clients print, which scripts look for. A channel here is one connection to one address, so
// that the peer is the server that was asked for.
void PrintIteration(const TrialOptions& options, int iteration, absl::Duration latency, const std::string& verdict) {
  std::fprintf(stderr, "soak iteration: %d elapsed_ms: %lld peer: %s server_uri: %s %s\n", iteration,
               static_cast<long long>(absl::ToInt64Milliseconds(latency)), options.server_uri.c_str(),
               options.server_uri.c_str(), verdict.c_str());
}

void PrintSummary(const TrialOptions& options, int failures, std::vector<absl::Duration> latencies) {
  std::sort(latencies.begin(), latencies.end());
  const auto percentile_ms = [&](size_t percent) -> long long {
    if (latencies.empty()) return 0;
    return absl::ToInt64Milliseconds(latencies[std::min(latencies.size() - 1, latencies.size() * percent / 100)]);
  };
  std::fprintf(stderr,
               "(server_uri: %s) soak test ran: %zu / %d iterations. total failures: %d. max failures threshold: %d. "
               "p50: %lld ms, p90: %lld ms, p100: %lld ms\n",
               options.server_uri.c_str(), latencies.size(), options.soak_iterations, failures,
               options.soak_max_failures, percentile_ms(50), percentile_ms(90), percentile_ms(100));
}

// Failures do not end the test: it tells at the end how many there were.
void Soak(Trial& trial, Channels channels) {
  const TrialOptions& options = trial.options();
  const absl::Time give_up = absl::Now() + options.soak_overall_timeout;
  int failures = 0;
  std::vector<absl::Duration> latencies;
  for (int i = 0; i < options.soak_iterations && absl::Now() < give_up; ++i) {
    const absl::Time start = absl::Now();
    const absl::Status status =
        channels == Channels::kOne ? SoakCall(trial.client(), options) : SoakCall(*trial.NewClient(), options);
    latencies.push_back(absl::Now() - start);
    std::string verdict = "succeeded";
    if (!status.ok()) {
      verdict = absl::StrCat("failed: ", status.ToString());
    } else if (latencies.back() > options.soak_per_iteration_max_acceptable_latency) {
      verdict = absl::StrCat("exceeds max acceptable latency: ",
                             absl::ToInt64Milliseconds(options.soak_per_iteration_max_acceptable_latency));
    }
    if (verdict != "succeeded" && ++failures > options.soak_max_failures) {
      trial.Fail(absl::StrCat("iteration ", i, ": failure ", failures, " of at most ", options.soak_max_failures, ": ",
                              verdict));
    }
    PrintIteration(options, i, latencies.back(), verdict);
    absl::SleepFor(start + options.soak_min_time_between_rpcs - absl::Now());
  }
  PrintSummary(options, failures, latencies);
  trial.ExpectEqual(absl::StrCat("iterations within ", absl::FormatDuration(options.soak_overall_timeout)),
                    options.soak_iterations, latencies.size());
}

}  // namespace

void RpcSoak(Trial& trial) { Soak(trial, Channels::kOne); }

void ChannelSoak(Trial& trial) { Soak(trial, Channels::kOnePerCall); }

void LongLivedChannel(Trial& trial) {
  const TrialOptions& options = trial.options();
  int failures = 0;
  for (int i = 0; i < options.soak_iterations; ++i) {
    const absl::Status status = SoakCall(trial.client(), options);
    if (!status.ok() && ++failures > options.soak_max_failures) {
      trial.Fail(absl::StrCat("iteration ", i + 1, ": ", status.ToString()));
      return;
    }
    absl::SleepFor(options.iteration_interval);
  }
}

}  // namespace weir::interop
