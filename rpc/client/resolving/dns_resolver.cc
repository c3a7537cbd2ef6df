#include "weir/rpc/client/resolving/dns_resolver.h"

#include <algorithm>
#include <utility>

#include "weir/rpc/client/channel_options.h"
#include "weir/rpc/client/target.h"
#include "weir/rpc/core/deadline.h"

namespace weir {

DnsResolver::DnsResolver(const NameResolverArgs& args, transport::ResolverOptions lookups)
    : args_(args), lookups_(std::move(lookups)), ask_(args.loop, [this] { Ask(); }) {}

void DnsResolver::RequestReresolution() {
  if (query_ != nullptr) return;
  const transport::MonotonicTime when = std::max(args_.loop.Now(), not_before_);
  if (!ask_.IsSet() || when < ask_.due()) ask_.Set(when);
}

void DnsResolver::Ask() {
  ask_.Cancel();
  query_ =
      lookups_.Resolve(args_.loop, args_.target.host, args_.target.port,
                       [this](absl::StatusOr<transport::Resolver::Addresses> answer) { OnAnswer(std::move(answer)); });
}

void DnsResolver::OnAnswer(absl::StatusOr<transport::Resolver::Addresses> answer) {
  query_.reset();
  if (!answer.ok()) return args_.listener.OnResolution(answer.status());
  not_before_ = TimeAfter(args_.loop.Now(), args_.options.dns_pause);
  if (args_.options.dns_refresh != absl::InfiniteDuration()) {
    ask_.Set(TimeAfter(args_.loop.Now(), std::max(args_.options.dns_refresh, args_.options.dns_pause)));
  }
  Resolution resolution;
  for (const transport::SocketAddress& address : *answer) {
    resolution.addresses.push_back(ServerAddress{.address = address, .attributes = {}});
  }
  args_.listener.OnResolution(std::move(resolution));
}

}  // namespace weir
