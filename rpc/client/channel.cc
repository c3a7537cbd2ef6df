#include "weir/rpc/client/channel.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "weir/rpc/client/channel_core.h"
#include "weir/rpc/client/channel_endpoint.h"
#include "weir/rpc/client/client_call.h"
#include "weir/rpc/client/client_call_ptr.h"
#include "weir/rpc/client/proxy/channel_proxy.h"
#include "weir/rpc/client/target.h"
#include "weir/transport/io/blocking_executor.h"
#include "weir/transport/io/loop_pool.h"
#include "weir/transport/io/stream_security.h"

namespace weir {

class Channel::Impl {
 public:
  Impl(std::string_view target, const ChannelCredentials& credentials, ChannelOptions options) : text_(target) {
    transport::EventLoop& loop = LoopFor(options);
    absl::StatusOr<Target> usable = IfUsable(credentials.security(), Target::Parse(target, options.name_resolvers));
    std::unique_ptr<Connector> by_proxy = ByProxy(options, &usable);
    core_ = std::make_shared<ChannelCore>(loop, text_, std::move(usable), std::move(options), nullptr, credentials);
    if (by_proxy != nullptr) core_->UseConnector(std::move(by_proxy));
  }

  Impl(ChannelEndpoint endpoint, ChannelOptions options) : text_(endpoint.name), loops_(std::move(endpoint.loops)) {
    transport::EventLoop& loop = endpoint.loop != nullptr ? *endpoint.loop : LoopFor(options);
    Target target;
    target.text = text_;
    target.authority = std::move(endpoint.authority);
    target.scheme = std::move(endpoint.scheme);
    core_ = std::make_shared<ChannelCore>(loop, text_, IfUsable(endpoint.credentials.security(), std::move(target)),
                                          std::move(options), std::move(endpoint.source), endpoint.credentials);
  }

  ~Impl() {
    ChannelCore& core = *core_;
    transport::BlockingExecutor waiter;
    core.loop().Post([&waiter, &core] {
      core.Shutdown();
      // In the next turn: the last frames have been written, and no code of a connection is running.
      core.loop().Post([&waiter, &core] {
        core.DropConnections();
        core.WhenNoInterceptorRuns([&waiter] { waiter.Finish(); });
      });
    });
    waiter.RunUntilDone();
  }

  const std::string& target() const { return text_; }
  ChannelCore& core() { return *core_; }
  std::shared_ptr<ChannelCore> shared_core() { return core_; }

 private:
  static absl::StatusOr<Target> IfUsable(const std::shared_ptr<transport::StreamSecurity>& security,
                                         absl::StatusOr<Target> target) {
    if (target.ok() && security != nullptr && !security->status().ok()) return security->status();
    return target;
  }

  // The only place where the environment is read.
  static std::unique_ptr<Connector> ByProxy(const ChannelOptions& options, absl::StatusOr<Target>* target) {
    if (!target->ok()) return nullptr;
    absl::StatusOr<std::unique_ptr<Connector>> by_proxy = UseProxy(options, ::getenv, &**target);
    if (by_proxy.ok()) return *std::move(by_proxy);
    *target = by_proxy.status();
    return nullptr;
  }

  // The user's, or one that is started here.
  transport::EventLoop& LoopFor(const ChannelOptions& options) {
    if (options.loop != nullptr) return *options.loop;
    absl::StatusOr<std::unique_ptr<transport::LoopPool>> started = transport::LoopPool::Start(1, "weir-channel");
    if (!started.ok()) {
      // As std::thread would: a process that cannot start a thread cannot make calls.
      std::fprintf(stderr, "weir::Channel to %s: cannot start its thread: %s\n", text_.c_str(),
                   started.status().ToString().c_str());
      std::abort();
    }
    loops_ = *std::move(started);
    return loops_->loop(0);
  }

  const std::string text_;
  std::shared_ptr<transport::LoopPool> loops_;  // null: the loop is the user's
  std::shared_ptr<ChannelCore> core_;
};

Channel::Channel(std::string_view target, ChannelCredentials credentials, ChannelOptions options)
    : impl_(std::make_unique<Impl>(target, credentials, std::move(options))) {}

Channel::Channel(std::string_view target, ChannelCredentials credentials)
    : Channel(target, std::move(credentials), ChannelOptions()) {}

Channel::Channel(ChannelEndpoint endpoint) : Channel(std::move(endpoint), ChannelOptions()) {}

Channel::Channel(ChannelEndpoint endpoint, ChannelOptions options)
    : impl_(std::make_unique<Impl>(std::move(endpoint), std::move(options))) {}

Channel::~Channel() = default;

const std::string& Channel::target() const { return impl_->target(); }

transport::Executor& Channel::executor() { return impl_->core().loop(); }

ConnectivityState Channel::state(TryToConnect connect) {
  if (connect == TryToConnect::kYes) {
    executor().Post([core = impl_->shared_core()] { core->Connect(); });
  }
  return impl_->core().state();
}

StateChangeOperation Channel::StateChange(ConnectivityState from) {
  return StateChangeOperation(impl_->shared_core(), from);
}

size_t Channel::queued_call_count() const { return impl_->core().queued_call_count(); }
uint64_t Channel::timeout_count(Timeout which) const { return impl_->core().peer_counts().count(which); }
uint64_t Channel::limit_count(transport::H2Limit which) const { return impl_->core().peer_counts().count(which); }

void Channel::ResetConnectBackoff() {
  executor().Post([core = impl_->shared_core()] { core->ResetConnectBackoff(); });
}

void Channel::Run(Task<void> task) {
  executor().Post([task = std::make_shared<Task<void>>(std::move(task))] { Spawn(std::move(*task)); });
}

ClientCallPtr Channel::StartCall(const MethodSpec& method, const CallOptions& options, const OutgoingMessage* request) {
  ChannelCore& core = impl_->core();
  // Any thread may make a call, and the loop's own time is that of its turn: the system is asked, where it matters.
  const bool may_have_deadline = options.timeout().has_value() || options.parent() != nullptr ||
                                 core.options().default_timeout != absl::InfiniteDuration();
  const auto made_at = may_have_deadline ? std::chrono::steady_clock::now() : transport::MonotonicTime();
  const auto call = std::make_shared<ClientCall>(impl_->shared_core(), core.loop(), method, options, request, made_at);
  if (core.loop().IsCurrent()) {
    call->Start();
  } else {
    core.loop().Post([call] { call->Start(); });
  }
  return ClientCallPtr(call);
}

}  // namespace weir
