// ChannelCore: the part of a channel that lives on its loop. Finds the addresses, has a policy connect to them, and
// gives calls to the connections that the policy picks.
//
//   NameResolver --addresses--> LoadBalancingPolicy --state, Picker--> ChannelCore --Place--> Backend -->
// ClientConnection
//
// States are those of gRPC's connectivity-semantics. kIdle means that there is neither resolver nor policy, or that the
// policy is idle; a call, or whoever wants a connection, ends it. The policy's states are acted upon in the turn of the
// loop that follows: no call is placed, and nobody is told, from inside a policy.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/rpc/client/backend.h"
#include "weir/rpc/client/backoff.h"
#include "weir/rpc/client/balancing/policy_switch.h"
#include "weir/rpc/client/channel_config.h"
#include "weir/rpc/client/channel_options.h"
#include "weir/rpc/client/channel_retries.h"
#include "weir/rpc/client/connectivity_state.h"
#include "weir/rpc/client/credentials.h"
#include "weir/rpc/client/health/backend_health.h"
#include "weir/rpc/client/load_balancer.h"
#include "weir/rpc/client/name_resolver.h"
#include "weir/rpc/client/stream_request.h"
#include "weir/rpc/client/stream_source.h"
#include "weir/rpc/client/target.h"
#include "weir/rpc/core/why.h"
#include "weir/transport/io/dns.h"
#include "weir/transport/io/event_loop.h"

namespace weir {

class ClientCall;
class StateChangeOperation;

class ChannelCore final : public std::enable_shared_from_this<ChannelCore>,
                          private NameResolverListener,
                          private LoadBalancingHelper,
                          private BackendOwner {
 public:
  // `target` not OK: every call ends with that status. `source` not null: connections come from there, whatever the
  // target; only a resolver of `options` for its scheme is asked for addresses. `lookups` are for dns: targets.
  ChannelCore(transport::EventLoop& loop, std::string text, absl::StatusOr<Target> target, ChannelOptions options,
              std::unique_ptr<StreamSource> source = nullptr,
              const ChannelCredentials& credentials = InsecureChannelCredentials(),
              transport::ResolverOptions lookups = {});
  ~ChannelCore();

  transport::EventLoop& loop() override { return loop_; }
  const std::string& target() const { return text_; }
  const ChannelOptions& options() const { return options_; }  // constant: any thread
  // Of every call; null: none. Constant: any thread.
  const std::shared_ptr<const CallCredentialsList>& call_credentials() const { return call_credentials_; }

  const ChannelConfig& config() const { return config_; }
  ChannelRetries& retries() { return retries_; }

  // ---- calls
  // Opens a stream on a connection, now or when there is one; or says that there is none.
  void Place(std::shared_ptr<StreamRequest> request) {
    last_call_at_ = loop_.Now();
    if (always_ != nullptr) return always_->Place(std::move(request));
    PlaceByPick(std::move(request));
  }
  // `call` begins (OnConfig) when the resolver has said what the config is; or hears that it does not.
  void AwaitConfig(std::shared_ptr<ClientCall> call);
  // It waits no more.
  void Forget(const StreamRequest& request);
  // How far a request that has no stream is.
  Why::Phase WaitingPhase(const StreamRequest& request) const;
  // "; " and why it has none, if the channel knows: what a call that does not wait for a server would have failed with.
  std::string WaitingReason(const StreamRequest& request) const;
  // Calls that wait while every connection that they may use has as many as its server allows. Any thread.
  size_t queued_call_count() const { return environment_.queued_calls.load(std::memory_order_relaxed); }

  // ---- state
  ConnectivityState state() const { return state_.load(std::memory_order_relaxed); }  // any thread
  // Leaves kIdle.
  void Connect();
  // Pauses after failures are over.
  void ResetConnectBackoff();
  void WatchState(StateChangeOperation& watcher) { state_watchers_.push_back(&watcher); }
  void ForgetState(StateChangeOperation& watcher) { std::erase(state_watchers_, &watcher); }

  // ---- the end
  // Ends every call, and begins to close every connection. Calls placed afterwards end at once.
  void Shutdown();
  // After Shutdown, in another turn of the loop: nothing of the channel is left on it.
  void DropConnections();

  // The interceptors of a call run on the loop. `done` is called when those of no call do, perhaps at once.
  void OnInterceptorsStarted() { ++calls_intercepted_; }
  void OnInterceptorsReturned();
  // An interceptor has answered the call, which waits for its reader: nothing but this list knows of it here.
  void OnReplied(ClientCall& call) { replied_.push_back(&call); }
  void ForgetReplied(ClientCall& call) { std::erase(replied_, &call); }
  void WhenNoInterceptorRuns(std::function<void()> done);

  const KeepaliveTime& keepalive_time() const { return environment_.keepalive_time; }
  const PeerCounts& peer_counts() const { return environment_.peer_counts; }

  // Uses a stream that somebody else has connected for the next connection, and connects: a test's peer in memory.
  void Adopt(std::unique_ptr<transport::ByteStream> stream, uint32_t first_stream_id = 1);

  // Connects by this from now on: a test's network. Before the first connection.
  void UseConnector(std::unique_ptr<Connector> connector) { environment_.connector = std::move(connector); }

  // What the channel holds now: requests that wait for a place, calls that wait for their
  // next attempt, streams, and bytes that no socket took.
  size_t waiting_count() const;
  size_t stream_count() const;
  size_t ended_stream_count() const;
  size_t buffered_bytes() const;

 private:
  template <class Watched>
  class SubchannelOf;

  void BeginCalls();
  void PlaceByPick(std::shared_ptr<StreamRequest> request);
  // False: it has to wait.
  bool TryPick(std::shared_ptr<StreamRequest>& request);
  bool WaitsForPicker(const StreamRequest& request) const;
  void PlaceWaiting();
  void FailWaiting(const absl::Status& why);

  void ExitIdle();
  void EnterIdle();
  void OnIdleTimer();
  void BeginResolution();
  // An error: the config cannot be used, and nothing has changed.
  absl::Status Use(const std::shared_ptr<const ServiceConfig>& config, const std::vector<ServerAddress>& addresses);
  void OnResolutionTimeout();
  void OnResolutionFailed(const absl::Status& why);
  void SetState(ConnectivityState state, std::shared_ptr<Picker> picker);
  void OnChanged();
  void DropPolicy();

  // NameResolverListener
  void OnResolution(absl::StatusOr<Resolution> resolution) override;
  // LoadBalancingHelper
  std::unique_ptr<Subchannel> CreateSubchannel(const ServerAddress& address, ReadyWhen ready_when,
                                               SubchannelWatcher* watcher) override;
  void UpdateState(ConnectivityState state, std::unique_ptr<Picker> picker) override;
  void RequestReresolution() override;
  uint32_t Random() override;
  // BackendOwner
  void OnStranded(StreamRequests requests) override;
  // Resolver, policy or a backend is in the middle of something. All of them are made anew in the next turn:
  // connections are drained, calls that wait go on waiting.
  void OnNoMemory() noexcept override;
  template <class Step>
  void OrStartOver(Step step);
  void TakeResolution(absl::StatusOr<Resolution> resolution);

  std::shared_ptr<Backend> BackendFor(const transport::SocketAddress& address);
  std::shared_ptr<BackendHealth> HealthOf(const std::shared_ptr<Backend>& backend, const std::string& service);
  size_t health_watch_count() const;
  std::vector<std::shared_ptr<Backend>> Backends() const;
  template <class Measure>
  size_t SumOverConnections(Measure measure) const;

  transport::EventLoop& loop_;
  const std::string text_;
  const absl::StatusOr<Target> target_;
  const ChannelOptions options_;
  const std::shared_ptr<const CallCredentialsList> call_credentials_;
  const transport::ResolverOptions lookups_;
  const bool has_source_;
  ChannelConfig config_;

  Backend* always_ = nullptr;  // every call goes here
  transport::MonotonicTime last_call_at_{};
  std::atomic<ConnectivityState> state_ = ConnectivityState::kIdle;
  std::shared_ptr<Picker> picker_;                         // null: nothing is known yet, calls wait
  std::vector<std::shared_ptr<ClientCall>> unconfigured_;  // wait for config_
  StreamRequests waiting_;                                 // for another picker
  StreamRequests picking_;    // not empty in PlaceWaiting only: those for which there is one
  transport::Timer changed_;  // there is something for OnChanged
  std::vector<StateChangeOperation*> state_watchers_;

  // Backends are shared by the subchannels of their address, and go with the last of them.
  BackendEnvironment environment_;
  std::map<std::string, std::weak_ptr<Backend>> backends_;
  // By address and service; of those whose health is checked.
  std::map<std::pair<std::string, std::string>, std::weak_ptr<BackendHealth>> healths_;
  PolicySwitch policies_;  // empty: no addresses have come since the channel was idle

  std::unique_ptr<NameResolver> resolver_;  // null: idle
  transport::Timer resolution_timer_;       // until the first answer: its limit; after an error: the pause
  bool resolving_ = false;                  // no answer has come to the last question
  bool start_over_ = false;                 // see OnNoMemory
  Backoff resolution_backoff_;
  std::string config_error_;  // that has been told
  transport::Timer idle_timer_;

  size_t calls_intercepted_ = 0;
  std::vector<ClientCall*> replied_;
  std::function<void()> when_no_interceptor_runs_;
  ChannelRetries retries_;
};

}  // namespace weir
