// ParentCall: a call as those see it that are made on its behalf: what they inherit.
//
//   greeter.SayHello(request, weir::CallOptions().Parent(context))       // in a handler with this context
//
// A server's context is one. A program that makes calls for something else than a call, a job with an end say, may
// implement its own.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string_view>

#include "absl/time/time.h"
#include "weir/rpc/core/metadata.h"

namespace weir {

class ParentCall {
 public:
  // Its name in errors, "/package.Service/Method".
  virtual std::string_view method() const = 0;
  // InfiniteFuture: none.
  virtual absl::Time deadline() const = 0;
  // The same by a clock that nobody sets, max(): none. nullopt: only deadline() is known, and calls on its behalf end
  // early or late if the wall clock is set before they are made.
  virtual std::optional<std::chrono::steady_clock::time_point> monotonic_deadline() const { return std::nullopt; }
  virtual const Metadata& metadata() const = 0;
  // Told when the call is cancelled; outlives the call.
  virtual std::stop_token stop_token() const = 0;

 protected:
  ~ParentCall() = default;
};

}  // namespace weir
