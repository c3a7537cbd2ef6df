#include "weir/transport/h2/closed_streams.h"

#include <algorithm>
#include <cstddef>

namespace weir::transport {

void ClosedStreams::NoteGap(StreamId opened) {
  if (gaps_.size() == kRemembered) {
    const auto middle = gaps_.begin() + static_cast<std::ptrdiff_t>(kRemembered / 2);
    forgotten_ = std::max(forgotten_, (middle - 1)->last);
    gaps_.erase(gaps_.begin(), middle);
  }
  gaps_.push_back({last_opened_ + 2, opened - 2});
}

void ClosedStreams::NoteReset(StreamId id, ResetBy by) {
  if (resets_.size() == kRemembered) {
    const auto middle = resets_.begin() + static_cast<std::ptrdiff_t>(kRemembered / 2);
    for (auto reset = resets_.begin(); reset != middle; ++reset) forgotten_ = std::max(forgotten_, reset->id);
    resets_.erase(resets_.begin(), middle);
  }
  resets_.push_back({id, by});
}

ClosedStreams::Past ClosedStreams::Of(StreamId id) const {
  // What happened last counts: we answer a frame that comes after the peer's reset with our own.
  const auto reset = std::find_if(resets_.rbegin(), resets_.rend(), [id](const Reset& r) { return r.id == id; });
  if (reset != resets_.rend()) return reset->by == ResetBy::kPeer ? Past::kResetByPeer : Past::kResetByUs;
  const auto gap =
      std::lower_bound(gaps_.begin(), gaps_.end(), id, [](const Gap& g, StreamId i) { return g.last < i; });
  if (gap != gaps_.end() && gap->first <= id) return Past::kNeverOpened;
  return id <= forgotten_ ? Past::kForgotten : Past::kEnded;
}

}  // namespace weir::transport
