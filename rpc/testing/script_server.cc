// The server that plays the scripts of mocked clients, in this process.
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "weir/rpc/in_process/in_process.h"
#include "weir/rpc/server/generic_service.h"
#include "weir/rpc/server/server.h"
#include "weir/testing/play_client.h"

namespace weir::testing::internal {
namespace {

constexpr char kPlanKey[] = "weir-testing-plan";

// Each call says by its metadata which plan is its own.
class ScriptService final : public GenericService {
 public:
  std::string Add(const Plan& plan) {
    std::lock_guard lock(mutex_);
    std::string key = std::to_string(++last_);
    plans_.emplace(key, plan);
    return key;
  }

  Task<absl::Status> Call(ServerContext& context, Reader<Bytes>& reader, Writer<Bytes>& writer) override {
    std::optional<Plan> plan = Take(context.metadata().Get(kPlanKey));
    if (!plan.has_value()) {
      co_return absl::FailedPreconditionError(
          "this is a copy of a mock, which has no expectations: expected code that takes the client by reference");
    }
    Task<absl::Status> playing = Play(*std::move(plan), context, &reader, &writer);
    co_return co_await std::move(playing);
  }

 private:
  std::optional<Plan> Take(std::optional<std::string_view> key) {
    std::lock_guard lock(mutex_);
    if (!key.has_value()) return std::nullopt;
    const auto node = plans_.extract(std::string(*key));
    if (node.empty()) return std::nullopt;
    return std::move(node.mapped());
  }

  std::mutex mutex_;
  uint64_t last_ = 0;
  std::map<std::string, Plan> plans_;
};

struct ScriptServer {
  ScriptServer() : server(OneLoop()), channel(InProcess(Serving(server, service))) {}

  static ServerOptions OneLoop() {
    ServerOptions options;
    options.loop_threads = 1;
    return options;
  }
  static Server& Serving(Server& server, Service& service) {
    server.AddService(service);
    return server;
  }

  ScriptService service;
  Server server;
  Channel channel;
};

// Never destroyed: a test's static objects may hold calls.
ScriptServer& TheServer() {
  static auto* const server = new ScriptServer;
  return *server;
}

}  // namespace

Channel& ScriptChannel() { return TheServer().channel; }

CallOptions WithPlan(const CallOptions& options, const Plan& plan) {
  CallOptions result = options;
  result.Metadata(kPlanKey, TheServer().service.Add(plan));
  return result;
}

}  // namespace weir::testing::internal
