// StartThread: a named thread, or the reason why there is none.
#pragma once

#include <pthread.h>

#include <functional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace weir::transport {

inline absl::StatusOr<std::thread> StartThread(const std::string& name, std::function<void()> run) {
  try {
    return std::thread([short_name = name.substr(0, 15), run = std::move(run)] {  // Linux keeps 15 characters
      ::pthread_setname_np(::pthread_self(), short_name.c_str());
      run();
    });
  } catch (const std::system_error& error) {
    return absl::ResourceExhaustedError("start thread \"" + name + "\": " + error.code().message());
  }
}

}  // namespace weir::transport
