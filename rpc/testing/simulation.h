// Simulation: clients and servers of a program on one thread, in a time and on a network that are simulated and fail as
// a seed says. What the seed 4711 does, it does again.
//
//   TEST(BankTest, MoneyIsNeitherMadeNorLost) {
//     weir::testing::ForEachSeed({.count = 200}, [](weir::testing::Simulation& simulation) {
//       Bank& bank = simulation.Make<Bank>();
//       BankClient client(simulation.Connect("teller", simulation.Serve("bank", bank)));
//       simulation.BreakThings(absl::Seconds(10));
//       ... client.Transfer(request).Wait() ...            // time passes while this thread waits
//       simulation.RunFor(absl::Minutes(3));               // longer than any back-off: now all is well again
//       EXPECT_EQ(client.Total({}).Wait()->amount(), 1000);
//     });
//   }
//
// The code is the real one: HTTP/2, channels, handlers; only sockets, threads and clocks are not. What goes wrong:
// connections that are cut at any octet, stalled, slow, busy, delivered octet by octet, closed in one direction;
// streams that are reset; servers that refuse, drain, go away, die, change their SETTINGS; processes that are stopped
// or have no descriptors or buffers left; lookups that fail or find other servers; late timers; a wall clock that is
// set. Workers (ServerOptions::worker_threads) are one thread, whatever their number, that can be stopped as a process
// can. A service under test must not start threads or sleep otherwise than by ServerContext::Sleep; its clocks
// (std::chrono, absl::Now) are the simulation's. Time passes by waiting only: a loop that tries again at once, until it
// is later, never ends.
//
// What must hold not at the end alone is given to HoldAlways: it is asked after every event, so that a failure tells
// when, and after what.
//
// A seed that fails is run again with fewer and fewer faults; then the failure, the faults that it needs and the line
// that repeats it are printed. Environment: WEIR_SIM_SEED=n runs this seed only, WEIR_SIM_SEEDS=n so many,
// WEIR_SIM_FAULTS=1,4 only these faults of each, WEIR_SIM_TRACE=1 prints what happens.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/client/channel_options.h"
#include "weir/rpc/life/peer_counts.h"
#include "weir/rpc/server/dispatcher.h"
#include "weir/rpc/server/handler_queue.h"
#include "weir/rpc/server/memory_use.h"
#include "weir/rpc/server/server_loop.h"
#include "weir/rpc/server/server_options.h"
#include "weir/rpc/server/server_totals.h"
#include "weir/testing/simulation/agenda.h"
#include "weir/testing/simulation/event_log.h"
#include "weir/testing/simulation/fault.h"
#include "weir/testing/simulation/names.h"
#include "weir/testing/simulation/random.h"
#include "weir/testing/simulation/simulated_loop.h"
#include "weir/testing/simulation/virtual_time.h"
#include "weir/testing/simulation/wire.h"
#include "weir/transport/io/blocking_executor.h"

namespace weir::testing {

class Simulation;

// A server of a simulation. Belongs to it.
class SimulatedServer {
 public:
  SimulatedServer(Simulation& simulation, SimulatedLoop& loop, const ServerOptions& options);
  ~SimulatedServer();

  const std::string& name() const { return loop_.name(); }

  // Lets its connections finish, and takes new ones at once, as a new process that got the listening socket.
  void Drain();
  // Ends its connections and calls with GOAWAY, without waiting for them; a new process takes over.
  void GoAway();
  // All connections break and all calls are cancelled; a new process takes over. The service's object stays: what shall
  // be lost with a process, its test has to take away.
  void Kill();

  size_t connection_count() const { return connections_; }
  // As Server::timeout_count, of all its processes.
  uint64_t timeout_count(Timeout which) const { return counts_.count(which); }
  // As Server::memory_use, but held_bytes to the byte. Ceilings that the options leave open are none here.
  MemoryUse memory_use() const;

 private:
  friend class Simulation;
  // What a new process has of its own.
  struct Process {
    explicit Process(SimulatedServer& server);
    void AddUse(MemoryUse* sum) const;

    ServerTotals totals;
    ServerLoop loop;
  };

  // What does not hold, or nothing. See Simulation::HoldAlways.
  std::string WhatIsBroken() const;
  void Serve(std::unique_ptr<transport::ByteStream> stream, const std::string& name);
  void EmptyBacklog();
  void Stop(const absl::Status& why);
  void Replace();
  void DropReplaced();

  Simulation& simulation_;
  SimulatedLoop& loop_;
  const std::unique_ptr<HandlerQueue> workers_;  // null: handlers run on the loop of their connection
  const ServerOptions options_;
  Dispatcher dispatcher_;
  PeerCounts counts_;
  std::unique_ptr<Process> serving_;
  std::list<std::unique_ptr<Process>> replaced_;
  MemoryUse past_memory_use_;  // of processes that are gone
  size_t connections_ = 0;
  transport::MonotonicTime refuses_until_{};
  // Connections that wait for a process that has no descriptors, and their names.
  std::vector<std::pair<std::unique_ptr<transport::ByteStream>, std::string>> backlog_;
};

struct SimulationOptions {
  uint64_t seed = 1;
  // Of the faults that follow from the seed, only those with these numbers; nullopt: all.
  std::optional<std::vector<size_t>> faults;
  bool trace = false;
};

class Simulation final : private transport::WaitingWork {
 public:
  explicit Simulation(SimulationOptions options);
  // Heals, ends calls, channels and servers; fails the test if something of them is left.
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  // ---- the world
  // Something that lives as long as the simulation: a service, and what it is made of.
  template <class T, class... Args>
  T& Make(Args&&... args) {
    auto made = std::make_shared<T>(std::forward<Args>(args)...);
    made_.push_back(made);
    return *made;
  }
  // `services` live as long as the simulation.
  template <std::derived_from<Service>... Services>
  SimulatedServer& Serve(std::string name, Services&... services) {
    return Serve(ServerOptions(), std::move(name), services...);
  }
  template <std::derived_from<Service>... Services>
  SimulatedServer& Serve(const ServerOptions& options, std::string name, Services&... services) {
    SimulatedServer& server = AddServer(options, std::move(name));
    (server.dispatcher_.Add(services).IgnoreError(), ...);
    return server;
  }
  // A channel of the process `name`, which may have others, and may be a server's. Lives as long as the simulation.
  Channel& Connect(const std::string& name, SimulatedServer& server, ChannelOptions options = {});
  // The same to several servers, which the channel finds by name and has a policy for
  // (ChannelOptions::load_balancing).
  Channel& Connect(const std::string& name, const std::vector<SimulatedServer*>& servers, ChannelOptions options = {});

  // ---- faults
  // From now on, and for `period`, up to `count` things go wrong, as the seed says. Then comes Heal.
  void BreakThings(absl::Duration period = absl::Seconds(20), size_t count = 10);
  // This, now.
  void Break(const Fault& fault) {
    healed_ = false;
    Apply(fault);
  }
  // Nothing is wrong any more, and nothing will be. What has been cut stays cut.
  void Heal();
  const std::vector<Fault>& faults() const { return faults_; }
  // How many of a kind there were that something could be done to.
  int occurred(Fault::Kind kind) const { return occurred_[static_cast<size_t>(kind)]; }

  // ---- invariants
  // Asked after every event (a turn of a process, something that arrives, a fault) until one has failed: what does not
  // hold, or nothing. A failure names the time and the event. It may change nothing.
  void HoldAlways(std::function<std::string()> what_is_broken) { invariants_.push_back(std::move(what_is_broken)); }

  // ---- time. It passes here, and while this thread waits for something (.Wait()).
  absl::Duration Elapsed() const { return absl::FromChrono(time_.Elapsed()); }
  void RunFor(absl::Duration period);
  // False: `limit` has passed.
  bool RunUntil(const std::function<bool()>& condition, absl::Duration limit);

  // ---- for tests
  uint64_t seed() const { return options_.seed; }
  // For the choices of the test itself.
  SimulatedRandom& random() { return random_; }
  // One more thing that happened. All that happened is what hash() is of.
  void Log(std::string_view event) { log_.Add(event); }
  uint64_t hash() const { return log_.hash(); }
  // The loop of a process, and bytes that connections hold.
  SimulatedLoop& loop(const std::string& name);
  size_t bytes_held() const;
  // The connections that there are, oldest first, for faults of the test's own.
  std::vector<std::shared_ptr<Wire>> wires();

 private:
  friend class SimulatedServer;
  class Source;

  SimulatedServer& AddServer(const ServerOptions& options, std::string name);
  absl::StatusOr<std::unique_ptr<transport::ByteStream>> Dial(SimulatedLoop& from, SimulatedServer& to);
  void WorkWhileWaiting() override;
  // Does the next thing if it is for `limit` or earlier; false: there is none.
  bool Step(transport::MonotonicTime limit);
  void Apply(const Fault& fault);
  bool ApplyToWire(const Fault& fault);
  bool ApplyToServer(const Fault& fault);
  bool ApplyToProcess(const Fault& fault);
  bool ChangeSettings(Wire& wire, const Fault& fault);
  bool ResetStream(const Fault& fault);
  void CheckInvariants();
  void LetAccept(const std::string& process);
  bool HasNoFiles(const SimulatedLoop& loop) const;

  const SimulationOptions options_;
  std::vector<std::shared_ptr<void>> made_;
  VirtualTime time_;
  Agenda agenda_;
  EventLog log_;
  SimulatedRandom random_;
  SimulatedRandom network_random_;
  SimulatedRandom order_random_;
  SimulatedRandom fault_random_;
  VirtualTime::Scope clocks_;
  WaitingWork::Scope waiting_;
  std::vector<std::unique_ptr<SimulatedLoop>> loops_;
  std::vector<std::pair<std::shared_ptr<Wire>, SimulatedServer*>> wires_of_;
  Names names_;
  std::list<SimulatedServer> servers_;
  std::list<Channel> channels_;
  std::vector<Fault> faults_;
  std::array<int, Fault::kKinds> occurred_{};
  std::map<std::string, transport::MonotonicTime> no_files_until_;  // by process
  std::vector<std::function<std::string()>> invariants_;
  bool broken_ = false;
  bool healed_ = true;
  uint64_t dialed_ = 0;
};

struct Seeds {
  int count = 100;
  uint64_t first = 1;
};

// Runs `scenario` once for each seed, until one fails.
void ForEachSeed(Seeds seeds, const std::function<void(Simulation&)>& scenario);

}  // namespace weir::testing
