#include "weir/transport/io/blocking_executor.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "weir/transport/io/mutex.h"

namespace weir::transport {
namespace {

// Posting so much takes no memory: what lets a thread go on must not fail.
constexpr size_t kRoom = 8;

constinit thread_local WaitingWork* waiting_work = nullptr;

}  // namespace

WaitingWork::Scope::Scope(WaitingWork* work) : previous_(waiting_work) { waiting_work = work; }

WaitingWork::Scope::~Scope() { waiting_work = previous_; }

struct BlockingExecutor::Impl {
  Mutex mutex;
  CondVar changed;
  std::vector<std::function<void()>> posted WEIR_GUARDED_BY(mutex);
  bool finished WEIR_GUARDED_BY(mutex) = false;
  std::vector<std::function<void()>> running;  // by RunUntilDone
};

BlockingExecutor::BlockingExecutor() : impl_(std::make_unique<Impl>()) {
  MutexLock lock(impl_->mutex);
  impl_->posted.reserve(kRoom);
  impl_->running.reserve(kRoom);
}

BlockingExecutor::~BlockingExecutor() = default;

void BlockingExecutor::Post(std::function<void()> work) {
  MutexLock lock(impl_->mutex);
  impl_->posted.push_back(std::move(work));
  impl_->changed.NotifyOne();
}

void BlockingExecutor::RunUntilDone() {
  Scope scope(this);
  std::vector<std::function<void()>>& batch = impl_->running;
  while (true) {
    {
      MutexLock lock(impl_->mutex);
      while (impl_->posted.empty() && !impl_->finished && waiting_work == nullptr) impl_->changed.Wait(impl_->mutex);
      if (impl_->posted.empty() && impl_->finished) {
        impl_->finished = false;
        return;
      }
      batch.swap(impl_->posted);
    }
    if (batch.empty()) waiting_work->WorkWhileWaiting();
    for (std::function<void()>& work : batch) std::exchange(work, nullptr)();
    batch.clear();
  }
}

void BlockingExecutor::Finish() {
  MutexLock lock(impl_->mutex);
  impl_->finished = true;
  impl_->changed.NotifyOne();
}

absl::Status BlockingExecutor::MayBlock(std::string_view what) {
  const Executor* current = Executor::Current();
  if (current == nullptr || !current->MustNotBlock()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      std::string(what) +
      ": called on the thread of an event loop, where waiting would stop every connection of the loop; co_await it "
      "instead, or run the handler on a worker pool");
}

}  // namespace weir::transport
