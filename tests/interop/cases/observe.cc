#include "tests/interop/cases/observe.h"

#include <random>

#include "absl/time/clock.h"

namespace weir::interop {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);
constexpr absl::Duration kAskAgain = absl::Milliseconds(10);
constexpr absl::Duration kStandstill = absl::Milliseconds(300);

Observation Ask(Trial& trial, const std::string& call_id) {
  ObserveRequest request;
  request.set_call_id(call_id);
  const Outcome<Observation> got = trial.client().Observe(request);
  trial.ExpectOk("Observe", got.status);
  return got.reply;
}

}  // namespace

std::string NewCallId() {
  static std::random_device device;
  return absl::StrCat("call-", absl::Hex(device()), absl::Hex(device()));
}

Observation ObserveEnd(Trial& trial, const std::string& call_id) {
  const absl::Time give_up = absl::Now() + kPatience;
  Observation seen = Ask(trial, call_id);
  while ((!seen.known() || seen.running()) && trial.failures().empty() && absl::Now() < give_up) {
    absl::SleepFor(kAskAgain);
    seen = Ask(trial, call_id);
  }
  return seen;
}

Observation ObserveStandstill(Trial& trial, const std::string& call_id) {
  const absl::Time give_up = absl::Now() + kPatience;
  Observation seen = Ask(trial, call_id);
  absl::Time since = absl::Now();
  while (absl::Now() < since + kStandstill && trial.failures().empty() && absl::Now() < give_up) {
    absl::SleepFor(kAskAgain);
    const Observation next = Ask(trial, call_id);
    if (next.sent() != seen.sent()) since = absl::Now();
    seen = next;
  }
  return seen;
}

}  // namespace weir::interop
