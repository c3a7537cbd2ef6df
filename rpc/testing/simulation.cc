#include "weir/testing/simulation.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
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
    server.loop_.Post([&server] { server.serving_->loop.StopAll(absl::UnavailableError("the simulation is over")); });
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
    agenda_.RunNext();
    CheckInvariants();
    return true;
  }
  if (due.empty() || next > limit) return false;
  time_.AdvanceTo(next);
  SimulatedLoop& loop = *due[order_random_.Below(due.size())];
  log_.Add(loop.name());
  loop.RunTurn();
  CheckInvariants();
  return true;
}

void Simulation::CheckInvariants() {
  if (broken_) return;
  std::string what;
  for (const SimulatedServer& server : servers_) {
    if (what.empty()) what = server.WhatIsBroken();
  }
  for (const std::function<std::string()>& invariant : invariants_) {
    if (what.empty()) what = invariant();
  }
  if (what.empty()) return;
  broken_ = true;
  ADD_FAILURE() << "at " << absl::FormatDuration(Elapsed()) << ", after event " << log_.count() << " (\"" << log_.last()
                << "\"): " << what;
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

}  // namespace weir::testing
