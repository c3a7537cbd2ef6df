#include "weir/rpc/client/channel.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "weir/rpc/client/channel_core.h"
#include "weir/rpc/client/target.h"
#include "weir/transport/io/blocking_executor.h"
#include "weir/transport/io/loop_pool.h"

namespace weir {

class Channel::Impl {
 public:
  Impl(std::string_view target, ChannelOptions options) : text_(target) {
    absl::StatusOr<Target> parsed = Target::Parse(target);
    transport::EventLoop* loop = options.loop;
    if (loop == nullptr) {
      absl::StatusOr<std::unique_ptr<transport::LoopPool>> started = transport::LoopPool::Start(1, "weir-channel");
      if (!started.ok()) {
        // As std::thread would: a process that cannot start a thread cannot make calls.
        std::fprintf(stderr, "weir::Channel to %s: cannot start its thread: %s\n", text_.c_str(),
                     started.status().ToString().c_str());
        std::abort();
      }
      own_loop_ = *std::move(started);
      loop = &own_loop_->loop(0);
    }
    core_ = std::make_shared<ChannelCore>(*loop, text_, std::move(parsed), std::move(options));
  }

  ~Impl() {
    ChannelCore& core = *core_;
    transport::BlockingExecutor waiter;
    core.loop().Post([&waiter, &core] {
      core.Shutdown();
      // In the next turn: the last frames have been written, and no code of a connection is running.
      core.loop().Post([&waiter, &core] {
        core.DropConnections();
        waiter.Finish();
      });
    });
    waiter.RunUntilDone();
  }

  const std::string& target() const { return text_; }
  ChannelCore& core() { return *core_; }
  std::shared_ptr<ChannelCore> shared_core() { return core_; }

 private:
  const std::string text_;
  std::unique_ptr<transport::LoopPool> own_loop_;
  std::shared_ptr<ChannelCore> core_;
};

Channel::Channel(std::string_view target, ChannelCredentials, ChannelOptions options)
    : impl_(std::make_unique<Impl>(target, std::move(options))) {}

Channel::~Channel() = default;

const std::string& Channel::target() const { return impl_->target(); }

transport::Executor& Channel::executor() { return impl_->core().loop(); }

void Channel::Run(Task<void> task) {
  executor().Post([task = std::make_shared<Task<void>>(std::move(task))] { Spawn(std::move(*task)); });
}

ClientCallPtr Channel::StartCall(const MethodSpec& method, const CallOptions& options, const OutgoingMessage* request) {
  ChannelCore& core = impl_->core();
  auto call = std::make_shared<ClientCall>(impl_->shared_core(), core.loop(), method, options, request);
  if (core.loop().IsCurrent()) {
    call->Start();
  } else {
    core.loop().Post([call] { call->Start(); });
  }
  return ClientCallPtr(std::move(call));
}

}  // namespace weir
