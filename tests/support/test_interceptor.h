// TestInterceptor: an interceptor that is a coroutine function of a test, in the world of a script.
//
//   auto logging = std::make_shared<TestInterceptor<ClientWorld>>(LogCall);
//   ChannelOptions options;
//   options.interceptors = {logging};
//   ClientScript script(options);
//   script.Do(logging->Enter()).Handshake()...
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <vector>

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

// A script of calls with these interceptors, the first one outermost. Script: ClientScript with ChannelOptions, or
// ServerScript with ServerOptions.
template <class Script, class World, class Options>
class InterceptedScript {
 public:
  explicit InterceptedScript(std::initializer_list<typename TestInterceptor<World>::Function> functions) {
    Options options;
    for (auto function : functions) {
      all_.push_back(std::make_shared<TestInterceptor<World>>(function));
      options.interceptors.push_back(all_.back());
    }
    script_.emplace(options);
    for (const auto& interceptor : all_) script_->Do(interceptor->Enter());
  }
  Script& operator*() { return *script_; }
  Script* operator->() { return &*script_; }

 private:
  std::vector<std::shared_ptr<TestInterceptor<World>>> all_;
  std::optional<Script> script_;
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
