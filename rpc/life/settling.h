// Settling: how a connection begins: the peer's first SETTINGS, then its acknowledgement of ours.
#pragma once

#include <cstdint>
#include <span>

#include "absl/time/time.h"
#include "weir/transport/h2/event.h"
#include "weir/transport/io/executor.h"

namespace weir {

class Settling {
 public:
  enum class State : uint8_t { kNoSettings, kNotAcknowledged, kDone };

  State state() const { return state_; }
  bool done() const { return state_ == State::kDone; }
  bool has_settings() const { return state_ != State::kNoSettings; }

  // What has come on a connection that is not done().
  void OnEvents(std::span<const transport::H2Event> events);

 private:
  State state_ = State::kNoSettings;
};

}  // namespace weir
