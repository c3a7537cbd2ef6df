// Channel: a server by name. Finds it, connects when the first call is made, reconnects, and carries the calls of any
// number of clients and threads.
//
//   weir::Channel channel("dns:///greeter.internal:50051", weir::InsecureChannelCredentials());
//   GreeterClient greeter(channel);
//
// A channel lives on one loop: its own thread, or ChannelOptions::loop. Making one does nothing yet; a target that cannot
// be parsed makes every call fail with INVALID_ARGUMENT. Destroying a channel ends its calls with CANCELLED, and waits for
// their interceptors to return; clients and calls made with it may be destroyed after it, but not used. Not from its own
// loop's thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "weir/rpc/client/call_options.h"
#include "weir/rpc/client/channel_options.h"
#include "weir/rpc/client/client_call.h"
#include "weir/rpc/client/credentials.h"
#include "weir/rpc/core/method.h"
#include "weir/rpc/core/outgoing_message.h"
#include "weir/rpc/core/task.h"
#include "weir/transport/io/executor.h"

namespace weir {

struct ChannelEndpoint;

class Channel {
 public:
  Channel(std::string_view target, ChannelCredentials credentials, ChannelOptions options = {});
  // To a server that has no name: weir::InProcess(server), weir::ConnectedFd(fd).
  explicit Channel(ChannelEndpoint endpoint, ChannelOptions options = {});
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  const std::string& target() const;

  // Where the channel lives: a coroutine that runs there calls without changing threads (see Run).
  transport::Executor& executor();

  // Runs `task` on the channel's loop, detached. Any thread.
  void Run(Task<void> task);

  // For generated code: starts a call. `request` null: the application will write. Any thread.
  ClientCallPtr StartCall(const MethodSpec& method, const CallOptions& options, const OutgoingMessage* request);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir
