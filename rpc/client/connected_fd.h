// ConnectedFd: a server at the other end of a descriptor that is connected already: by socketpair, by a supervisor, by
// a tunnel.
//
//   weir::Channel channel(weir::ConnectedFd(fd, weir::InsecureChannelCredentials()));
#pragma once

#include "weir/rpc/client/channel_endpoint.h"
#include "weir/rpc/client/credentials.h"

namespace weir {

// For one channel, which owns `fd` from now on. It must be a connected TCP or Unix stream socket: if not, calls fail
// with UNAVAILABLE and what it is. When the connection has ended there is no other, and calls fail likewise.
ChannelEndpoint ConnectedFd(int fd, ChannelCredentials credentials);

}  // namespace weir
