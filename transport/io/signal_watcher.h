// SignalWatcher: waits for SIGTERM or SIGINT on a plain thread.
//
// One at a time in a process. While it lives the two signals do not end the process; the former handlers come back with
// its destruction.
#pragma once

#include <csignal>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace weir::transport {

class SignalWatcher {
 public:
  SignalWatcher();
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

  // FAILED_PRECONDITION if another watcher lives.
  const absl::Status& status() const { return status_; }

  // Blocks until a signal has come (one that came since the last call counts) or `timeout` has passed. Returns the
  // number of signals: 0 after the timeout.
  int Wait(absl::Duration timeout);

  // As if a signal had come. Any thread.
  void Wake();

  // Readable when a signal has come: for waiting together with something else.
  int fd() const { return fd_; }

 private:
  absl::Status status_;
  int fd_ = -1;
  struct sigaction old_term_ {};
  struct sigaction old_int_ {};
};

}  // namespace weir::transport
