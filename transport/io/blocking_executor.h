// BlockingExecutor: lets a plain thread wait for a coroutine, running the coroutine's own code on the waiting thread.
//
// Used by every `.Wait()`. Post from any thread; RunUntilDone on one.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "weir/transport/io/executor.h"

namespace weir::transport {

// What the thread does in RunUntilDone instead of sleeping: it turns loops of its own. A simulation, where there is no
// other thread that could.
class WaitingWork {
 public:
  // Something that may lead to what is waited for. Must not return for ever without having done anything.
  virtual void WorkWhileWaiting() = 0;

  // For the calling thread.
  class Scope {
   public:
    explicit Scope(WaitingWork* work);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    WaitingWork* const previous_;
  };

 protected:
  ~WaitingWork() = default;
};

class BlockingExecutor final : public Executor {
 public:
  BlockingExecutor();
  ~BlockingExecutor() override;

  void Post(std::function<void()> work) override;

  // Runs posted work on the calling thread until Finish() has been called (from posted work or from any thread) and
  // nothing posted is left. One Finish ends one RunUntilDone, also when it comes first. The executor may be destroyed
  // as soon as RunUntilDone has returned, even if Finish is still returning on another thread.
  void RunUntilDone();
  void Finish();

  // OK on a thread that may block. On a thread that runs an EventLoop: FAILED_PRECONDITION saying that `what` would
  // stop every connection of the loop, and to co_await it or to run the handler on a worker pool instead.
  static absl::Status MayBlock(std::string_view what);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::transport
