// ParentCall: a call as those see it that are made on its behalf: what they inherit.
//
//   greeter.SayHello(request, weir::CallOptions().Parent(context))       // in a handler with this context
//
// A server's context is one. A program that makes calls for something else than a call, a job with an end say, may
// implement its own.
#pragma once

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
  virtual const Metadata& metadata() const = 0;
  // Told when the call is cancelled; outlives the call.
  virtual std::stop_token stop_token() const = 0;

 protected:
  ~ParentCall() = default;
};

}  // namespace weir
