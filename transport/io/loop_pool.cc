#include "weir/transport/io/loop_pool.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "weir/transport/io/thread.h"

namespace weir::transport {

struct LoopPool::Impl {
  std::vector<std::unique_ptr<EpollLoop>> loops;
  std::vector<std::thread> threads;
  std::atomic<size_t> next{0};
};

absl::StatusOr<std::unique_ptr<LoopPool>> LoopPool::Start(size_t loops, const std::string& name) {
  auto impl = std::make_unique<Impl>();
  for (size_t i = 0; i < std::max<size_t>(loops, 1); ++i) {
    absl::StatusOr<std::unique_ptr<EpollLoop>> loop = EpollLoop::Create();
    if (!loop.ok()) return loop.status();
    impl->loops.push_back(*std::move(loop));
  }
  std::unique_ptr<LoopPool> pool(new LoopPool(std::move(impl)));  // joins what has been started if the rest fails
  for (const std::unique_ptr<EpollLoop>& loop : pool->impl_->loops) {
    absl::StatusOr<std::thread> thread = StartThread(name, [loop = loop.get()] { loop->Run(); });
    if (!thread.ok()) return thread.status();
    pool->impl_->threads.push_back(*std::move(thread));
  }
  return pool;
}

LoopPool::LoopPool(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

LoopPool::~LoopPool() {
  Stop();
  Join();
}

EpollLoop& LoopPool::Next() { return *Loop(impl_->next.fetch_add(1, std::memory_order_relaxed) % size()); }

size_t LoopPool::size() const { return impl_->loops.size(); }

void LoopPool::Stop() {
  for (const std::unique_ptr<EpollLoop>& loop : impl_->loops) loop->Stop();
}

void LoopPool::Join() {
  for (std::thread& thread : impl_->threads) {
    if (thread.joinable()) thread.join();
  }
}

EpollLoop* LoopPool::Loop(size_t index) { return impl_->loops[index].get(); }

}  // namespace weir::transport
