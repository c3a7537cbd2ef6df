#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "weir/testing/simulation.h"

namespace weir::testing {
namespace {

// A simulation does not ask the machine how much memory it has.
size_t CeilingOf(size_t option) { return option == 0 ? SIZE_MAX : option; }

// Counters that went below zero.
bool IsNegative(size_t bytes) { return bytes > SIZE_MAX / 2; }

}  // namespace

SimulatedServer::Process::Process(SimulatedServer& server)
    : totals({.soft_bytes = CeilingOf(server.options_.memory_soft_bytes),
              .hard_bytes = CeilingOf(server.options_.memory_hard_bytes)},
             server.options_.max_calls),
      loop(
          server.loop_, server.workers_.get(), server.dispatcher_, server.options_, server.counts_,
          [&server](int change) { server.connections_ += static_cast<size_t>(change); }, &totals) {}

void SimulatedServer::Process::AddUse(MemoryUse* sum) const {
  using Act = mux::MemoryAct;
  sum->held_bytes += loop.held_bytes();
  sum->deferred_calls += totals.memory.count(Act::kDeferred);
  sum->rationed_connections += totals.memory.count(Act::kRationed);
  sum->ended_connections += totals.memory.count(Act::kEndedByConnection);
  sum->ended_by_all += totals.memory.count(Act::kEndedByTotal);
}

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
  serving_ = std::make_unique<Process>(*this);
}

// Those of the past go when the last connection of all has gone.
void SimulatedServer::DropReplaced() {
  if (connections_ > 0) return;
  for (const auto& old : replaced_) old->AddUse(&past_memory_use_);
  replaced_.clear();
}

MemoryUse SimulatedServer::memory_use() const {
  MemoryUse sum = past_memory_use_;
  serving_->AddUse(&sum);
  for (const auto& old : replaced_) old->AddUse(&sum);
  return sum;
}

std::string SimulatedServer::WhatIsBroken() const {
  if (IsNegative(connections_)) return absl::StrCat(name(), ": more connections have gone than came");
  const size_t held = memory_use().held_bytes;
  if (IsNegative(held)) return absl::StrCat(name(), ": ", 0 - held, " bytes more were given back than held");
  // One turn may notice and the next one act.
  if (serving_->totals.memory.over_hard() && !loop_.has_work())
    return absl::StrCat(name(), ": beyond the hard ceiling: ", held, " bytes are held");
  if (connections_ == 0 && held > 0) return absl::StrCat(name(), ": no connection, and ", held, " bytes are held");
  return {};
}

void SimulatedServer::Serve(std::unique_ptr<transport::ByteStream> stream, const std::string& name) {
  loop_.Post([this, name, end = std::make_shared<std::unique_ptr<transport::ByteStream>>(std::move(stream))] {
    DropReplaced();
    serving_->loop.Add(std::move(*end), name);
  });
}

void SimulatedServer::EmptyBacklog() {
  for (auto& [stream, name] : std::exchange(backlog_, {})) Serve(std::move(stream), name);
}

void SimulatedServer::Drain() {
  loop_.Post([this] {
    serving_->loop.BeginDrain();
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
    serving_->loop.StopAll(why);
    for (auto& old : replaced_) old->loop.StopAll(why);
    Replace();
  });
}

}  // namespace weir::testing
