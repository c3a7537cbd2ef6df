// Player for the methods of services: a handler that follows a plan.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/rpc/core/task.h"
#include "weir/rpc/server/server_context.h"
#include "weir/rpc/wire/messages.h"
#include "weir/testing/plan.h"

namespace weir::testing::internal {

// Type of the method's result and parameters -> what follows a plan there.
template <class Result, class... Args>
struct Player;

template <class R, class Q>
Task<absl::StatusOr<R>> PlayReply(Plan plan, ServerContext& context, Reader<Q>* reader) {
  const absl::Status status = co_await Play<Q, R>(plan, context, reader, nullptr);
  if (!status.ok()) co_return status;
  if (plan.messages.empty()) co_return absl::InternalError("the script has no reply: use Replies");
  co_return FromBytes<R>(plan.messages.front());
}

template <class R, class Q>
struct Player<Task<absl::StatusOr<R>>, ServerContext&, const Q&> {
  using Request = Q;
  using Reply = R;
  static Task<absl::StatusOr<R>> Play(const Plan& plan, ServerContext& context, const Q& request) {
    Capture(plan, request);
    return PlayReply<R, Q>(plan, context, nullptr);
  }
};

template <class R, class Q>
struct Player<Task<absl::StatusOr<R>>, ServerContext&, Reader<Q>&> {
  using Request = Q;
  using Reply = R;
  static Task<absl::StatusOr<R>> Play(const Plan& plan, ServerContext& context, Reader<Q>& reader) {
    return PlayReply<R, Q>(plan, context, &reader);
  }
};

template <class Q, class R>
struct Player<Task<absl::Status>, ServerContext&, const Q&, Writer<R>&> {
  using Request = Q;
  using Reply = R;
  static Task<absl::Status> Play(const Plan& plan, ServerContext& context, const Q& request, Writer<R>& writer) {
    Capture(plan, request);
    return internal::Play<Q, R>(plan, context, nullptr, &writer);
  }
};

template <class Q, class R>
struct Player<Task<absl::Status>, ServerContext&, Reader<Q>&, Writer<R>&> {
  using Request = Q;
  using Reply = R;
  static Task<absl::Status> Play(const Plan& plan, ServerContext& context, Reader<Q>& reader, Writer<R>& writer) {
    return internal::Play<Q, R>(plan, context, &reader, &writer);
  }
};

}  // namespace weir::testing::internal
