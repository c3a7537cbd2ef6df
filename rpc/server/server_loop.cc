#include "weir/rpc/server/server_loop.h"

#include <algorithm>
#include <iterator>
#include <new>
#include <utility>
#include <vector>

namespace weir {

ServerLoop::ServerLoop(transport::EventLoop& loop, HandlerQueue* workers, const Dispatcher& dispatcher,
                       const ServerOptions& options, PeerCounts& counts, std::function<void(int)> on_change,
                       ServerTotals* totals)
    : loop_(loop),
      workers_(workers),
      dispatcher_(dispatcher),
      options_(options),
      counts_(counts),
      on_change_(std::move(on_change)) {
  if (totals != nullptr) totals_.emplace(*totals);
}

ServerLoop::~ServerLoop() = default;

void ServerLoop::Add(std::unique_ptr<transport::ByteStream> stream, std::string name) {
  ServerConnectionOwner& owner = *this;
  connections_.push_back(std::make_unique<ServerConnection>(loop_, workers_, dispatcher_, options_, owner,
                                                            std::move(stream), std::move(name), chance_(random_),
                                                            totals_.has_value() ? &*totals_ : nullptr));
  ServerConnection& added = *connections_.back();
  added.place = std::prev(connections_.end());
  on_change_(+1);
  try {
    if (added.Start().ok() && draining_) added.BeginDrain();
  } catch (const std::bad_alloc&) {
    OnConnectionGone(added);
  }
}

void ServerLoop::OnConnectionGone(ServerConnection& connection) {
  connections_.erase(connection.place);
  on_change_(-1);
}

void ServerLoop::OnMemoryFull() {
  if (totals_->memory.HoldsItsShare()) return RelieveMemory();
  if (tell_others_) tell_others_();
}

void ServerLoop::RelieveMemory() {
  if (!totals_->memory.total().over_hard() || !totals_->memory.HoldsItsShare()) return;
  const auto most = std::max_element(connections_.begin(), connections_.end(),
                                     [](const auto& a, const auto& b) { return a->held_bytes() < b->held_bytes(); });
  if (most != connections_.end() && (*most)->held_bytes() > 0) (*most)->EndForMemory();
}

void ServerLoop::BeginDrain() {
  draining_ = true;
  for (auto& connection : connections_) connection->BeginDrain();
}

void ServerLoop::StopAll(const absl::Status& why) {
  draining_ = true;
  for (auto& connection : connections_) connection->Stop(why);
}

}  // namespace weir
