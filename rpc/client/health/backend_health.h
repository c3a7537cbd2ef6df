// BackendHealth: a backend as policies see it when the server's word counts (gRFC A17): ready only while the server
// says that it serves.
//
//   backend kReady --> kConnecting --SERVING--> kReady <--SERVING-- / --NOT_SERVING, ...--> kTransientFailure
//                          |     ^                                                           ^      |
//                          |     +------- again: after a pause, unless it had answered ------|------+ the watch is over
//                          +-- UNIMPLEMENTED: kReady, and not asked again                    |
//                          +-----------------------------------------------------------------+
//
// In all other states of the backend: that state.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "weir/rpc/client/backend.h"
#include "weir/rpc/client/backoff.h"
#include "weir/rpc/client/connectivity_state.h"
#include "weir/rpc/client/health/health_watch.h"
#include "weir/transport/io/event_loop.h"

namespace weir {

class BackendHealth final : public std::enable_shared_from_this<BackendHealth>,
                            private BackendWatcher,
                            private HealthListener {
 public:
  // `environment` must outlive it.
  BackendHealth(BackendEnvironment& environment, std::shared_ptr<Backend> backend, std::string service);
  ~BackendHealth();

  Backend& backend() { return *backend_; }
  ConnectivityState state() const { return state_; }
  // Of kTransientFailure.
  const absl::Status& failure() const;
  transport::MonotonicTime pause_ends() const;
  // Is there a call of the channel's own among the backend's?
  bool watches() const { return watch_ != nullptr; }

  void AddWatcher(BackendWatcher& watcher) { watchers_.push_back(&watcher); }
  void RemoveWatcher(BackendWatcher& watcher) { std::erase(watchers_, &watcher); }

 private:
  void OnBackendState(ConnectivityState state) override;
  void OnServingStatus(ServingStatus status) override;
  void OnWatchOver(const absl::Status& why) override;
  void OnTimer();
  void Watch();
  void StopWatching();
  void Fail(const absl::Status& why);
  void SetState(ConnectivityState state);

  BackendEnvironment& environment_;
  const std::shared_ptr<Backend> backend_;
  const std::string service_;
  ConnectivityState state_;
  absl::Status failure_;  // of the health check
  std::vector<BackendWatcher*> watchers_;
  std::shared_ptr<HealthWatch> watch_;  // null: none is under way
  bool answered_ = false;               // by this watch
  std::optional<absl::Status> over_;    // why the last one is, until that has been looked at
  Backoff backoff_;
  transport::Timer again_;  // a watch begins, or it is time to look why it is over
};

}  // namespace weir
