#include "weir/transport/h2/stream_state.h"

#include <algorithm>
#include <utility>

namespace weir::transport {
namespace {

constexpr size_t kSpareMax = 32;

// As new, but with the memory of its buffers.
void Recycle(StreamState* stream) {
  static_cast<StreamFlags&>(*stream) = StreamFlags();
  stream->queue.Clear();
  stream->trailers.Clear();
}

}  // namespace

StreamState* StreamTable::Add(StreamId id) {
  std::unique_ptr<StreamState> stream;
  if (spare_.empty()) {
    stream = std::make_unique<StreamState>();
  } else {
    stream = std::move(spare_.back());
    spare_.pop_back();
  }
  stream->id = id;
  last_ = stream.get();
  streams_[id] = std::move(stream);
  return last_;
}

StreamState* StreamTable::FindSlow(StreamId id) const {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return nullptr;
  return last_ = found->second.get();
}

void StreamTable::Erase(StreamState* stream) {
  if (last_ == stream) last_ = nullptr;
  const auto found = streams_.find(stream->id);
  if (spare_.size() < kSpareMax) {
    Recycle(found->second.get());
    spare_.push_back(std::move(found->second));
  }
  streams_.erase(found);
}

std::vector<StreamId> StreamTable::SortedIds() const {
  std::vector<StreamId> ids;
  ids.reserve(streams_.size());
  for (const auto& [id, stream] : streams_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace weir::transport
