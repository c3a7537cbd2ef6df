// ChannelOptions: what may be set on a Channel. Plain values with working defaults.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "weir/rpc/client/load_balancer.h"
#include "weir/rpc/client/name_resolver.h"
#include "weir/rpc/client/service_config/service_config.h"
#include "weir/rpc/core/interceptor.h"
#include "weir/rpc/life/connection_options.h"
#include "weir/rpc/wire/compressors.h"
#include "weir/transport/h2/options.h"

namespace weir::transport {
class EventLoop;
}

namespace weir {

struct ChannelOptions {
  // The loop on which the channel lives. Null: the channel starts one thread of its own. A loop given here must outlive
  // the channel and be running.
  transport::EventLoop* loop = nullptr;

  // Put before weir's own user-agent.
  std::string user_agent_prefix;

  // The :authority of every call. Empty: host and port of the target; of a target of the program's own scheme what
  // follows the authority's slash ("greeters" of etcd://cluster/greeters); "localhost" where that is a path (unix:,
  // file:).
  std::string authority;

  // Timeout of calls that set none (CallOptions::Timeout).
  absl::Duration default_timeout = absl::InfiniteDuration();

  // What the owner of the service says about calls of it: ParseServiceConfig(json)
  // (service_config/parse_service_config.h). An error: every call fails with UNAVAILABLE and its text. Null: nothing.
  // A resolver of the program may find another one, which then counts instead.
  ServiceConfigResult service_config = std::shared_ptr<const ServiceConfig>();
  // False: what resolvers find does not count.
  bool use_resolver_service_config = true;

  // False: its retry and hedging policies do not count. Calls that the server says it has not looked at go elsewhere in
  // any case, unless CallOptions::NoRetry.
  bool enable_retries = true;

  // Call credentials (call_credentials/call_credentials.h) go over connections that are neither TLS nor local, too:
  // everybody on the way can read them, and be the caller. For tests, and networks that are secure by themselves.
  bool call_credentials_over_plaintext = false;

  // False: servers are not asked for their health, whatever the service config says (gRFC A17).
  bool enable_health_checks = true;

  // Run around every call, the first one outermost: rpc/core/interceptor.h. None may be null. They run on the channel's
  // loop; destroying the channel waits until they have returned.
  Interceptors interceptors;

  // Largest message accepted; a larger one ends its call with RESOURCE_EXHAUSTED.
  size_t max_receive_message_bytes = 4 * 1024 * 1024;

  // Largest message sent, before compression; a larger one ends its call with RESOURCE_EXHAUSTED. Never more than 2
  // GiB, protobuf's own limit.
  size_t max_send_message_bytes = SIZE_MAX;

  // Largest response head or trailers accepted, the protocol's own fields included: name + value + 32 bytes for each
  // field, and the number of fields. Announced to the server (SETTINGS_MAX_HEADER_LIST_SIZE). A larger one ends its
  // call with RESOURCE_EXHAUSTED, one over four times a limit the connection.
  uint32_t max_metadata_bytes = 16 * 1024;
  uint32_t max_metadata_fields = 128;

  // Content codings for messages: those that servers may answer in, all of them announced, and those that calls may
  // use.
  Compressors compressors;
  // How calls compress what they send, unless their CallOptions say otherwise: a name of `compressors`; empty: not at
  // all.
  std::string compression;

  // HTTP/2 receive windows: how much a server may send ahead of the application's reading in one call, and ahead of
  // this process in all calls of a connection.
  uint32_t stream_window_bytes = 256 * 1024;
  uint32_t connection_window_bytes = 1024 * 1024;

  // Bytes that may wait on a connection in calls which nobody reads before these calls hold up the others.
  size_t unread_bytes_max = 16 * 1024 * 1024;

  // What a server may cost by frames that bring no call forward. Errors name them as H2Options::settings and so on.
  transport::H2Budgets budgets;

  // Keepalive, and what servers must do in which time: rpc/life/connection_options.h.
  ClientConnectionOptions connection;

  // How calls are spread over the addresses of the target: "pick_first" (all to the first one that answers), or another
  // policy of rpc/client/balancing or of `load_balancers`. A service config that names one that is known counts for
  // more.
  LoadBalancingChoice load_balancing = {.policy = "pick_first", .config = {}};
  // Policies of the program, by name: rpc/client/load_balancer.h.
  LoadBalancers load_balancers;

  // Resolvers of the program, by the scheme of their targets: rpc/client/name_resolver.h.
  NameResolvers name_resolvers;

  // dns: targets are looked up again when a connection has failed, this long after the last answer at the earliest.
  absl::Duration dns_pause = absl::Seconds(30);
  // And so long after it even if none has failed: calls then find their way to new servers while the old ones work.
  absl::Duration dns_refresh = absl::InfiniteDuration();
  // file: targets are looked at this often.
  absl::Duration file_poll = absl::Seconds(1);

  // A channel without calls for so long closes its connections and forgets its addresses; the next call finds them
  // anew. Between one and two times as long after a call that was longer itself.
  absl::Duration idle_timeout = absl::Minutes(30);

  // Connections to one address at a time. A second one is made when the server's MAX_CONCURRENT_STREAMS leaves calls
  // waiting (gRFC A105). From 1 to 10; more counts as 10, and 0 as 1.
  uint32_t max_connections_per_address = 1;

  // One attempt to connect (TCP, and the server's first SETTINGS) may take this long, or as long as the pause after it
  // would be if that is longer; and so may the lookup of the addresses.
  absl::Duration connect_timeout = absl::Seconds(20);

  // HTTP proxies (gRFC A1): of the environment, when the channel is made (grpc_proxy, https_proxy, http_proxy;
  // exceptions: no_grpc_proxy, no_proxy), or this one, "http://[user:password@]host[:port]". Not for Unix sockets,
  // file: and the program's own resolvers: proxy/README.md. `use_proxy` false: neither.
  bool use_proxy = true;
  std::string http_proxy;

  // Pause between the beginnings of two attempts at one address: initial, times 1.6 for each further one, at most max,
  // +-20 % (gRPC connection-backoff). Calls made in the pause fail at once with the last error, unless they wait
  // (CallOptions::WaitForReady).
  absl::Duration backoff_initial = absl::Seconds(1);
  absl::Duration backoff_max = absl::Seconds(120);
};

}  // namespace weir
