// Backend: one address of a channel: connects to it, backs off, holds its connections, and gives calls places there.
//
//   kIdle --RequestConnection--> kConnecting --SETTINGS--> kReady --last connection lost, GOAWAY--> kIdle
//     ^                             | failed, or too late                |
//     +------- pause is over -- kTransientFailure <--- before any call --+
//
// Shared by all subchannels of the address. More than one connection only if the server's MAX_CONCURRENT_STREAMS leaves
// calls waiting and ChannelOptions::max_connections_per_address allows it (gRFC A105).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/rpc/client/backoff.h"
#include "weir/rpc/client/channel_options.h"
#include "weir/rpc/client/client_connection.h"
#include "weir/rpc/client/connectivity_state.h"
#include "weir/rpc/client/connector.h"
#include "weir/rpc/client/draining_connections.h"
#include "weir/rpc/client/server_address.h"
#include "weir/rpc/client/stream_request.h"
#include "weir/transport/io/event_loop.h"
#include "weir/transport/io/stream_security.h"

namespace weir {

using StreamRequests = std::deque<std::shared_ptr<StreamRequest>>;

class BackendOwner {
 public:
  // They waited for a place where none will be: they are to be placed elsewhere, in this order.
  virtual void OnStranded(StreamRequests requests) = 0;
  // There was no memory for a step of a backend: it is half done.
  virtual void OnNoMemory() noexcept = 0;

 protected:
  ~BackendOwner() = default;
};

// What all backends of a channel share.
struct BackendEnvironment {
  BackendEnvironment(transport::EventLoop& l, const ChannelOptions& o, const std::string& target, BackendOwner& b)
      : loop(l), options(o), owner(b), keepalive_time(o.connection.keepalive, target) {}

  transport::EventLoop& loop;
  const ChannelOptions& options;
  BackendOwner& owner;
  std::string authority;
  std::string user_agent;
  std::shared_ptr<transport::StreamSecurity> security;  // null: cleartext
  std::unique_ptr<Connector> connector;
  std::minstd_rand random;
  uint64_t connections_made = 0;
  std::atomic<size_t> queued_calls = 0;  // of all backends; read by any thread, changed on the loop
  bool told_of_no_health = false;        // that a server does not implement health checks
  KeepaliveTime keepalive_time;
  PeerCounts peer_counts;
  DrainingConnections draining;
};

class BackendWatcher {
 public:
  virtual void OnBackendState(ConnectivityState state) = 0;

 protected:
  ~BackendWatcher() = default;
};

class Backend final : public std::enable_shared_from_this<Backend>, private ClientConnectionOwner {
 public:
  Backend(BackendEnvironment& environment, const transport::SocketAddress& address);
  // Calls under way end by themselves.
  ~Backend();

  Backend& backend() { return *this; }
  std::string name() const { return address_.ToString(); }
  ConnectivityState state() const { return state_; }
  const absl::Status& failure() const { return failure_; }
  transport::MonotonicTime pause_ends() const { return backoff_timer_.due(); }

  void AddWatcher(BackendWatcher& watcher) { watchers_.push_back(&watcher); }
  void RemoveWatcher(BackendWatcher& watcher);

  void RequestConnection();
  // The pause after a failure is over, and the next one is short again.
  void ResetBackoff();

  // Opens a stream now, or when there is a place.
  void Place(std::shared_ptr<StreamRequest> request);
  bool Waits(const StreamRequest& request) const;
  void Forget(const StreamRequest& request);
  // Takes what waits away.
  StreamRequests TakeWaiting();

  size_t waiting_count() const { return waiting_.size(); }
  size_t call_count() const;
  const std::vector<std::unique_ptr<ClientConnection>>& connections() const { return connections_; }

 private:
  // A step that comes from outside; without memory for it, the owner is told.
  template <class Step>
  void Do(Step step);
  void Connect();
  void OnConnected(absl::StatusOr<ConnectedStream> connected);
  void OnAttemptTimeout();
  // `peer`: of the connection that failed; empty: there was none yet.
  void OnAttemptFailed(const absl::Status& reason, std::string_view peer);
  void PauseAfter(const absl::Status& reason, std::string_view peer);
  void OnPauseOver();
  void SetState(ConnectivityState state);
  ClientConnection* FindPlace() const;
  void PlaceWaiting();
  void CountWaiting();
  void ConnectIfFull();
  // No call gets a place on it any more. Null: it is not one of those that give places.
  std::unique_ptr<ClientConnection> Take(ClientConnection& connection);
  enum class Calls : uint8_t { kGoOn, kOver };
  void OnLost(std::unique_ptr<ClientConnection> lost, const absl::Status& reason, Calls calls);
  bool IsToPause(bool drained) const;

  // ClientConnectionOwner
  void OnReady(ClientConnection& connection) override;
  void OnDraining(ClientConnection& connection, const absl::Status& reason) override;
  void OnPlaceFree(ClientConnection& connection) override;
  void OnGone(ClientConnection& connection, const absl::Status& reason) override;

  BackendEnvironment& environment_;
  const transport::SocketAddress address_;
  ConnectivityState state_ = ConnectivityState::kIdle;
  absl::Status failure_;
  std::vector<BackendWatcher*> watchers_;

  // One attempt at a time: first a stream, then a connection on it that waits for SETTINGS.
  std::unique_ptr<ConnectAttempt> attempt_;
  std::unique_ptr<ClientConnection> connecting_;
  transport::MonotonicTime attempt_began_{};
  transport::Timer attempt_timer_;
  Backoff backoff_;
  transport::Timer backoff_timer_;

  std::vector<std::unique_ptr<ClientConnection>> connections_;  // that give places; oldest first
  StreamRequests waiting_;                                      // for a place
  size_t waiting_counted_ = 0;                                  // in environment_.queued_calls
  bool placing_ = false;
  int lost_unused_ = 0;  // connections in a row that were lost before a call had a place there
};

}  // namespace weir
