#include "weir/rpc/mux/window_ration.h"

#include <algorithm>
#include <utility>

namespace weir::mux {

WindowRation::WindowRation(transport::H2Connection& connection, const MemoryAccount& memory)
    : connection_(connection), memory_(memory) {}

void WindowRation::Update(transport::MonotonicTime now) {
  short_ = memory_.is_short() || (short_ && !memory_.is_at_ease());
  short_ ? TakeTurns(now) : ReopenAll();
  Resize(now);
  if (memory_.taken_bytes() != taken_before_ || due_ == transport::MonotonicTime::max()) {
    taken_before_ = memory_.taken_bytes();
    taken_at_ = now;
  }
  stuck_ = now - taken_at_ >= kStuckTime;
  if (due_ <= now || due_ == transport::MonotonicTime::max()) due_ = now + kPatience;
}

// ---- turns ----------------------------------------------------------------------------------------------------------

void WindowRation::TakeTurns(transport::MonotonicTime now) {
  if (turn_ != 0 && now >= turn_due_) {
    turn_due_ = now + kPatience;
    if (!std::exchange(moved_, false)) turn_ = 0;
  }
  if (turn_ != 0) return;
  const Withheld::iterator next = NextTurn();
  if (next == withheld_.end()) return;
  turn_ = last_turn_ = next->first;
  turn_due_ = now + kPatience;
  moved_ = false;
  Reopen(next);
}

// In the order of their ids, and round again.
WindowRation::Withheld::iterator WindowRation::NextTurn() {
  const auto is_awaited = [](const Withheld::value_type& stream) { return stream.second.awaited; };
  const Withheld::iterator behind = withheld_.upper_bound(last_turn_);
  const Withheld::iterator found = std::find_if(behind, withheld_.end(), is_awaited);
  if (found != withheld_.end()) return found;
  const Withheld::iterator before = std::find_if(withheld_.begin(), behind, is_awaited);
  return before == behind ? withheld_.end() : before;
}

bool WindowRation::Withhold(transport::StreamId id, size_t bytes, bool awaited) {
  if (id == turn_) moved_ = true;
  if (!short_ || id == turn_) return false;
  Share& share = withheld_[id];
  share.bytes += bytes;
  share.awaited = awaited;
  connection_.WithholdData(id, bytes);
  return true;
}

void WindowRation::OnAwaited(transport::StreamId id) {
  if (const Withheld::iterator it = withheld_.find(id); it != withheld_.end()) it->second.awaited = true;
}

void WindowRation::OnTaken(transport::StreamId id) {
  if (id == turn_) turn_ = 0;
  if (const Withheld::iterator it = withheld_.find(id); it != withheld_.end()) Reopen(it);
}

void WindowRation::OnRemoved(transport::StreamId id) noexcept {
  if (id == turn_) turn_ = 0;
  withheld_.erase(id);
}

bool WindowRation::IsShut(transport::StreamId id) const {
  return withheld_.contains(id) && connection_.ReceiveWindow(id) == 0;
}

void WindowRation::Reopen(Withheld::iterator stream) {
  connection_.ReopenStream(stream->first, stream->second.bytes);
  withheld_.erase(stream);
}

void WindowRation::ReopenAll() {
  while (!withheld_.empty()) Reopen(withheld_.begin());
  turn_ = 0;
}

// ---- the size of windows --------------------------------------------------------------------------------------------

void WindowRation::Resize(transport::MonotonicTime now) {
  if (narrow_ == short_ || (narrow_ && now < widen_due_)) return;
  const uint32_t usual = connection_.options().stream_window_bytes;
  narrow_ = short_;
  widen_due_ = now + kNarrowTime;
  if (usual > kStreamWindowBytes) connection_.ResizeStreamWindows(narrow_ ? kStreamWindowBytes : usual);
}

}  // namespace weir::mux
