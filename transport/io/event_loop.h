// EventLoop: one thread's source of readiness, time and posted work. Everything that belongs to a connection runs here.
//
// Must: run callbacks one at a time, on the thread inside Run (or RunOnce). Post is the only method that other threads
// may call. One turn of the loop is: ready descriptors, due timers, posted work, then the end-of-turn work (each
// connection writes once what the whole turn produced).
//
// A callback that finds no memory (std::bad_alloc) is over, and the loop goes on: what it was doing is ended by its
// owner. Any other exception ends the process.
//
// EpollLoop is the implementation for sockets; tests use a fake with a manual clock; a user may drive one from another
// loop (RunOnce, and the descriptor that wakes it).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "weir/transport/io/executor.h"
#include "weir/transport/memory/block_pool.h"

namespace weir::transport {

class EventLoop;

// A timer that lives in its owner: set, set again, cancel, destroy, all on the loop's thread, all without allocation.
// Fires at most once per Set, on the loop, not before its time. `on_due` may set the timer again, or destroy it as the
// last thing it does.
class Timer final : public Pooled {
 public:
  Timer(EventLoop& loop, std::function<void()> on_due) : loop_(loop), on_due_(std::move(on_due)) {}
  ~Timer() { Cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void Set(MonotonicTime due);  // replaces an earlier Set
  void Cancel();
  bool IsSet() const { return heap_index_ != kNotSet; }
  MonotonicTime due() const { return due_; }

 private:
  friend class TimerHeap;
  static constexpr size_t kNotSet = static_cast<size_t>(-1);

  EventLoop& loop_;
  std::function<void()> on_due_;
  MonotonicTime due_{};
  uint64_t sequence_ = 0;  // equal times fire in the order in which they were set
  size_t heap_index_ = kNotSet;
};

// Told about a descriptor it has registered.
class DescriptorHandler {
 public:
  virtual void OnReadable() = 0;
  virtual void OnWritable() = 0;

  // Comes before OnReadable if the peer has closed its half or the descriptor has failed. Without it, a read that
  // filled less than its buffer has emptied the descriptor, and the next one can wait for OnReadable (epoll(7),
  // question 9).
  virtual void OnHangUp() {}

 protected:
  ~DescriptorHandler() = default;
};

// Work to be done once at the end of the current turn: a connection's flush. Intrusive; unlinks itself when destroyed.
class EndOfTurn {
 public:
  EndOfTurn() = default;
  virtual ~EndOfTurn();
  EndOfTurn(const EndOfTurn&) = delete;
  EndOfTurn& operator=(const EndOfTurn&) = delete;

  virtual void OnEndOfTurn() = 0;

 private:
  friend class EndOfTurnList;
  void Unlink();

  EndOfTurn* previous_ = nullptr;
  EndOfTurn* next_ = nullptr;
};

class EventLoop : public Executor {
 public:
  bool MustNotBlock() const override { return true; }

  virtual MonotonicTime Now() const = 0;  // the time at which this turn began: one clock call per turn
  // The same moment by the wall clock, give or take what the two clocks disagree about.
  virtual absl::Time WallNow() const = 0;

  // Registers a non-blocking descriptor, edge-triggered in both directions: the handler reads or writes until
  // kWouldBlock. The handler must outlive the registration. Unwatch before closing.
  virtual absl::Status Watch(int fd, DescriptorHandler* handler) = 0;
  virtual void Unwatch(int fd) = 0;

  // Runs `work->OnEndOfTurn()` once at the end of this turn; twice asked is once done.
  virtual void AtEndOfTurn(EndOfTurn* work) = 0;

  // What begins the pseudo-random numbers of something that lives here: jitter. Of the system; in a simulation, what
  // follows from its seed.
  virtual uint64_t RandomSeed();

  // True on the thread that is inside this loop.
  bool IsCurrent() const { return Executor::Current() == this; }

  // A scratch buffer shared by all connections of the loop for reading: idle connections own none. Valid only inside
  // one callback.
  virtual std::span<char> ReadBuffer() = 0;

 protected:
  friend class Timer;
  virtual void ScheduleTimer(Timer* timer, MonotonicTime due) = 0;
  virtual void CancelTimer(Timer* timer) = 0;
};

}  // namespace weir::transport
