// LoadBalancingPolicy: which addresses of a channel are connected to, and which call goes where.
//
//   resolver --addresses--> LoadBalancingPolicy --CreateSubchannel, RequestConnection--> Subchannel
//   call ----------------->     its Picker      --Pick------------------------------------^
//
// A policy has one Subchannel for each address that it wants to use, watches their states, and gives the channel its
// own state and a Picker whenever one of them changes. weir's own policies (balancing/) use this interface, too.
//
//   options.load_balancers["nearest"] = [](weir::LoadBalancingHelper& helper, const weir::JsonValue& config) { ... };
//   options.load_balancing = {.policy = "nearest"};
//
// Everything happens on the channel's loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/rpc/client/call_watcher.h"
#include "weir/rpc/client/connectivity_state.h"
#include "weir/rpc/client/server_address.h"
#include "weir/rpc/client/service_config/json_value.h"
#include "weir/rpc/core/metadata.h"
#include "weir/transport/io/executor.h"

namespace weir::transport {
class EventLoop;
}

namespace weir {

class Backend;

// One address: connected to when wanted, with gRPC's back-off, and shared by whoever in the channel uses it.
class Subchannel {
 public:
  virtual ~Subchannel() = default;

  virtual const ServerAddress& address() const = 0;
  virtual ConnectivityState state() const = 0;
  // Of kTransientFailure: why, and when the pause is over (kIdle follows).
  virtual const absl::Status& failure() const = 0;
  virtual transport::MonotonicTime pause_ends() const = 0;

  // Connects, if it is kIdle. Otherwise nothing.
  virtual void RequestConnection() = 0;

  // Calls that have a stream here, or wait for one.
  virtual size_t call_count() const = 0;

  // For the channel: where calls are placed.
  virtual Backend& backend() = 0;
};

class SubchannelWatcher {
 public:
  // The state has changed. The subchannel may be let go inside, and new ones made.
  virtual void OnSubchannelState(Subchannel& subchannel) = 0;

 protected:
  ~SubchannelWatcher() = default;
};

// A call, as far as a policy may look at it. Views: for the time of one Pick.
struct PickRequest {
  std::string_view path;               // "/package.Service/Method"
  const Metadata* metadata = nullptr;  // of the request; null: none
  transport::MonotonicTime now;
};

// What becomes of it.
class Pick {
 public:
  enum class Kind : uint8_t { kSubchannel, kQueue, kFail, kDrop };

  // A subchannel that is kReady. If it is full, the call waits for a place there; if it is not kReady any more, the
  // call is picked for again.
  // `watcher` not null: hears how the call ends.
  static Pick Use(Subchannel& subchannel, std::unique_ptr<CallWatcher> watcher = nullptr) {
    Pick pick(Kind::kSubchannel, &subchannel, {});
    pick.watcher_ = std::move(watcher);
    return pick;
  }
  // Waits for the next Picker.
  static Pick Queue() { return Pick(Kind::kQueue, nullptr, {}); }
  // Fails, unless it waits for a server (CallOptions::WaitForReady): then kQueue.
  static Pick Fail(absl::Status why) { return Pick(Kind::kFail, nullptr, std::move(why)); }
  // Fails in any case.
  static Pick Drop(absl::Status why) { return Pick(Kind::kDrop, nullptr, std::move(why)); }

  Kind kind() const { return kind_; }
  Subchannel* subchannel() const { return subchannel_; }
  const absl::Status& status() const { return status_; }
  std::unique_ptr<CallWatcher> TakeWatcher() { return std::move(watcher_); }

 private:
  Pick(Kind kind, Subchannel* subchannel, absl::Status status)
      : kind_(kind), subchannel_(subchannel), status_(std::move(status)) {}

  Kind kind_;
  Subchannel* subchannel_;
  absl::Status status_;
  std::unique_ptr<CallWatcher> watcher_;
};

class Picker {
 public:
  virtual ~Picker() = default;
  virtual Pick PickFor(const PickRequest& request) = 0;
  // Not null: every call goes to this subchannel, and nobody needs to be asked. Constant.
  virtual Subchannel* always() const { return nullptr; }
};

// What it takes for a subchannel to be kReady.
enum class ReadyWhen : uint8_t {
  kHealthy,    // a connection, and nothing that speaks against the server: health checks (gRFC A17), ejection (A50)
  kConnected,  // a connection: for policies that have nowhere else to go
};

// What the channel does for its policy; outlives it.
class LoadBalancingHelper {
 public:
  // `watcher` null: nobody is told. A policy lets go of the subchannel before the watcher goes.
  virtual std::unique_ptr<Subchannel> CreateSubchannel(const ServerAddress& address, ReadyWhen ready_when,
                                                       SubchannelWatcher* watcher) = 0;
  // The channel is in this state from now on, and picks by `picker`: in the next turn of the loop also for the calls
  // that wait. The subchannels that the picker names must be there until the next UpdateState, or the policy's end.
  virtual void UpdateState(ConnectivityState state, std::unique_ptr<Picker> picker) = 0;
  // The addresses do not seem to be good.
  virtual void RequestReresolution() = 0;
  virtual transport::EventLoop& loop() = 0;
  // In [0, 2^32), evenly.
  virtual uint32_t Random() = 0;

 protected:
  ~LoadBalancingHelper() = default;
};

class LoadBalancingPolicy {
 public:
  virtual ~LoadBalancingPolicy() = default;

  // New addresses, at least one. UpdateState must follow, inside or later.
  virtual void Update(const std::vector<ServerAddress>& addresses) = 0;

  // A call waits, or somebody wants a connection, and the state is kIdle.
  virtual void ExitIdle() = 0;
};

// `config` is an object, or null: the policy's defaults. An error says what is wrong with it (INVALID_ARGUMENT).
using LoadBalancingFactory = std::function<absl::StatusOr<std::unique_ptr<LoadBalancingPolicy>>(
    LoadBalancingHelper& helper, const JsonValue& config)>;
using LoadBalancers = std::map<std::string, LoadBalancingFactory, std::less<>>;

}  // namespace weir
