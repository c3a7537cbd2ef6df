// Admission: may this call run? Asked before there is a handler, a context or a message for it
// (ServerOptions::admission).
//
//   weir::ServerOptions options;
//   options.admission = std::make_shared<weir::ConcurrencyLimit>(weir::ConcurrencyLimitOptions{.running_max = 500});
//
// A call that is shed ends at once with a status, and with `grpc-retry-pushback-ms` if that is wanted: clients that
// retry (gRFC A6) wait so long. ConcurrencyLimit and GradientLimit are here; others derive from Admission.
//
// An object may serve several servers: it counts the calls of all of them. A server without one does not count.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace weir {

namespace transport {
class HeaderList;
}

// A call that has come. Views are valid while it is being decided about.
struct Arrival {
  std::string_view method;  // "/package.Service/Method"
  std::string_view peer;    // "10.0.0.7:50123"

  // The value of a header of the request as it came, by its name in small letters; nullopt if there is none.
  std::optional<std::string_view> Header(std::string_view name) const;

  // Calls that were admitted and whose handlers have not returned, this one not among them.
  size_t running = 0;
  size_t running_of_method = 0;

  const transport::HeaderList* fields = nullptr;
};

class AdmissionDecision {
 public:
  static AdmissionDecision Admit() { return AdmissionDecision(absl::OkStatus(), std::nullopt); }

  // `status` is not OK. `push_back`: how long the client is to wait before it retries; below zero: it is not to retry
  // at all.
  static AdmissionDecision Shed(absl::Status status, std::optional<absl::Duration> push_back = std::nullopt) {
    return AdmissionDecision(std::move(status), push_back);
  }

  bool admitted() const { return status_.ok(); }
  const absl::Status& status() const { return status_; }
  const std::optional<absl::Duration>& push_back() const { return push_back_; }

 private:
  AdmissionDecision(absl::Status status, std::optional<absl::Duration> push_back)
      : status_(std::move(status)), push_back_(push_back) {}

  absl::Status status_;
  std::optional<absl::Duration> push_back_;
};

class Admission {
 public:
  Admission() = default;
  virtual ~Admission() = default;
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  size_t running() const { return running_.load(std::memory_order_relaxed); }
  uint64_t admitted_count() const { return admitted_.load(std::memory_order_relaxed); }
  uint64_t shed_count() const { return shed_.load(std::memory_order_relaxed); }

  // ---- for the server ----
  // `method` is what identifies the method; `arrival` without its counts. Each that is admitted is followed by one
  // Leave.
  AdmissionDecision Arrive(const void* method, Arrival arrival);
  // The handler has returned, `took` after Arrive.
  void Leave(const void* method, absl::Duration took);

 private:
  // On the loops, several at a time; must not block.
  virtual AdmissionDecision Admit(const Arrival& arrival) = 0;
  // An admitted call has ended; `running` were so with it.
  virtual void OnDone(absl::Duration took, size_t running) {}

  // Without a lock. Methods that find no slot share the last one.
  struct Slot {
    std::atomic<const void*> method = nullptr;
    std::atomic<size_t> running = 0;
  };
  Slot& SlotOf(const void* method);

  std::atomic<size_t> running_ = 0;
  std::atomic<uint64_t> admitted_ = 0;
  std::atomic<uint64_t> shed_ = 0;
  std::array<Slot, 512> slots_;
};

}  // namespace weir
