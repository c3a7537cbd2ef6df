// DrainingConnections: the connections of a channel that get no new calls. They stay until their calls have ended.
#pragma once

#include <algorithm>
#include <list>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "weir/rpc/client/client_connection.h"

namespace weir {

class DrainingConnections final : private ClientConnectionOwner {
 public:
  // May be called by the connection, through its owner.
  void Add(std::unique_ptr<ClientConnection> connection) {
    connection->set_owner(*this);
    connections_.push_back(std::move(connection));
  }
  void CloseAll(const absl::Status& why) {
    for (const auto& connection : connections_) connection->Close(why);
  }
  // In another turn of the loop than any method of a connection.
  void DropAll() { connections_.clear(); }

  const std::list<std::unique_ptr<ClientConnection>>& connections() const { return connections_; }

 private:
  void OnReady(ClientConnection&) override {}
  void OnDraining(ClientConnection&, const absl::Status&) override {}
  void OnPlaceFree(ClientConnection&) override {}
  void OnGone(ClientConnection& connection, const absl::Status&) override {
    const auto it = std::find_if(connections_.begin(), connections_.end(),
                                 [&connection](const auto& held) { return held.get() == &connection; });
    if (it == connections_.end()) return;
    const std::unique_ptr<ClientConnection> gone = std::move(*it);  // freed when the list is whole again
    connections_.erase(it);
  }

  std::list<std::unique_ptr<ClientConnection>> connections_;
};

}  // namespace weir
