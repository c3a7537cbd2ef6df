#include "weir/transport/h2/stream_table.h"

#include <algorithm>
#include <bit>
#include <random>
#include <utility>

namespace weir::transport {
namespace {

constexpr size_t kSlotsMin = 16;
// A table that once was larger gives its memory back when its last stream is gone.
constexpr size_t kIdleSlotsMax = 256;

// One for the process.
uint32_t Secret() {
  static const uint32_t secret = std::random_device()();
  return secret;
}

}  // namespace

StreamTable::StreamTable() : secret_(Secret()) {}

StreamTable::~StreamTable() {
  for (StreamState* stream : slots_) delete stream;
}

StreamState* StreamTable::Add(StreamId id) {
  if (2 * (size_ + 1) > slots_.size()) Resize(std::max(kSlotsMin, 2 * slots_.size()));
  auto* const stream = new StreamState;
  stream->id = id;
  Insert(stream);
  ++size_;
  return last_ = stream;
}

void StreamTable::Insert(StreamState* stream) {
  size_t at = Home(stream->id);
  while (slots_[at] != nullptr) at = Next(at);
  slots_[at] = stream;
}

void StreamTable::Resize(size_t slots) {
  std::vector<StreamState*> more(slots);
  const std::vector<StreamState*> old = std::exchange(slots_, std::move(more));
  shift_ = 32 - std::countr_zero(slots);
  for (StreamState* stream : old) {
    if (stream != nullptr) Insert(stream);
  }
}

void StreamTable::Erase(StreamState* stream) {
  if (last_ == stream) last_ = nullptr;
  size_t hole = Home(stream->id);
  while (slots_[hole] != stream) hole = Next(hole);
  // Streams behind the hole move up, unless that would put them before their home.
  for (size_t at = Next(hole); slots_[at] != nullptr; at = Next(at)) {
    const size_t mask = slots_.size() - 1;
    const size_t from_home = (at - Home(slots_[at]->id)) & mask;
    if (from_home >= ((at - hole) & mask)) slots_[std::exchange(hole, at)] = slots_[at];
  }
  slots_[hole] = nullptr;
  --size_;
  delete stream;
  if (size_ == 0 && slots_.size() > kIdleSlotsMax) slots_ = std::vector<StreamState*>();
}

void StreamTable::MarkReset() noexcept {
  for (StreamState* stream : slots_) {
    if (stream != nullptr) stream->reset = true;
  }
}

std::vector<StreamId> StreamTable::SortedIds(StreamId last) const {
  std::vector<StreamId> ids;
  for (const StreamState* stream : slots_) {
    if (stream != nullptr && stream->id > last) ids.push_back(stream->id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace weir::transport
