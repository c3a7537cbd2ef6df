// ChannelEndpoint: a server as a channel sees it that does not find it by name.
#pragma once

#include <memory>
#include <string>

#include "weir/rpc/client/credentials.h"
#include "weir/rpc/client/stream_source.h"
#include "weir/transport/io/loop_pool.h"

namespace weir {

struct ChannelEndpoint {
  std::string name;       // in error texts, and Channel::target()
  std::string authority;  // :authority, unless ChannelOptions::authority says another
  // Of ChannelOptions::name_resolvers: where the addresses come from that `source` connects to. Empty: there is one
  // server, without an address.
  std::string scheme;
  std::unique_ptr<StreamSource> source;
  ChannelCredentials credentials = InsecureChannelCredentials();
  // Not null: the loop on which the channel has to live, ChannelOptions::loop notwithstanding, and what keeps it
  // running.
  transport::EventLoop* loop = nullptr;
  std::shared_ptr<transport::LoopPool> loops;
};

}  // namespace weir
