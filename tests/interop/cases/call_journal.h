// CallJournal: what a Features server remembers of the handlers of Hold and Flood, for Observe. Any thread.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "tests/interop/cases/features.pb.h"

namespace weir::interop {

enum class HandlerEnd { kInOrder, kCancelled };

class CallJournal {
 public:
  void Begin(const std::string& call_id) {
    const std::lock_guard lock(mutex_);
    Observation& call = calls_[call_id];
    call.set_known(true);
    call.set_running(true);
  }

  void Sent(const std::string& call_id) {
    const std::lock_guard lock(mutex_);
    Observation& call = calls_[call_id];
    call.set_sent(call.sent() + 1);
  }

  void End(const std::string& call_id, HandlerEnd how) {
    const std::lock_guard lock(mutex_);
    Observation& call = calls_[call_id];
    call.set_running(false);
    call.set_cancelled(how == HandlerEnd::kCancelled);
  }

  Observation Observe(const std::string& call_id) const {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(call_id);
    return found == calls_.end() ? Observation() : found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Observation> calls_;
};

}  // namespace weir::interop
