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

constexpr char kScheme[] = "simulated";

// Of the servers of one channel.
transport::SocketAddress AddressOf(size_t number) {
  return *transport::SocketAddress::FromHostAndPort(absl::StrCat("10.0.0.", number + 1), 443);
}

}  // namespace

// ---- servers --------------------------------------------------------------------------------------------------------

SimulatedServer::SimulatedServer(Simulation& simulation, SimulatedLoop& loop, const ServerOptions& options)
    : simulation_(simulation),
      loop_(loop),
      workers_(options.worker_threads > 0 ? std::make_unique<HandlerQueue>(simulation.loop(loop.name() + " workers"),
                                                                           QueuedHandlersMax(options))
                                          : nullptr),
      options_(options) {
  Replace();
}

SimulatedServer::~SimulatedServer() = default;

void SimulatedServer::Replace() {
  if (serving_ != nullptr) replaced_.push_back(std::move(serving_));
  serving_ = std::make_unique<ServerLoop>(loop_, workers_.get(), dispatcher_, options_, counts_,
                                          [this](int change) { connections_ += static_cast<size_t>(change); });
}

// Those of the past go when the last connection of all has gone.
void SimulatedServer::DropReplaced() {
  if (connections_ == 0) replaced_.clear();
}

void SimulatedServer::Serve(std::unique_ptr<transport::ByteStream> stream, const std::string& name) {
  loop_.Post([this, name, end = std::make_shared<std::unique_ptr<transport::ByteStream>>(std::move(stream))] {
    DropReplaced();
    serving_->Add(std::move(*end), name);
  });
}

void SimulatedServer::EmptyBacklog() {
  for (auto& [stream, name] : std::exchange(backlog_, {})) Serve(std::move(stream), name);
}

void SimulatedServer::Drain() {
  loop_.Post([this] {
    serving_->BeginDrain();
    Replace();
  });
}

void SimulatedServer::GoAway() { Stop(absl::UnavailableError("the server goes away")); }

void SimulatedServer::Kill() {
  for (auto& [wire, server] : simulation_.wires_of_) {
    if (server == this) wire->Reset("the server was killed");
  }
  Stop(absl::UnavailableError("killed"));
}

void SimulatedServer::Stop(const absl::Status& why) {
  loop_.Post([this, why] {
    serving_->StopAll(why);
    for (auto& old : replaced_) old->StopAll(why);
    Replace();
  });
}

// ---- the world ------------------------------------------------------------------------------------------------------

class Simulation::Source final : public StreamSource {
 public:
  Source(Simulation& simulation, SimulatedLoop& loop, std::vector<SimulatedServer*> servers)
      : simulation_(simulation), loop_(loop), servers_(std::move(servers)) {}

  absl::StatusOr<std::unique_ptr<transport::ByteStream>> Connect(transport::EventLoop&) override {
    return simulation_.Dial(loop_, *servers_.front());
  }
  absl::StatusOr<std::unique_ptr<transport::ByteStream>> ConnectTo(transport::EventLoop& loop,
                                                                   const transport::SocketAddress& address) override {
    for (size_t i = 0; i < servers_.size(); ++i) {
      if (address == AddressOf(i)) return simulation_.Dial(loop_, *servers_[i]);
    }
    return Connect(loop);
  }

 private:
  Simulation& simulation_;
  SimulatedLoop& loop_;
  const std::vector<SimulatedServer*> servers_;
};

Simulation::Simulation(SimulationOptions options)
    : options_(std::move(options)),
      log_(time_, options_.trace),
      random_(options_.seed),
      network_random_(random_.Fork()),
      order_random_(random_.Fork()),
      fault_random_(random_.Fork()),
      clocks_(time_),
      waiting_(this),
      names_(random_.Fork()) {}

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
  endpoint.name = absl::StrCat(kScheme, ":", server.name());
  endpoint.authority = server.name();
  endpoint.loop = &loop(name);
  endpoint.source = std::make_unique<Source>(*this, loop(name), std::vector<SimulatedServer*>{&server});
  return channels_.emplace_back(std::move(endpoint), std::move(options));
}

Channel& Simulation::Connect(const std::string& name, const std::vector<SimulatedServer*>& servers,
                             ChannelOptions options) {
  std::vector<ServerAddress> addresses;
  for (size_t i = 0; i < servers.size(); ++i) addresses.push_back({.address = AddressOf(i)});
  options.name_resolvers[kScheme] = names_.Factory(std::move(addresses));
  ChannelEndpoint endpoint;
  endpoint.name = absl::StrCat(kScheme, ":///servers");
  endpoint.authority = "servers";
  endpoint.scheme = kScheme;
  endpoint.loop = &loop(name);
  endpoint.source = std::make_unique<Source>(*this, loop(name), servers);
  return channels_.emplace_back(std::move(endpoint), std::move(options));
}

absl::StatusOr<std::unique_ptr<transport::ByteStream>> Simulation::Dial(SimulatedLoop& from, SimulatedServer& to) {
  const transport::Executor::Scope outside(nullptr);
  const std::string name = absl::StrCat("w", ++dialed_);
  log_.Add(absl::StrCat(name, " ", from.name(), " dials ", to.name()));
  if (HasNoFiles(from)) return absl::UnavailableError(absl::StrCat("connect to ", to.name(), ": Too many open files"));
  if (to.refuses_until_ > time_.Now()) {
    return absl::UnavailableError(absl::StrCat("connect to ", to.name(), ": Connection refused"));
  }
  auto wire = std::make_shared<Wire>(WorldParts{time_, agenda_, log_}, network_random_.Fork(), name, from, to.loop_);
  std::erase_if(wires_of_, [](const auto& entry) { return entry.first->over(); });
  wires_of_.emplace_back(wire, &to);
  auto client_end = wire->TakeEnd(0);
  auto server_end = wire->TakeEnd(1);
  HasNoFiles(to.loop_) ? void(to.backlog_.emplace_back(std::move(server_end), name))
                       : to.Serve(std::move(server_end), name);
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
      occurred = ApplyToWire(fault);
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
    default:
      return ChangeSettings(wire, fault);
  }
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
