#include "weir/transport/io/signal_watcher.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>

#include "absl/time/clock.h"
#include "weir/transport/io/system_error.h"

namespace weir::transport {
namespace {

// The one global of the project: a signal handler has no other way to know whom to tell. Constant-initialised.
constinit std::atomic<int> g_signal_fd{-1};

void OnSignal(int) {
  const int saved_errno = errno;
  const uint64_t one = 1;
  // The counter cannot overflow in practice, and there is nobody to tell if it did.
  [[maybe_unused]] const ssize_t written = write(g_signal_fd.load(std::memory_order_relaxed), &one, sizeof(one));
  errno = saved_errno;
}

}  // namespace

SignalWatcher::SignalWatcher() {
  fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd_ < 0) {
    status_ = absl::ResourceExhaustedError("eventfd: " + SystemErrorText(errno));
    return;
  }
  int expected = -1;
  if (!g_signal_fd.compare_exchange_strong(expected, fd_)) {
    status_ =
        absl::FailedPreconditionError("another part of this process waits for signals already: expected only one");
    return;
  }
  struct sigaction action {};
  action.sa_handler = OnSignal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, &old_term_);
  sigaction(SIGINT, &action, &old_int_);
}

SignalWatcher::~SignalWatcher() {
  if (status_.ok()) {
    sigaction(SIGTERM, &old_term_, nullptr);
    sigaction(SIGINT, &old_int_, nullptr);
    g_signal_fd.store(-1);
  }
  if (fd_ >= 0) close(fd_);
}

void SignalWatcher::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof(one));
}

int SignalWatcher::Wait(absl::Duration timeout) {
  const absl::Time end = absl::Now() + timeout;
  while (true) {
    const int64_t left_ms = timeout == absl::InfiniteDuration()
                                ? -1
                                : std::clamp<int64_t>(absl::ToInt64Milliseconds(end - absl::Now()) + 1, 0, 1 << 30);
    pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
    const int n = poll(&ready, 1, static_cast<int>(left_ms));
    uint64_t count = 0;
    if (n > 0 && read(fd_, &count, sizeof(count)) == sizeof(count)) return static_cast<int>(count);
    if (n == 0 && absl::Now() >= end) return 0;
  }
}

}  // namespace weir::transport
