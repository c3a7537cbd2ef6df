#include "weir/rpc/life/settling.h"

#include <variant>

namespace weir {

void Settling::OnEvents(std::span<const transport::H2Event> events) {
  for (const transport::H2Event& event : events) {
    const auto* settings = std::get_if<transport::H2SettingsReceived>(&event);
    if (settings == nullptr) continue;
    // The first frame is SETTINGS, or the transport ends the connection.
    state_ = settings->ack ? State::kDone : has_settings() ? state_ : State::kNotAcknowledged;
  }
}

}  // namespace weir
