// Player for the methods of clients: a call to a server in this process that follows a plan.
#pragma once

#include "weir/rpc/client/channel.h"
#include "weir/rpc/client/stub.h"
#include "weir/rpc/core/method.h"
#include "weir/testing/plan.h"

namespace weir::testing::internal {

// To the server that plays scripts. It starts with the first use and is there until the program ends.
Channel& ScriptChannel();

// `options`, and what makes that server follow `plan`, once.
CallOptions WithPlan(const CallOptions& options, const Plan& plan);

inline constexpr MethodSpec kScriptedUnary{"/weir.testing.Script/Unary", CallKind::kUnary};
inline constexpr MethodSpec kScriptedClientStream{"/weir.testing.Script/ClientStream", CallKind::kClientStreaming};
inline constexpr MethodSpec kScriptedServerStream{"/weir.testing.Script/ServerStream", CallKind::kServerStreaming};
inline constexpr MethodSpec kScriptedBidi{"/weir.testing.Script/Bidi", CallKind::kBidiStreaming};

// Type of the method's result and parameters -> what follows a plan there.
template <class Result, class... Args>
struct Player;

template <class R, class Q>
struct Player<UnaryCall<R>, const Q&, const CallOptions&> {
  using Request = Q;
  using Reply = R;
  static UnaryCall<R> Play(const Plan& plan, const Q& request, const CallOptions& options) {
    return UnaryCall<R>(ScriptChannel(), kScriptedUnary, request, WithPlan(options, plan));
  }
};

template <class Q, class R>
struct Player<ClientStreamCall<Q, R>, const CallOptions&> {
  using Request = Q;
  using Reply = R;
  static ClientStreamCall<Q, R> Play(const Plan& plan, const CallOptions& options) {
    return ClientStreamCall<Q, R>(ScriptChannel(), kScriptedClientStream, WithPlan(options, plan));
  }
};

template <class R, class Q>
struct Player<ServerStreamCall<R>, const Q&, const CallOptions&> {
  using Request = Q;
  using Reply = R;
  static ServerStreamCall<R> Play(const Plan& plan, const Q& request, const CallOptions& options) {
    return ServerStreamCall<R>(ScriptChannel(), kScriptedServerStream, request, WithPlan(options, plan));
  }
};

template <class Q, class R>
struct Player<BidiCall<Q, R>, const CallOptions&> {
  using Request = Q;
  using Reply = R;
  static BidiCall<Q, R> Play(const Plan& plan, const CallOptions& options) {
    return BidiCall<Q, R>(ScriptChannel(), kScriptedBidi, WithPlan(options, plan));
  }
};

}  // namespace weir::testing::internal
