// Gathering: several awaitables under way at once, for WhenAll, WhenAny and WhenAllOk (when.h).
//
//   start all --> decided (all done, or one, or one failed) --> cancel the others --> all done --> results
//
// It always waits for all: a coroutine that waits cannot be taken away from under whoever will wake it. Cancelling
// makes that short: calls are cancelled, operations on a call give up.
//
// The branches run where the gathering does. On a pool that is several threads: hence the atomics.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>

#include "weir/rpc/core/cancel_scope.h"
#include "weir/rpc/core/operation.h"
#include "weir/rpc/core/task.h"

namespace weir::internal {

// One waiter, who goes on when Down has been called `count` times.
class Countdown {
 public:
  explicit Countdown(size_t count) : left_(count + 1) {}  // and the waiter's own
  Countdown(const Countdown&) = delete;
  Countdown& operator=(const Countdown&) = delete;

  // May be the end of *this.
  void Down() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const Resumption waiter = waiter_;
    waiter.Resume();
  }

  bool await_ready() const { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = Resumption(waiter);
    return left_.fetch_sub(1, std::memory_order_acq_rel) != 1;
  }
  void await_resume() const {}

 private:
  std::atomic<size_t> left_;
  Resumption waiter_;
};

enum class Until : unsigned char { kAll, kFirst, kFirstError };

class BranchBase;

class Gathering {
 public:
  static constexpr size_t kNobody = static_cast<size_t>(-1);

  Gathering(Until until, size_t branches) : until_(until), decided_(1), all_(branches), running_(branches) {}

  // Runs the branches until all of them have ended.
  Task<void> Run(std::span<BranchBase* const> branches, CancelScope* scope);

  // Who was first; kNobody if all have ended without an error.
  size_t winner() const { return winner_; }

  // From a branch. The second may be the end of *this.
  void OnError(size_t index) {
    if (until_ == Until::kFirstError) Decide(index);
  }
  void OnEnd(size_t index) {
    if (until_ == Until::kFirst) Decide(index);
    if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) Decide(kNobody);
    all_.Down();
  }

 private:
  bool is_decided() const { return is_decided_.load(std::memory_order_acquire); }
  void Decide(size_t index) {
    if (claimed_.exchange(true, std::memory_order_acq_rel)) return;
    winner_ = index;
    is_decided_.store(true, std::memory_order_release);
    decided_.Down();
  }

  const Until until_;
  std::atomic<bool> claimed_ = false;
  std::atomic<bool> is_decided_ = false;
  size_t winner_ = kNobody;
  Countdown decided_;
  Countdown all_;
  std::atomic<size_t> running_;
};

class BranchBase {
 public:
  virtual void Start(Gathering& gathering, size_t index) = 0;
  // Makes it end soon, if there is a way; may take no task to do so.
  virtual Task<void> Cancel() = 0;
  // When it has ended and its result is wanted by nobody: a message that it took goes back to its call. The same.
  virtual Task<void> GiveBack() = 0;

 protected:
  ~BranchBase() = default;
};

// What `co_await` makes of it.
template <class A>
auto ResultOf() {
  if constexpr (requires(A a) { std::move(a).operator co_await(); }) {
    using R = decltype(std::declval<A>().operator co_await().await_resume());
    return std::type_identity<R>();
  } else {
    return std::type_identity<decltype(std::declval<A&>().await_resume())>();
  }
}

template <class A>
concept Awaitable = requires(std::remove_reference_t<A>& a) {
  a.await_resume();
}
|| requires(std::remove_reference_t<A>& a) { std::move(a).operator co_await(); };

template <class R>
bool IsError(const R& result) {
  if constexpr (kIsStatus<R>) return !result.ok();
  return false;
}

template <class A>
class Branch final : public BranchBase, private TaskRoot {
 public:
  using Raw = typename decltype(ResultOf<A>())::type;
  using Result = std::conditional_t<std::is_void_v<Raw>, std::monostate, Raw>;

  // An operation; otherwise something that has one made for it: a task, a call.
  static constexpr bool kIsAwaiter = requires(A & a) { a.await_resume(); };

  explicit Branch(A& awaitable) : awaitable_(awaitable) {}
  Branch(const Branch&) = delete;
  Branch& operator=(const Branch&) = delete;

  // When it has ended: the result, or what was thrown instead.
  Result Take() { return task_.TakeResult(); }

 private:
  void Start(Gathering& gathering, size_t index) override {
    gathering_ = &gathering;
    index_ = index;
    task_ = Await(awaitable_, &succeeded_);
    task_.Start(this);
  }
  Task<void> Cancel() override {
    if constexpr (requires(A & a) { a.Cancel(); }) {
      awaitable_.Cancel();
      return Task<void>();
    } else if constexpr (std::derived_from<A, Operation>) {
      return Stop(awaitable_);
    } else {
      return Task<void>();
    }
  }
  Task<void> GiveBack() override {
    if constexpr (requires(A & a, Result r) { a.GiveBack(std::move(r)); }) {
      if (task_.valid()) return awaitable_.GiveBack(task_.TakeResult());
    }
    return Task<void>();
  }
  // Not when the branch is destroyed while it waits: then nobody is left to be told.
  void OnTaskDone() noexcept override {
    if (!succeeded_) gathering_->OnError(index_);
    gathering_->OnEnd(index_);
  }

  // `succeeded` stays false for an error, and for what is thrown.
  static Task<Result> Await(A& awaitable, bool* succeeded) {
    if constexpr (std::is_void_v<Raw>) {
      if constexpr (kIsAwaiter) {
        co_await awaitable;
      } else {
        co_await std::move(awaitable);
      }
      *succeeded = true;
      co_return std::monostate();
    } else if constexpr (kIsAwaiter) {
      // By this name and no other: g++ 12 copies an awaiter that an expression refers to.
      Result result = co_await awaitable;
      *succeeded = !IsError(result);
      co_return result;
    } else {
      Result result = co_await std::move(awaitable);
      *succeeded = !IsError(result);
      co_return result;
    }
  }
  static Task<void> Stop(Operation& operation) { co_await StopOperation(operation); }

  A& awaitable_;
  Gathering* gathering_ = nullptr;
  size_t index_ = 0;
  bool succeeded_ = false;
  Task<Result> task_;
};

}  // namespace weir::internal
