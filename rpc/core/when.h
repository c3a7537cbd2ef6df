// WhenAll, WhenAny, WhenAllOk: several calls, tasks or operations at once.
//
//   auto [user, orders] = co_await weir::WhenAll(users.Get(id), orders.List(id));      // StatusOr<User>, StatusOr<Orders>
//   absl::StatusOr<std::tuple<User, Orders>> both = co_await weir::WhenAllOk(users.Get(id), orders.List(id));
//   std::variant<...> first = co_await weir::WhenAny(call.Read(), context.Sleep(absl::Seconds(1)));    // .index()
//   std::vector<absl::StatusOr<User>> all = weir::WhenAll(std::move(calls)).Wait();
//
//   WhenAll     every result, in the order of the arguments
//   WhenAny     the result of the first that ends, and which one it is; the others are cancelled
//   WhenAllOk   for Status and StatusOr<T>: every T (std::monostate for a Status), or the status of the first that fails;
//               the others are cancelled
//
// Of an empty vector WhenAll and WhenAllOk give an empty vector; WhenAny has no answer: INVALID_ARGUMENT where the
// result is a Status or StatusOr; otherwise it ends the program, as every use of a result that is none would.
//
// Each is a Task, to be awaited on a loop or a worker, or waited for on a plain thread. Arguments: whatever co_await
// takes. Calls and tasks are moved in; lvalues are referred to; operations (call.Read(), context.Sleep(d)) are
// temporaries, so await in the same expression. void results are std::monostate. What one throws is thrown again when
// all have ended; of WhenAny and WhenAllOk if it was the first.
//
// An operation that loses may have ended all the same, in the moment before it was to give up. Then what it brought is
// dropped, but for messages: the next Read, or Finish, of its call gets the one that it took.
//
// All have ended when the result is there, also those that are cancelled. A call is cancelled by Cancel(), an operation
// gives up waiting (and its call goes on). A task ends by itself: give it a CancelScope, make its calls with
// CallOptions().Parent(scope), and name the scope first: `WhenAny(scope, Ask(scope, 1), Ask(scope, 2))`.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <deque>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/rpc/core/cancel_scope.h"
#include "weir/rpc/core/gathering.h"
#include "weir/rpc/core/task.h"

namespace weir {

// The result of WhenAny over a vector.
template <class R>
struct First {
  First(size_t which, R what) : index(which), result(std::move(what)) {}
  size_t index;
  R result;
};

namespace internal {

// How an argument is kept: moved in, or referred to if it is an lvalue or cannot be moved.
template <class A>
using Kept = std::conditional_t<std::is_lvalue_reference_v<A> || !std::is_move_constructible_v<A>,
                                std::remove_reference_t<A>&, A>;
template <class A>
using BranchOf = Branch<std::remove_reference_t<A>>;
// Constrained, so that clang drops an overload that does not fit before it looks into Branch.
template <class A>
requires Awaitable<A>
using ResultFor = typename BranchOf<A>::Result;

template <class R>
struct OkValue;
template <>
struct OkValue<absl::Status> {
  using Type = std::monostate;
  static const absl::Status& StatusOf(const absl::Status& result) { return result; }
  static std::monostate Take(absl::Status&&) { return {}; }
};
template <class T>
struct OkValue<absl::StatusOr<T>> {
  using Type = T;
  static const absl::Status& StatusOf(const absl::StatusOr<T>& result) { return result.status(); }
  static T Take(absl::StatusOr<T>&& result) { return *std::move(result); }
};
template <class A>
using OkValueFor = typename OkValue<ResultFor<A>>::Type;

// The branches of a fixed number of awaitables.
template <class... A>
class BranchTuple {
 public:
  explicit BranchTuple(std::remove_reference_t<A>&... awaitables) : branches_(awaitables...) {
    size_t i = 0;
    std::apply([this, &i](auto&... branch) { ((all_[i++] = &branch), ...); }, branches_);
  }
  std::span<BranchBase* const> all() const { return all_; }
  template <size_t i>
  auto Take() {
    return std::get<i>(branches_).Take();
  }

 private:
  std::tuple<BranchOf<A>...> branches_;
  std::array<BranchBase*, sizeof...(A)> all_;
};

template <class... A, size_t... i>
Task<std::tuple<ResultFor<A>...>> All(std::index_sequence<i...>, Kept<A>... awaitables) {
  BranchTuple<A...> branches(awaitables...);
  Gathering gathering(Until::kAll, sizeof...(A));
  co_await gathering.Run(branches.all(), nullptr);
  co_return std::tuple<ResultFor<A>...>{branches.template Take<i>()...};
}

template <class... A, size_t... i>
Task<std::variant<ResultFor<A>...>> Any(CancelScope* scope, std::index_sequence<i...>, Kept<A>... awaitables) {
  BranchTuple<A...> branches(awaitables...);
  Gathering gathering(Until::kFirst, sizeof...(A));
  co_await gathering.Run(branches.all(), scope);
  std::optional<std::variant<ResultFor<A>...>> first;
  ((i == gathering.winner() ? void(first.emplace(std::in_place_index<i>, branches.template Take<i>())) : void()), ...);
  co_return *std::move(first);
}

template <class... A, size_t... i>
Task<absl::StatusOr<std::tuple<OkValueFor<A>...>>> AllOk(CancelScope* scope, std::index_sequence<i...>,
                                                         Kept<A>... awaitables) {
  BranchTuple<A...> branches(awaitables...);
  Gathering gathering(Until::kFirstError, sizeof...(A));
  co_await gathering.Run(branches.all(), scope);
  absl::Status failed;
  ((i == gathering.winner() ? void(failed = OkValue<ResultFor<A>>::StatusOf(branches.template Take<i>())) : void()),
   ...);
  if (!failed.ok()) co_return failed;
  co_return std::tuple<OkValueFor<A>...>{OkValue<ResultFor<A>>::Take(branches.template Take<i>())...};
}

// The branches of a vector.
template <class A>
class BranchList {
 public:
  explicit BranchList(std::vector<A>& awaitables) {
    for (A& awaitable : awaitables) all_.push_back(&branches_.emplace_back(awaitable));
  }
  std::span<BranchBase* const> all() const { return all_; }
  Branch<A>& operator[](size_t i) { return branches_[i]; }
  size_t size() const { return branches_.size(); }

 private:
  std::deque<Branch<A>> branches_;
  std::vector<BranchBase*> all_;
};

// The answer of WhenAny to an empty vector: nobody will ever be first.
template <class R>
R FirstOfNone() {
  const absl::Status mistake =
      absl::InvalidArgumentError("WhenAny: expected at least one call, task or operation, got an empty vector");
  if constexpr (kIsStatus<R>) {
    return mistake;
  } else {
    DieWaiting(mistake);
  }
}

template <class A>
Task<First<ResultFor<A>>> AnyOf(CancelScope* scope, std::vector<A> awaitables) {
  if (awaitables.empty()) co_return First<ResultFor<A>>(0, FirstOfNone<ResultFor<A>>());
  BranchList<A> branches(awaitables);
  Gathering gathering(Until::kFirst, branches.size());
  co_await gathering.Run(branches.all(), scope);
  co_return First<ResultFor<A>>(gathering.winner(), branches[gathering.winner()].Take());
}

template <class A>
Task<absl::StatusOr<std::vector<OkValueFor<A>>>> AllOkOf(CancelScope* scope, std::vector<A> awaitables) {
  BranchList<A> branches(awaitables);
  Gathering gathering(Until::kFirstError, branches.size());
  co_await gathering.Run(branches.all(), scope);
  if (gathering.winner() != Gathering::kNobody) {
    co_return OkValue<ResultFor<A>>::StatusOf(branches[gathering.winner()].Take());
  }
  std::vector<OkValueFor<A>> values;
  for (size_t i = 0; i < branches.size(); ++i) values.push_back(OkValue<ResultFor<A>>::Take(branches[i].Take()));
  co_return values;
}

}  // namespace internal

template <internal::Awaitable... A>
Task<std::tuple<internal::ResultFor<A>...>> WhenAll(A&&... awaitables) {
  return internal::All<A...>(std::index_sequence_for<A...>(), static_cast<internal::Kept<A>&&>(awaitables)...);
}
template <internal::Awaitable A>
Task<std::vector<internal::ResultFor<A>>> WhenAll(std::vector<A> awaitables) {
  internal::BranchList<A> branches(awaitables);
  internal::Gathering gathering(internal::Until::kAll, branches.size());
  co_await gathering.Run(branches.all(), nullptr);
  std::vector<internal::ResultFor<A>> results;
  for (size_t i = 0; i < branches.size(); ++i) results.push_back(branches[i].Take());
  co_return results;
}

template <internal::Awaitable... A>
Task<std::variant<internal::ResultFor<A>...>> WhenAny(A&&... awaitables) {
  return internal::Any<A...>(nullptr, std::index_sequence_for<A...>(), static_cast<internal::Kept<A>&&>(awaitables)...);
}
template <internal::Awaitable... A>
Task<std::variant<internal::ResultFor<A>...>> WhenAny(CancelScope& scope, A&&... awaitables) {
  return internal::Any<A...>(&scope, std::index_sequence_for<A...>(), static_cast<internal::Kept<A>&&>(awaitables)...);
}
template <internal::Awaitable A>
Task<First<internal::ResultFor<A>>> WhenAny(std::vector<A> awaitables) {
  return internal::AnyOf(nullptr, std::move(awaitables));
}
template <internal::Awaitable A>
Task<First<internal::ResultFor<A>>> WhenAny(CancelScope& scope, std::vector<A> awaitables) {
  return internal::AnyOf(&scope, std::move(awaitables));
}

template <internal::Awaitable... A>
Task<absl::StatusOr<std::tuple<internal::OkValueFor<A>...>>> WhenAllOk(A&&... awaitables) {
  return internal::AllOk<A...>(nullptr, std::index_sequence_for<A...>(),
                               static_cast<internal::Kept<A>&&>(awaitables)...);
}
template <internal::Awaitable... A>
Task<absl::StatusOr<std::tuple<internal::OkValueFor<A>...>>> WhenAllOk(CancelScope& scope, A&&... awaitables) {
  return internal::AllOk<A...>(&scope, std::index_sequence_for<A...>(),
                               static_cast<internal::Kept<A>&&>(awaitables)...);
}
template <internal::Awaitable A>
Task<absl::StatusOr<std::vector<internal::OkValueFor<A>>>> WhenAllOk(std::vector<A> awaitables) {
  return internal::AllOkOf(nullptr, std::move(awaitables));
}
template <internal::Awaitable A>
Task<absl::StatusOr<std::vector<internal::OkValueFor<A>>>> WhenAllOk(CancelScope& scope, std::vector<A> awaitables) {
  return internal::AllOkOf(&scope, std::move(awaitables));
}

}  // namespace weir
