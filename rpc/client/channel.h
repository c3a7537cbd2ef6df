// Channel: a server by name. Finds it, connects when the first call is made, reconnects, and carries the calls of any
// number of clients and threads.
//
//   weir::Channel channel("dns:///greeter.internal:50051", weir::InsecureChannelCredentials());
//   GreeterClient greeter(channel);
//
// A channel lives on one loop: its own thread, or ChannelOptions::loop. Making one does nothing yet; a target that
// cannot be parsed makes every call fail with INVALID_ARGUMENT. Destroying a channel ends its calls with CANCELLED, and
// waits for their interceptors to return; clients and calls made with it may be destroyed after it, but not used. Not
// from its own loop's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "weir/rpc/client/call_options.h"
#include "weir/rpc/client/channel_options.h"
#include "weir/rpc/client/connectivity_state.h"
#include "weir/rpc/client/credentials.h"
#include "weir/rpc/client/state_change.h"
#include "weir/rpc/core/method.h"
#include "weir/rpc/core/task.h"
#include "weir/rpc/life/timeout.h"
#include "weir/transport/h2/limit.h"
#include "weir/transport/io/executor.h"

namespace weir {

class ClientCallPtr;
class OutgoingMessage;
struct ChannelEndpoint;

enum class TryToConnect : uint8_t { kNo, kYes };

class Channel {
 public:
  Channel(std::string_view target, ChannelCredentials credentials);
  Channel(std::string_view target, ChannelCredentials credentials, ChannelOptions options);
  // To a server that has no name: weir::InProcess(server), weir::ConnectedFd(fd).
  explicit Channel(ChannelEndpoint endpoint);
  Channel(ChannelEndpoint endpoint, ChannelOptions options);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  const std::string& target() const;

  // Where the channel lives: a coroutine that runs there calls without changing threads (see Run).
  transport::Executor& executor();

  // What the channel can do for a call now. Any thread. `connect` kYes: leaves kIdle as a call would.
  ConnectivityState state(TryToConnect connect = TryToConnect::kNo);
  // Waits until the state is another one than `from`, and gives that: state_change.h.
  StateChangeOperation StateChange(ConnectivityState from);
  // Calls that wait while every connection to the server that is to have them carries as many as it allows
  // (MAX_CONCURRENT_STREAMS): more connections (ChannelOptions::max_connections_per_address) or servers would help. Any
  // thread.
  size_t queued_call_count() const;
  // How often a server let the time pass that it has for something, and its connection ended for it. Any thread.
  uint64_t timeout_count(Timeout which) const;
  // How many connections ended because their server went beyond this limit (ChannelOptions::budgets). Any thread.
  uint64_t limit_count(transport::H2Limit which) const;
  // Pauses after failures to connect are over: it is tried again at once. For a program that knows that the network is
  // back. Any thread.
  void ResetConnectBackoff();

  // Runs `task` on the channel's loop, detached. Any thread.
  void Run(Task<void> task);

  // For generated code: starts a call. `request` null: the application will write. Any thread.
  ClientCallPtr StartCall(const MethodSpec& method, const CallOptions& options, const OutgoingMessage* request);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir
