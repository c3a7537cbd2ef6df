#include "weir/testing/simulation.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "weir/rpc/client/channel_endpoint.h"

namespace weir::testing {
namespace {

// A thread that waits for longer waits for something that does not come.
constexpr std::chrono::hours kWaitMax(24);

}  // namespace

// ---- servers --------------------------------------------------------------------------------------------------------

SimulatedServer::SimulatedServer(Simulation& simulation, SimulatedLoop& loop, const ServerOptions& options)
    : simulation_(simulation), loop_(loop), options_(options) {
  Replace();
}

SimulatedServer::~SimulatedServer() = default;

void SimulatedServer::Replace() {
  if (serving_ != nullptr) replaced_.push_back(std::move(serving_));
  serving_ = std::make_unique<ServerLoop>(loop_, nullptr, dispatcher_, options_,
                                          [this](int change) { connections_ += static_cast<size_t>(change); });
}

// Those of the past go when the last connection of all has gone.
void SimulatedServer::DropReplaced() {
  if (connections_ == 0) replaced_.clear();
}

void SimulatedServer::Drain() {
  loop_.Post([this] {
    serving_->BeginDrain();
    Replace();
  });
}

void SimulatedServer::Kill() {
  for (auto& [wire, server] : simulation_.wires_of_) {
    if (server == this) wire->Reset("the server was killed");
  }
  loop_.Post([this] {
    serving_->StopAll(absl::UnavailableError("killed"));
    for (auto& old : replaced_) old->StopAll(absl::UnavailableError("killed"));
    Replace();
  });
}

// ---- the world ------------------------------------------------------------------------------------------------------

class Simulation::Source final : public StreamSource {
 public:
  Source(Simulation& simulation, SimulatedLoop& loop, SimulatedServer& server)
      : simulation_(simulation), loop_(loop), server_(server) {}
  absl::StatusOr<std::unique_ptr<transport::ByteStream>> Connect(transport::EventLoop&) override {
    return simulation_.Dial(loop_, server_);
  }

 private:
  Simulation& simulation_;
  SimulatedLoop& loop_;
  SimulatedServer& server_;
};

Simulation::Simulation(SimulationOptions options)
    : options_(std::move(options)),
      log_(time_, options_.trace),
      random_(options_.seed),
      network_random_(random_.Fork()),
      order_random_(random_.Fork()),
      fault_random_(random_.Fork()),
      clocks_(time_),
      waiting_(this) {}

Simulation::~Simulation() {
  Heal();
  channels_.clear();
  for (SimulatedServer& server : servers_) {
    server.loop_.Post([&server] { server.serving_->StopAll(absl::UnavailableError("the simulation is over")); });
  }
  const bool over = RunUntil(
      [this] {
        return std::all_of(servers_.begin(), servers_.end(), [](auto& server) { return server.connections_ == 0; });
      },
      absl::Minutes(10));
  EXPECT_TRUE(over) << "a server's connection, or a handler, is there for ever";
  RunFor(absl::Seconds(5));  // what is still under way gets lost
  servers_.clear();
  for (const auto& loop : loops_) {
    EXPECT_EQ(loop->timers(), 0u) << "timers of " << loop->name() << " are left";
    EXPECT_EQ(loop->posted(), 0u) << "work of " << loop->name() << " is left";
  }
}

SimulatedLoop& Simulation::loop(const std::string& name) {
  for (const auto& loop : loops_) {
    if (loop->name() == name) return *loop;
  }
  loops_.push_back(std::make_unique<SimulatedLoop>(name, time_, network_random_.Fork()));
  return *loops_.back();
}

SimulatedServer& Simulation::AddServer(const ServerOptions& options, std::string name) {
  return servers_.emplace_back(*this, loop(name), options);
}

Channel& Simulation::Connect(const std::string& name, SimulatedServer& server, ChannelOptions options) {
  ChannelEndpoint endpoint;
  endpoint.name = absl::StrCat("simulated:", server.name());
  endpoint.authority = server.name();
  endpoint.loop = &loop(name);
  endpoint.source = std::make_unique<Source>(*this, loop(name), server);
  return channels_.emplace_back(std::move(endpoint), std::move(options));
}

absl::StatusOr<std::unique_ptr<transport::ByteStream>> Simulation::Dial(SimulatedLoop& from, SimulatedServer& to) {
  const std::string name = absl::StrCat("w", ++dialed_);
  log_.Add(absl::StrCat(name, " ", from.name(), " dials ", to.name()));
  if (to.refuses_until_ > time_.Now()) {
    return absl::UnavailableError(absl::StrCat("connect to ", to.name(), ": Connection refused"));
  }
  auto wire = std::make_shared<Wire>(WorldParts{time_, agenda_, log_}, network_random_.Fork(), name, from, to.loop_);
  std::erase_if(wires_of_, [](const auto& entry) { return entry.first->over(); });
  wires_of_.emplace_back(wire, &to);
  auto client_end = wire->TakeEnd(0);
  to.loop_.Post([&to, name, end = std::make_shared<std::unique_ptr<transport::ByteStream>>(wire->TakeEnd(1))] {
    to.DropReplaced();
    to.serving_->Add(std::move(*end), name);
  });
  return client_end;
}

std::vector<std::shared_ptr<Wire>> Simulation::wires() {
  std::erase_if(wires_of_, [](const auto& entry) { return entry.first->over(); });
  std::vector<std::shared_ptr<Wire>> wires;
  for (const auto& entry : wires_of_) wires.push_back(entry.first);
  return wires;
}

size_t Simulation::bytes_held() const {
  size_t bytes = 0;
  for (const auto& entry : wires_of_) bytes += entry.first->bytes_held();
  return bytes;
}

// ---- time -----------------------------------------------------------------------------------------------------------

bool Simulation::Step(transport::MonotonicTime limit) {
  transport::MonotonicTime next = transport::MonotonicTime::max();
  std::vector<SimulatedLoop*> due;
  for (const auto& loop : loops_) {
    const auto turn = loop->NextTurn();
    if (!turn.has_value()) continue;
    const transport::MonotonicTime at = std::max(*turn, time_.Now());
    if (at < next) due.clear();
    if (at <= next) due.push_back(loop.get());
    next = std::min(next, at);
  }
  if (const auto event = agenda_.Next(); event.has_value() && *event <= next) {
    if (*event > limit) return false;
    time_.AdvanceTo(*event);
    agenda_.RunDue(time_.Now());
    return true;
  }
  if (due.empty() || next > limit) return false;
  time_.AdvanceTo(next);
  SimulatedLoop& loop = *due[order_random_.Below(due.size())];
  log_.Add(loop.name());
  loop.RunTurn();
  return true;
}

void Simulation::RunFor(absl::Duration period) {
  const transport::MonotonicTime end = time_.Now() + absl::ToChronoNanoseconds(period);
  while (Step(end)) {
  }
  time_.AdvanceTo(end);
}

bool Simulation::RunUntil(const std::function<bool()>& condition, absl::Duration limit) {
  const transport::MonotonicTime end = time_.Now() + absl::ToChronoNanoseconds(limit);
  while (!condition()) {
    if (Step(end)) continue;
    time_.AdvanceTo(end);
    return condition();
  }
  return true;
}

void Simulation::WorkWhileWaiting() {
  if (Step(time_.Now() + kWaitMax)) return;
  std::fprintf(stderr, "simulation: this thread waits for something that never happens; WEIR_SIM_SEED=%llu\n",
               static_cast<unsigned long long>(options_.seed));
  std::abort();
}

// ---- faults ---------------------------------------------------------------------------------------------------------

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

SimulatedLoop* Simulation::AnyLoop(uint64_t number) {
  return loops_.empty() ? nullptr : loops_[number % loops_.size()].get();
}

void Simulation::Apply(const Fault& fault) {
  log_.Add(absl::StrCat("fault ", fault.ToString()));
  const transport::MonotonicTime end = time_.Now() + fault.length;
  const int direction = static_cast<int>((fault.target >> 32) % 2);
  const std::vector<std::shared_ptr<Wire>> wires = this->wires();
  Wire* const wire = wires.empty() ? nullptr : wires[fault.target % wires.size()].get();
  SimulatedLoop* const loop = AnyLoop(fault.target);
  SimulatedServer* const server =
      servers_.empty() ? nullptr : &*std::next(servers_.begin(), static_cast<int>(fault.target % servers_.size()));
  using Kind = Fault::Kind;
  switch (fault.kind) {
    case Kind::kStall:
      if (wire != nullptr) wire->Stall(direction, end);
      break;
    case Kind::kDelay:
      if (wire != nullptr) wire->SetDelay(fault.length);
      break;
    case Kind::kDribble:
      if (wire == nullptr) break;
      wire->Dribble(static_cast<size_t>(fault.amount));
      agenda_.At(end, [wire = wire->weak_from_this()] {
        if (auto held = wire.lock()) held->Dribble(0);
      });
      break;
    case Kind::kReset:
      if (wire != nullptr) wire->Reset("by a fault");
      break;
    case Kind::kCut:
      if (wire != nullptr) wire->CutAfter(direction, static_cast<uint64_t>(fault.amount));
      break;
    case Kind::kHalfClose:
      if (wire != nullptr) wire->HalfClose(direction);
      break;
    case Kind::kRefuse:
      if (server != nullptr) server->refuses_until_ = end;
      break;
    case Kind::kStop:
      if (loop != nullptr) loop->StopUntil(end);
      break;
    case Kind::kLateTimers:
      if (loop != nullptr) loop->MakeTimersLate(fault.length);
      break;
    case Kind::kWallClock:
      time_.StepWallClock(std::chrono::seconds(fault.amount));
      break;
    case Kind::kDrain:
      if (server != nullptr) server->Drain();
      break;
    case Kind::kKill:
      if (server != nullptr) server->Kill();
      break;
  }
}

void Simulation::Heal() {
  if (std::exchange(healed_, true)) return;
  log_.Add("healed");
  for (const auto& loop : loops_) loop->Heal();
  for (const std::shared_ptr<Wire>& wire : wires()) wire->Heal();
  for (SimulatedServer& server : servers_) server.refuses_until_ = {};
}

}  // namespace weir::testing
