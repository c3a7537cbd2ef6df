// Mutex, MutexLock, CondVar: std::mutex with Clang's thread-safety annotations.
//
// Not absl::Mutex: the installed libabsl is not instrumented, so ThreadSanitizer reports races that are none (with g++
// 12 and clang 14 of Debian 12).
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define WEIR_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define WEIR_THREAD_ANNOTATION(x)
#endif
#define WEIR_GUARDED_BY(mutex) WEIR_THREAD_ANNOTATION(guarded_by(mutex))
#define WEIR_REQUIRES(mutex) WEIR_THREAD_ANNOTATION(requires_capability(mutex))

namespace weir::transport {

class WEIR_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() WEIR_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void Unlock() WEIR_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class WEIR_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) WEIR_THREAD_ANNOTATION(acquire_capability(mutex)) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() WEIR_THREAD_ANNOTATION(release_capability()) { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Notify with the mutex held: then the waiter may destroy both as soon as it has seen the change.
class CondVar {
 public:
  // May return without a reason: call in a loop that checks the condition.
  void Wait(Mutex& mutex) WEIR_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // The same, for at most `timeout` or an hour: a longer one overflows the clock, and the wait would not wait at all.
  void WaitFor(Mutex& mutex, std::chrono::nanoseconds timeout) WEIR_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait_for(lock, std::min<std::chrono::nanoseconds>(timeout, std::chrono::hours(1)));
    lock.release();
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace weir::transport
