// Task<T>: a coroutine that computes a T. Lazy: nothing runs until it is awaited, started, spawned or waited for.
//
//   weir::Task<absl::StatusOr<Reply>> Handle(Request request) {
//     absl::StatusOr<Row> row = co_await Lookup(request.key());     // in a coroutine
//     ...
//     co_return reply;
//   }
//   absl::StatusOr<Reply> reply = Handle(request).Wait();           // on a plain thread
//
//                   co_await, Start, Spawn, Wait                co_return
//   (created) ----------------------------------> (running) -----------------> (done: holds the result)
//       |                                          |     ^                        |
//       |                         awaits something |     | Resumption             | ~Task
//       | ~Task                                    v     |                        v
//       +--------------------------------------- (suspended) -------> frame destroyed, with all it awaits
//
// One owner; move only. Destroying a Task that is not running destroys its frame and thereby everything it holds,
// also the tasks it is awaiting. Destroying one while it runs is a bug.
// A coroutine takes its parameters by value, or the caller keeps them alive: they are copied into the frame, what they
// point to is not. Never make a coroutine of a lambda with captures.
// An exception that leaves a task is thrown again where its result is taken; a spawned task has nobody to tell and
// terminates the program. The layout is the same with and without -fno-exceptions, so both may be linked together.
#pragma once

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/rpc/core/resumption.h"
#include "weir/transport/memory/block_pool.h"

namespace weir {

template <class T>
class Task;

namespace internal {

// Common to the promises of all tasks: frame memory, start and end.
class TaskPromiseBase {
 public:
  static void* operator new(size_t bytes) { return transport::BlockPool::Allocate(bytes); }
  static void operator delete(void* frame, size_t bytes) noexcept { transport::BlockPool::Free(frame, bytes); }

  class FinalAwaiter {
   public:
    explicit FinalAwaiter(Continuation continuation) noexcept : continuation_(continuation) {}
    FinalAwaiter(const FinalAwaiter&) = delete;
    FinalAwaiter& operator=(const FinalAwaiter&) = delete;

    bool await_ready() const noexcept { return continuation_.detached(); }  // ready: the frame frees itself
    void await_suspend(std::coroutine_handle<>) const noexcept { ResumeLoop::Next(continuation_); }
    void await_resume() const noexcept {}

   private:
    const Continuation continuation_;
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return FinalAwaiter(continuation_); }

  void set_continuation(Continuation continuation) noexcept { continuation_ = continuation; }

 protected:
  // Called in a catch clause. The result is not needed any more if nobody can take it.
  std::exception_ptr CurrentException() const noexcept {
    if (continuation_.detached()) std::terminate();  // prints the exception
    return std::current_exception();
  }

 private:
  Continuation continuation_;
};

template <class T>
class TaskPromise final : public TaskPromiseBase {
 public:
  TaskPromise() noexcept {}
  TaskPromise(const TaskPromise&) = delete;
  TaskPromise& operator=(const TaskPromise&) = delete;
  ~TaskPromise() {
    if (state_ == State::kValue) std::destroy_at(&value_);
    if (state_ == State::kError) std::destroy_at(&error_);
  }

  Task<T> get_return_object() noexcept;

  // U as in a return statement: `co_return value`, `co_return absl::NotFoundError(...)`, `co_return {a, b}`.
  template <class U = T>
  requires std::convertible_to<U&&, T>
  void return_value(U&& value) {
    std::construct_at(&value_, std::forward<U>(value));
    state_ = State::kValue;
  }
  void unhandled_exception() noexcept {
    std::construct_at(&error_, CurrentException());
    state_ = State::kError;
  }

  T& Result() {
    if (state_ == State::kError) std::rethrow_exception(error_);
    return value_;
  }
  T TakeResult() { return std::move(Result()); }

 private:
  enum class State : unsigned char { kNone, kValue, kError };

  union {
    T value_;
    std::exception_ptr error_;
  };
  State state_ = State::kNone;
};

template <>
class TaskPromise<void> final : public TaskPromiseBase {
 public:
  TaskPromise() noexcept = default;
  TaskPromise(const TaskPromise&) = delete;
  TaskPromise& operator=(const TaskPromise&) = delete;

  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void unhandled_exception() noexcept { error_ = CurrentException(); }

  void TakeResult() const {
    if (error_ != nullptr) std::rethrow_exception(error_);
  }

 private:
  std::exception_ptr error_;
};

template <class T>
inline constexpr bool kIsStatus = std::same_as<T, absl::Status>;
template <class T>
inline constexpr bool kIsStatus<absl::StatusOr<T>> = true;

// The parts of Wait() that do not depend on T.
absl::Status MayWait();  // OK, or why this thread must not block
[[noreturn]] void DieWaiting(const absl::Status& why);
void RunUntilEnd(std::coroutine_handle<> task, TaskPromiseBase* promise);

}  // namespace internal

template <class T>
class [[nodiscard]] Task {
  static_assert(!std::is_reference_v<T> && !std::is_const_v<T>, "Task of a value, or of void");

 public:
  using promise_type = internal::TaskPromise<T>;

  Task() noexcept = default;  // no coroutine; assign one before use
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    // Out of *this first: destroying the old frame may come back here.
    const Handle old = std::exchange(handle_, std::exchange(other.handle_, nullptr));
    if (old) old.destroy();
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  // Is there a coroutine?
  bool valid() const noexcept { return static_cast<bool>(handle_); }
  // Has it ended, so that TakeResult() may be called?
  bool done() const noexcept { return handle_ && handle_.done(); }

  // co_await std::move(task), or of a temporary: runs the task and takes its result. Once.
  auto operator co_await() && noexcept { return Awaiter(handle_); }

  // co_await task.Borrow(): the same, but refers to the result, which stays in the task: a T& for a T that would be
  // moved only to be looked at. Not for Task<void>. Once.
  auto Borrow() noexcept { return Borrower(handle_); }

  // Runs the task up to its first suspension. Its end is told to `root` by OnTaskDone, possibly inside this call: from
  // the resume loop after the frame has suspended for the last time, so OnTaskDone may take the result and destroy the
  // task. Makes no frame and allocates nothing. Do not touch the task after Start unless it is known to live.
  void Start(TaskRoot* root) {
    const Handle handle = handle_;
    handle.promise().set_continuation(internal::Continuation(root));
    internal::ResumeLoop::Run(handle);
  }

  // The result of a task that is done(), moved out; throws what the task threw. Once.
  T TakeResult() { return handle_.promise().TakeResult(); }

  // Runs the task on the calling thread, sleeping while it is suspended, until it has ended. Coroutine code runs on
  // this thread only: where it awaits something that completes elsewhere it comes back here. So nothing that it spawned
  // may still be suspended when it ends: there would be no thread to resume it on.
  // On a thread that must not block (an event loop's: every connection of it would stop) nothing runs: a task of
  // absl::Status or absl::StatusOr returns FAILED_PRECONDITION, any other aborts the program with the same text.
  T Wait() &&;

 private:
  friend promise_type;
  friend void Spawn(Task<void> task);
  using Handle = std::coroutine_handle<promise_type>;

  class Awaiter {
   public:
    explicit Awaiter(Handle handle) noexcept : handle_(handle) {}
    // g++ 12 copies awaiters where it should not (co_await of a captured reference); deleted, that does not compile.
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) const noexcept {
      handle_.promise().set_continuation(internal::Continuation(caller));
      internal::ResumeLoop::Next(internal::Continuation(handle_));
    }
    T await_resume() const { return handle_.promise().TakeResult(); }

   protected:
    const Handle handle_;
  };

  class Borrower final : public Awaiter {
   public:
    using Awaiter::Awaiter;
    auto& await_resume() const { return this->handle_.promise().Result(); }
  };

  explicit Task(Handle handle) noexcept : handle_(handle) {}

  Handle handle_;
};

// Runs `task` on the current thread up to its first suspension and lets it go: it goes on when what it awaits
// completes, and its frame frees itself at its end. Whoever spawns must know that it ends, and before what it uses goes
// away.
void Spawn(Task<void> task);

// ---- implementation

template <class T>
T Task<T>::Wait() && {
  if (absl::Status may_wait = internal::MayWait(); !may_wait.ok()) {
    if constexpr (internal::kIsStatus<T>) {
      return may_wait;
    } else {
      internal::DieWaiting(may_wait);
    }
  }
  internal::RunUntilEnd(handle_, &handle_.promise());
  return TakeResult();
}

namespace internal {

template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

inline Task<void> TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

}  // namespace internal
}  // namespace weir
