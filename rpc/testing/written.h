// Written: what a client wrote to a scripted call.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "weir/rpc/wire/bytes.h"

namespace weir::testing {
namespace internal {

// Takes messages on the thread on which a script is played.
class WrittenSink {
 public:
  virtual ~WrittenSink() = default;
  virtual void Add(const Bytes& message) = 0;
};

}  // namespace internal

template <class Request>
class Written {
 public:
  // Those that have arrived; all of them once the call has finished.
  std::vector<Request> messages() const {
    std::lock_guard lock(sink_->mutex);
    return sink_->messages;
  }

  // For scripts.
  std::shared_ptr<internal::WrittenSink> sink() const { return sink_; }

 private:
  struct Sink final : internal::WrittenSink {
    void Add(const Bytes& message) override {
      Request parsed;
      parsed.ParseFromString(message.data());
      std::lock_guard lock(mutex);
      messages.push_back(std::move(parsed));
    }
    std::mutex mutex;
    std::vector<Request> messages;
  };

  // A call that was dropped may be played on for a while.
  const std::shared_ptr<Sink> sink_ = std::make_shared<Sink>();
};

}  // namespace weir::testing
