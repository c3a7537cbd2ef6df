// Dispatcher: from a path to its handler, among few methods and many.
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "weir/rpc/core/method.h"
#include "weir/rpc/server/dispatcher.h"
#include "weir/rpc/server/service.h"

namespace bench {
namespace {

class ManyMethods final : public weir::Service {
 public:
  explicit ManyMethods(int64_t count) {
    for (int64_t i = 0; i < count; ++i) paths_.push_back(absl::StrCat("/package", i / 10, ".Service/Method", i % 10));
    for (const std::string& path : paths_) methods_.push_back({.spec = {.path = path}, .handler = nullptr});
  }
  std::span<const weir::ServerMethod> methods() const override { return methods_; }

 private:
  std::vector<std::string> paths_;
  std::vector<weir::ServerMethod> methods_;
};

// Paths as they come from a connection: equal to those of the methods, but elsewhere in memory, and in no order.
std::vector<std::string> RequestedPaths(const weir::Service& service) {
  std::vector<std::string> paths;
  std::minstd_rand random(1);
  for (int i = 0; i < 4096; ++i) paths.emplace_back(service.methods()[random() % service.methods().size()].spec.path);
  return paths;
}

void Dispatch(benchmark::State& state) {
  ManyMethods service(state.range(0));
  weir::Dispatcher dispatcher;
  if (!dispatcher.Add(service).ok()) state.SkipWithError("expected the service to be added");
  const std::vector<std::string> paths = RequestedPaths(service);
  size_t next = 0;
  for (auto _ : state) {
    if (dispatcher.Find(paths[next]).method == nullptr) {
      state.SkipWithError("expected every method to be found");
      break;
    }
    next = (next + 1) % paths.size();
  }
}
BENCHMARK(Dispatch)->ArgName("methods")->Arg(1)->Arg(100)->Arg(10000);

void DispatchUnknown(benchmark::State& state) {
  ManyMethods service(state.range(0));
  weir::Dispatcher dispatcher;
  if (!dispatcher.Add(service).ok()) state.SkipWithError("expected the service to be added");
  for (auto _ : state) benchmark::DoNotOptimize(dispatcher.Find("/package.Service/Method"));
}
BENCHMARK(DispatchUnknown)->ArgName("methods")->Arg(1)->Arg(10000);

}  // namespace
}  // namespace bench
