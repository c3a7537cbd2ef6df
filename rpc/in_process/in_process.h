// InProcess: a server in the same process as a channel sees it: without sockets.
//
//   weir::Server server;
//   server.AddService(greeter);
//   weir::Channel channel(weir::InProcess(server));
//
// Everything but the socket is as over TCP: HTTP/2, flow control, deadlines, GOAWAY. The server need not Listen.
// The channel lives on one of the server's loops, where its connection's other end is: a call changes threads only
// between the caller's thread and that loop. So ChannelOptions::loop has no effect, and the channel may not be
// destroyed on a loop of the server.
// Server and channel may be destroyed in any order: calls made after the server has gone fail with UNAVAILABLE.
#pragma once

#include "weir/rpc/client/channel.h"
#include "weir/rpc/client/channel_endpoint.h"
#include "weir/rpc/server/server.h"

namespace weir {

// For one channel. Any thread; but, as all that is done to a Server, not while it is being drained or destroyed. If the
// server cannot start (a method is served twice), calls fail with UNAVAILABLE and the reason.
ChannelEndpoint InProcess(Server& server);

}  // namespace weir
