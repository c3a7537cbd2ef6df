#include "weir/tests/benchmark/extra_methods.h"

#include "absl/status/status.h"

namespace bench {
namespace {

weir::Task<absl::Status> Serve(weir::Service& service, weir::ServerCall& call) {
  co_return absl::UnimplementedError("bench.Extra: expected no call; call bench.Echo");
}

}  // namespace

ExtraMethods::ExtraMethods(size_t count) {
  paths_.reserve(count);  // the specs point into it
  for (size_t i = 0; i < count; ++i) {
    paths_.push_back("/bench.Extra/Method" + std::to_string(i));
    methods_.push_back({.spec = {.path = paths_.back(), .kind = weir::CallKind::kUnary}, .handler = &Serve});
  }
}

}  // namespace bench
