// Cases over time: the same call again and again within budgets for failures, latency and the whole.
#include <thread>

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

void Soak(Trial& trial, Channels channels) {
  const TrialOptions& options = trial.options();
  const absl::Time give_up = absl::Now() + options.soak_overall_timeout;
  int failures = 0;
  int done = 0;
  for (; done < options.soak_iterations && absl::Now() < give_up; ++done) {
    const absl::Time start = absl::Now();
    absl::Status status =
        channels == Channels::kOne ? SoakCall(trial.client(), options) : SoakCall(*trial.NewClient(), options);
    const absl::Duration latency = absl::Now() - start;
    if (status.ok() && latency > options.soak_per_iteration_max_acceptable_latency) {
      status = absl::DeadlineExceededError(absl::StrCat(
          "latency: expected at most ", absl::FormatDuration(options.soak_per_iteration_max_acceptable_latency),
          ", got ", absl::FormatDuration(latency)));
    }
    if (!status.ok() && ++failures > options.soak_max_failures) {
      trial.Fail(absl::StrCat("iteration ", done + 1, ": failure ", failures, " of at most ", options.soak_max_failures,
                              ": ", status.ToString()));
      return;
    }
    absl::SleepFor(start + options.soak_min_time_between_rpcs - absl::Now());
  }
  trial.ExpectEqual(absl::StrCat("iterations within ", absl::FormatDuration(options.soak_overall_timeout)),
                    options.soak_iterations, done);
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
