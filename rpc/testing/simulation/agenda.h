// Agenda: what happens in a simulated world beside its processes: bytes arrive, faults begin and end. By time; what is
// for the same time in the order in which it was entered.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "weir/transport/io/executor.h"

namespace weir::testing {

class Agenda {
 public:
  void At(transport::MonotonicTime time, std::function<void()> event) {
    events_.emplace(std::pair(time, ++entered_), std::move(event));
  }

  std::optional<transport::MonotonicTime> Next() const {
    if (events_.empty()) return std::nullopt;
    return events_.begin()->first.first;
  }

  // The first of them; there must be one.
  void RunNext() {
    auto event = events_.extract(events_.begin());
    event.mapped()();
  }

 private:
  std::map<std::pair<transport::MonotonicTime, uint64_t>, std::function<void()>> events_;
  uint64_t entered_ = 0;
};

}  // namespace weir::testing
