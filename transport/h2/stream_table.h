// StreamTable: the streams of one connection, by id. Owns their states.
//
// Open addressing over pointers: a stream is looked up half a dozen times in the life of a call, added and erased once.
// The peer chooses the ids, so their places depend on a number that it does not know.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/transport/h2/event.h"
#include "weir/transport/h2/stream_state.h"

namespace weir::transport {

class StreamTable {
 public:
  StreamTable();
  ~StreamTable();
  StreamTable(const StreamTable&) = delete;
  StreamTable& operator=(const StreamTable&) = delete;

  // `id` is not in the table.
  StreamState* Add(StreamId id);
  StreamState* Find(StreamId id) const {
    if (last_ != nullptr && last_->id == id) return last_;
    if (slots_.empty()) return nullptr;
    for (size_t at = Home(id);; at = Next(at)) {
      StreamState* const stream = slots_[at];
      if (stream == nullptr) return nullptr;
      if (stream->id == id) return last_ = stream;
    }
  }
  void Erase(StreamState* stream);

  // All ids above `last`, ascending: for whatever can be seen from outside. The table itself has no stable order.
  std::vector<StreamId> SortedIds(StreamId last = 0) const;

  // All of them.
  void MarkReset() noexcept;

  size_t size() const { return size_; }

 private:
  // Fibonacci hashing: 2^32 / golden ratio spreads numbers that follow each other as far as can be. (Times a secret
  // number they would lie side by side in one process of a hundred, when the secret happens to be near a simple
  // fraction of 2^32.)
  size_t Home(StreamId id) const { return ((static_cast<uint32_t>(id) ^ secret_) * 0x9E3779B1u) >> shift_; }
  size_t Next(size_t at) const { return (at + 1) & (slots_.size() - 1); }
  void Insert(StreamState* stream);
  void Resize(size_t slots);

  std::vector<StreamState*> slots_;  // a power of two of them, at most half in use
  size_t size_ = 0;
  const uint32_t secret_;
  int shift_ = 32;  // 32 - log2 of the number of slots
  // Frames come in runs for one stream.
  mutable StreamState* last_ = nullptr;
};

}  // namespace weir::transport
