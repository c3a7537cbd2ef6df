// What a fault does to the world, and how it heals.
#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "weir/testing/simulation.h"

namespace weir::testing {

void Simulation::BreakThings(absl::Duration period, size_t count) {
  healed_ = false;
  const std::vector<Fault> faults =
      MakeFaults(fault_random_.Fork(), std::chrono::milliseconds(absl::ToInt64Milliseconds(period)), count);
  for (const Fault& fault : faults) {
    const size_t number = faults_.size();
    faults_.push_back(fault);
    const bool kept = !options_.faults.has_value() ||
                      std::find(options_.faults->begin(), options_.faults->end(), number) != options_.faults->end();
    if (!kept) continue;
    agenda_.At(time_.Now() + fault.at, [this, fault] {
      if (!healed_) Apply(fault);
    });
  }
  agenda_.At(time_.Now() + absl::ToChronoNanoseconds(period), [this] { Heal(); });
}

void Simulation::Apply(const Fault& fault) {
  log_.Add(absl::StrCat("fault ", fault.ToString()));
  bool occurred = true;
  using Kind = Fault::Kind;
  switch (fault.kind) {
    case Kind::kStall:
    case Kind::kDelay:
    case Kind::kDribble:
    case Kind::kReset:
    case Kind::kCut:
    case Kind::kHalfClose:
    case Kind::kSettings:
    case Kind::kBusy:
    case Kind::kNoBuffers:
      occurred = ApplyToWire(fault);
      break;
    case Kind::kStreamReset:
      occurred = ResetStream(fault);
      break;
    case Kind::kRefuse:
    case Kind::kDrain:
    case Kind::kKill:
    case Kind::kGoAway:
      occurred = ApplyToServer(fault);
      break;
    case Kind::kStop:
    case Kind::kLateTimers:
    case Kind::kNoFiles:
      occurred = ApplyToProcess(fault);
      break;
    case Kind::kWallClock:
      time_.StepWallClock(std::chrono::seconds(fault.amount));
      break;
    case Kind::kNames:
      occurred = names_.asked();
      names_.Hide(static_cast<uint64_t>(fault.amount));
      agenda_.At(time_.Now() + fault.length, [this] { names_.Hide(0); });
      break;
  }
  if (occurred) ++occurred_[static_cast<size_t>(fault.kind)];
}

bool Simulation::ApplyToWire(const Fault& fault) {
  const std::vector<std::shared_ptr<Wire>> wires = this->wires();
  if (wires.empty()) return false;
  Wire& wire = *wires[fault.target % wires.size()];
  const transport::MonotonicTime end = time_.Now() + fault.length;
  const int direction = static_cast<int>((fault.target >> 32) % 2);
  using Kind = Fault::Kind;
  switch (fault.kind) {
    case Kind::kStall:
      wire.Stall(direction, end);
      return true;
    case Kind::kDelay:
      wire.SetDelay(fault.length);
      return true;
    case Kind::kDribble:
      wire.Dribble(static_cast<size_t>(fault.amount));
      agenda_.At(end, [wire = wire.weak_from_this()] {
        if (auto held = wire.lock()) held->Dribble(0);
      });
      return true;
    case Kind::kReset:
      wire.Reset("by a fault");
      return true;
    case Kind::kCut:
      wire.CutAfter(direction, static_cast<uint64_t>(fault.amount));
      return true;
    case Kind::kHalfClose:
      wire.HalfClose(direction);
      return true;
    case Kind::kBusy:
      wire.MakeBusy(end);
      return true;
    case Kind::kNoBuffers:
      wire.FailWrites(direction);
      return true;
    default:
      return ChangeSettings(wire, fault);
  }
}

// One of all that are open; both ends are told, or one, and the other goes on.
bool Simulation::ResetStream(const Fault& fault) {
  std::vector<std::pair<Wire*, uint32_t>> open;
  for (const std::shared_ptr<Wire>& wire : wires()) {
    for (uint32_t stream : wire->open_streams()) open.emplace_back(wire.get(), stream);
  }
  if (open.empty()) return false;
  const auto& [wire, stream] = open[fault.target % open.size()];
  const uint64_t told = (fault.target >> 32) % 3;  // the client, the server, both
  if (told != 1) wire->ResetStream(1, stream, fault.ErrorCodeOfReset());
  if (told != 0) wire->ResetStream(0, stream, fault.ErrorCodeOfReset());
  return true;
}

bool Simulation::ChangeSettings(Wire& wire, const Fault& fault) {
  const auto entry =
      std::find_if(wires_of_.begin(), wires_of_.end(), [&](auto& of) { return of.first.get() == &wire; });
  const ServerOptions& server = entry->second->options_;
  const Settings sent{.max_concurrent_streams = server.max_concurrent_streams,
                      .initial_window_bytes = server.stream_window_bytes};
  Settings changed;
  changed.header_table_bytes = fault.target >> 40 & 1 ? 0 : sent.header_table_bytes;
  changed.max_concurrent_streams = std::min<uint32_t>(fault.target >> 41 & 3, sent.max_concurrent_streams);
  changed.initial_window_bytes = std::min(static_cast<uint32_t>(fault.amount), sent.initial_window_bytes);
  if (!wire.ChangeSettings(changed, sent)) return false;
  agenda_.At(time_.Now() + fault.length, [wire = wire.weak_from_this()] {
    if (auto held = wire.lock()) held->RestoreSettings();
  });
  return true;
}

bool Simulation::ApplyToServer(const Fault& fault) {
  if (servers_.empty()) return false;
  SimulatedServer& server = *std::next(servers_.begin(), static_cast<int>(fault.target % servers_.size()));
  if (fault.kind == Fault::Kind::kRefuse) server.refuses_until_ = time_.Now() + fault.length;
  if (fault.kind == Fault::Kind::kDrain) server.Drain();
  if (fault.kind == Fault::Kind::kKill) server.Kill();
  if (fault.kind == Fault::Kind::kGoAway) server.GoAway();
  return true;
}

bool Simulation::ApplyToProcess(const Fault& fault) {
  if (loops_.empty()) return false;
  SimulatedLoop& loop = *loops_[fault.target % loops_.size()];
  const transport::MonotonicTime end = time_.Now() + fault.length;
  if (fault.kind == Fault::Kind::kStop) loop.StopUntil(end);
  if (fault.kind == Fault::Kind::kLateTimers) loop.MakeTimersLate(fault.length);
  if (fault.kind == Fault::Kind::kNoFiles) {
    no_files_until_[loop.name()] = end;
    agenda_.At(end, [this, process = loop.name()] { LetAccept(process); });
  }
  return true;
}

bool Simulation::HasNoFiles(const SimulatedLoop& loop) const {
  const auto until = no_files_until_.find(loop.name());
  return until != no_files_until_.end() && until->second > time_.Now();
}

void Simulation::LetAccept(const std::string& process) {
  for (SimulatedServer& server : servers_) {
    if (server.name() == process && !HasNoFiles(server.loop_)) server.EmptyBacklog();
  }
}

void Simulation::Heal() {
  if (std::exchange(healed_, true)) return;
  log_.Add("healed");
  no_files_until_.clear();
  names_.Hide(0);
  for (const auto& loop : loops_) loop->Heal();
  for (const std::shared_ptr<Wire>& wire : wires()) wire->Heal();
  for (SimulatedServer& server : servers_) {
    server.refuses_until_ = {};
    server.EmptyBacklog();
  }
}

}  // namespace weir::testing
