// TestInterceptor: an interceptor that is a coroutine function of a test, in the world of a script.
//
//   auto logging = std::make_shared<TestInterceptor<ClientWorld>>(LogCall);
//   ChannelOptions options;
//   options.interceptors = {logging};
//   ClientScript script(options);
//   script.Do(logging->Enter()).Handshake()...
#pragma once

#include <functional>

#include "weir/rpc/core/interceptor.h"

namespace weir::testing {

template <class World>
class TestInterceptor final : public Interceptor {
 public:
  using Function = Task<absl::Status> (*)(World& world, InterceptedCall& call, const Next& next);
  explicit TestInterceptor(Function function) : function_(function) {}

  // A step of the script that comes before any call.
  std::function<void(World&)> Enter() {
    return [this](World& world) { world_ = &world; };
  }

  Task<absl::Status> Intercept(const MethodSpec&, InterceptedCall& call, const Next& next) override {
    return function_(*world_, call, next);
  }

 private:
  const Function function_;
  World* world_ = nullptr;
};

// The rest of a chain, started without waiting for it: what an interceptor does that gives up.
class StartedNext final : private TaskRoot {
 public:
  StartedNext(const Next& next, InterceptedCall& call) : task_(next(call)) { task_.Start(this); }
  bool done() const { return task_.done(); }

 private:
  void OnTaskDone() noexcept override {}
  Task<absl::Status> task_;
};

}  // namespace weir::testing
