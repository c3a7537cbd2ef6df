#include "weir/testing/simulation/fault.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace weir::testing {
namespace {

using Kind = Fault::Kind;

// Mostly short, sometimes long.
std::chrono::milliseconds SomeTime(SimulatedRandom& random) {
  const uint64_t limits[] = {5, 100, 1000, 10'000};
  return std::chrono::milliseconds(random.Between(1, limits[random.Below(4)]));
}

Fault MakeFault(SimulatedRandom random, std::chrono::milliseconds horizon) {
  Fault fault;
  fault.at = std::chrono::milliseconds(random.Below(static_cast<uint64_t>(horizon.count())));
  fault.kind = static_cast<Kind>(random.Below(Fault::kKinds));
  fault.target = random.Next();
  fault.length = SomeTime(random);
  switch (fault.kind) {
    case Kind::kDribble:
      fault.amount = static_cast<int64_t>(random.OneIn(2) ? 1 : random.Between(1, 20));
      fault.length = std::min(fault.length, std::chrono::milliseconds(200));
      break;
    case Kind::kCut:
      fault.amount = static_cast<int64_t>(random.Below(random.OneIn(2) ? 200 : 20'000));
      break;
    case Kind::kWallClock:
      fault.amount = static_cast<int64_t>(random.Below(7200)) - 3600;
      break;
    case Kind::kLateTimers:
      fault.length = std::min(fault.length, std::chrono::milliseconds(5000));
      break;
    case Kind::kSettings: {
      const int64_t windows[] = {0, 1, 100, 16'384};
      fault.amount = windows[random.Below(4)];
      break;
    }
    case Kind::kStreamReset:
      fault.amount = static_cast<int64_t>(random.Next() % 1000);
      break;
    case Kind::kNames:
      fault.amount = static_cast<int64_t>(random.Between(1, 7));
      break;
    default:
      break;
  }
  return fault;
}

}  // namespace

uint32_t Fault::ErrorCodeOfReset() const {
  // PROTOCOL_ERROR, INTERNAL_ERROR, STREAM_CLOSED, REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM
  constexpr uint32_t kCodes[] = {1, 2, 5, 7, 8, 11};
  return kCodes[static_cast<uint64_t>(amount) % std::size(kCodes)];
}

std::string Fault::ToString() const {
  const char* const names[kKinds] = {"stall",        "delay",  "dribble",    "reset",       "cut",
                                     "half-close",   "refuse", "stop",       "late timers", "wall clock",
                                     "drain",        "kill",   "goaway",     "settings",    "no files",
                                     "stream reset", "busy",   "no buffers", "names"};
  return absl::StrCat("at ", at.count(), " ms: ", names[static_cast<int>(kind)], " of ", target % 100, ", ",
                      length.count(), " ms, amount ", amount);
}

std::vector<Fault> MakeFaults(SimulatedRandom random, std::chrono::milliseconds horizon, size_t count) {
  std::vector<Fault> faults;
  for (size_t n = random.Below(count + 1); n > 0; --n) faults.push_back(MakeFault(random.Fork(), horizon));
  std::stable_sort(faults.begin(), faults.end(), [](const Fault& a, const Fault& b) { return a.at < b.at; });
  return faults;
}

}  // namespace weir::testing
