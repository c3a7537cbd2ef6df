// DrainingConnections: the connections of a channel that get no new calls. They stay until their calls have ended.
#pragma once

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "weir/rpc/client/client_connection.h"

namespace weir {

class DrainingConnections final : private ClientConnectionOwner {
 public:
  ~DrainingConnections() { DropAll(); }

  // May be called by the connection, through its owner. Takes no memory: a connection that has failed must be let go
  // without.
  void Add(std::unique_ptr<ClientConnection> connection) noexcept {
    connection->set_owner(*this);
    connection->next_draining = std::move(newest_);
    newest_ = std::move(connection);
  }
  void CloseAll(const absl::Status& why) {
    ForEach([&why](ClientConnection& connection) { connection.Close(why); });
  }
  // In another turn of the loop than any method of a connection.
  void DropAll() {
    while (newest_ != nullptr) newest_ = std::move(newest_->next_draining);
  }

  template <class Visit>
  void ForEach(Visit visit) const {
    for (ClientConnection* held = newest_.get(); held != nullptr; held = held->next_draining.get()) visit(*held);
  }

 private:
  void OnReady(ClientConnection&) override {}
  void OnDraining(ClientConnection&, const absl::Status&) override {}
  void OnPlaceFree(ClientConnection&) override {}
  void OnGone(ClientConnection& connection, const absl::Status&) override {
    std::unique_ptr<ClientConnection>* place = &newest_;
    while (*place != nullptr && place->get() != &connection) place = &(*place)->next_draining;
    if (*place == nullptr) return;
    const std::unique_ptr<ClientConnection> gone = std::move(*place);  // freed when the list is whole again
    *place = std::move(gone->next_draining);
  }

  std::unique_ptr<ClientConnection> newest_;
};

}  // namespace weir
