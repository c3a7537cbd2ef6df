// EtcdResolver: etcd:///prefix: the servers that have registered below a prefix in etcd, as they come and go.
//
//   weir::Channel etcd("etcd.internal:2379", weir::InsecureChannelCredentials());     // outlives the others
//   weir::ChannelOptions options;
//   options.name_resolvers["etcd"] = EtcdResolver(etcd);
//   options.load_balancing.policy = "round_robin";
//   weir::Channel channel("etcd:///greeters/", weir::InsecureChannelCredentials(), options);
//
// The value of each key below the prefix is an address, "10.0.0.7:50051" (registration.h writes it). What is there is
// read once, and from that revision on etcd tells what changes. If it cannot, the channel goes on with the addresses
// that it has, and asks again after its usual pauses.
#pragma once

#include "weir/rpc/client/channel.h"
#include "weir/rpc/client/name_resolver.h"

weir::NameResolverFactory EtcdResolver(weir::Channel& etcd);
