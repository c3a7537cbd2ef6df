// WorkerPool: a fixed number of threads for work that blocks.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "weir/transport/io/executor.h"

namespace weir::transport {

class WorkerPool final : public Executor {
 public:
  // Starts `threads` threads (at least one; fewer than asked if the system refuses, see threads()), each named `name`.
  explicit WorkerPool(size_t threads, const std::string& name = "weir-worker");
  ~WorkerPool() override;  // Shutdown()

  // First posted, first begun. After Shutdown has begun the work is destroyed, not run.
  void Post(std::function<void()> work) override;

  // Runs what was posted before, then ends and joins the threads. Not from one of them.
  void Shutdown();

  size_t threads() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::transport
