#include "weir/transport/io/worker_pool.h"

#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

#include "weir/transport/io/mutex.h"
#include "weir/transport/io/thread.h"

namespace weir::transport {

// Posting so much takes no memory: what lets a coroutine go on that waits for another thread must not fail.
constexpr size_t kPostedRoom = 256;

struct WorkerPool::Impl {
  void Run(Executor* pool);
  std::function<void()> Take() WEIR_REQUIRES(mutex);

  Mutex mutex;
  CondVar changed;
  std::vector<std::function<void()>> posted WEIR_GUARDED_BY(mutex);
  size_t taken WEIR_GUARDED_BY(mutex) = 0;  // of them, from the front
  bool shutdown WEIR_GUARDED_BY(mutex) = false;
  std::vector<std::thread> threads;
};

void WorkerPool::Impl::Run(Executor* pool) {
  Scope scope(pool);
  while (true) {
    std::function<void()> work;
    {
      MutexLock lock(mutex);
      while (posted.empty() && !shutdown) changed.Wait(mutex);
      if (posted.empty()) return;
      work = Take();
    }
    work();
  }
}

std::function<void()> WorkerPool::Impl::Take() {
  std::function<void()> work = std::move(posted[taken++]);
  // Half of them at least: each is moved once at most on average.
  if (taken >= kPostedRoom / 2 && taken * 2 >= posted.size()) {
    posted.erase(posted.begin(), posted.begin() + static_cast<std::ptrdiff_t>(taken));
    taken = 0;
  } else if (taken == posted.size()) {
    posted.clear();
    taken = 0;
  }
  return work;
}

WorkerPool::WorkerPool(size_t threads, const std::string& name) : impl_(std::make_unique<Impl>()) {
  {
    MutexLock lock(impl_->mutex);
    impl_->posted.reserve(kPostedRoom);
  }
  for (size_t i = 0; i < std::max<size_t>(threads, 1); ++i) {
    absl::StatusOr<std::thread> thread = StartThread(name, [this] { impl_->Run(this); });
    if (thread.ok()) {
      impl_->threads.push_back(*std::move(thread));
      continue;
    }
    if (!impl_->threads.empty()) break;
    fprintf(stderr, "weir: worker pool without a thread: %s\n", std::string(thread.status().message()).c_str());
    abort();  // work posted to it would never run
  }
}

WorkerPool::~WorkerPool() { Shutdown(); }

void WorkerPool::Post(std::function<void()> work) {
  MutexLock lock(impl_->mutex);
  if (impl_->shutdown) return;  // `work` is destroyed by the caller, after the lock is gone
  impl_->posted.push_back(std::move(work));
  impl_->changed.NotifyOne();
}

void WorkerPool::Shutdown() {
  {
    MutexLock lock(impl_->mutex);
    impl_->shutdown = true;
    impl_->changed.NotifyAll();
  }
  for (std::thread& thread : impl_->threads) {
    if (thread.joinable()) thread.join();
  }
}

size_t WorkerPool::threads() const { return impl_->threads.size(); }

}  // namespace weir::transport
