#include "weir/transport/io/timer_heap.h"

#include <algorithm>

#include "weir/transport/io/run_callback.h"

namespace weir::transport {
namespace {

constexpr size_t kChildren = 4;

}  // namespace

TimerHeap::~TimerHeap() {
  for (const Entry& entry : entries_) entry.timer->heap_index_ = Timer::kNotSet;
}

void TimerHeap::Set(Timer* timer, MonotonicTime due) {
  if (timer->heap_index_ != Timer::kNotSet) RemoveAt(timer->heap_index_);
  timer->due_ = due;
  timer->sequence_ = next_sequence_++;
  // Inside RunDue nothing new may sort before what is still to fire in this run.
  const MonotonicTime key = running_at_ ? std::max(due, *running_at_) : due;
  entries_.emplace_back();
  SiftUp(entries_.size() - 1, Entry{key, timer->sequence_, timer});
}

void TimerHeap::Cancel(Timer* timer) {
  if (timer->heap_index_ == Timer::kNotSet) return;
  RemoveAt(timer->heap_index_);
  timer->heap_index_ = Timer::kNotSet;
}

std::optional<MonotonicTime> TimerHeap::NextDue() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.front().due;
}

void TimerHeap::RunDue(MonotonicTime now) {
  const uint64_t set_from_here_on = next_sequence_;
  running_at_ = now;
  while (!entries_.empty() && entries_.front().due <= now && entries_.front().sequence < set_from_here_on) {
    Timer* timer = entries_.front().timer;
    Cancel(timer);
    RunCallback(timer->on_due_);  // may set, cancel or destroy any timer, this one too
  }
  running_at_.reset();
}

void TimerHeap::Place(size_t index, const Entry& entry) {
  entries_[index] = entry;
  entry.timer->heap_index_ = index;
}

void TimerHeap::SiftUp(size_t index, const Entry& entry) {
  while (index > 0) {
    const size_t parent = (index - 1) / kChildren;
    if (!Before(entry, entries_[parent])) break;
    Place(index, entries_[parent]);
    index = parent;
  }
  Place(index, entry);
}

void TimerHeap::SiftDown(size_t index, const Entry& entry) {
  while (true) {
    const size_t first = index * kChildren + 1;
    if (first >= entries_.size()) break;
    size_t least = first;
    const size_t end = std::min(first + kChildren, entries_.size());
    for (size_t child = first + 1; child < end; ++child) {
      if (Before(entries_[child], entries_[least])) least = child;
    }
    if (!Before(entries_[least], entry)) break;
    Place(index, entries_[least]);
    index = least;
  }
  Place(index, entry);
}

void TimerHeap::RemoveAt(size_t index) {
  const Entry last = entries_.back();
  entries_.pop_back();
  if (index == entries_.size()) return;
  if (index > 0 && Before(last, entries_[(index - 1) / kChildren])) {
    SiftUp(index, last);
  } else {
    SiftDown(index, last);
  }
}

}  // namespace weir::transport
