// NameResolver: finds the addresses behind a channel's target, and says when they change. One for each channel that is
// not idle; weir's own (resolving/) use this interface, too.
//
//   class Etcd final : public weir::NameResolver { ... };
//   options.name_resolvers["etcd"] = [](const weir::NameResolverArgs& args) { return std::make_unique<Etcd>(args); };
//   weir::Channel channel("etcd:///greeters", credentials, options);
//
//   weir::Resolution found;
//   found.addresses = ...;
//   found.service_config = weir::ParseServiceConfig(json);     // if there is one
//   listener.OnResolution(std::move(found));
//
// Everything happens on the channel's loop, which must not be stopped: what blocks goes to a thread, and comes back by
// loop.Post. Destroying a resolver is its shutdown: the listener is gone then.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "weir/rpc/client/server_address.h"
#include "weir/rpc/client/service_config/service_config.h"

namespace weir::transport {
class EventLoop;
}

namespace weir {

struct ChannelOptions;
struct Target;

struct Resolution {
  std::vector<ServerAddress> addresses;
  // What came with the addresses, as ParseServiceConfig gives it; an error: it was wrong (gRFC A21: the addresses count
  // all the same). Null: nothing. For calls that begin after it; those that begin before the first result wait for it.
  ServiceConfigResult service_config = std::shared_ptr<const ServiceConfig>();
};

class NameResolverListener {
 public:
  // A result takes the place of all before. An error is why there is none: addresses that are known stay in use. After
  // an error the channel asks again, by RequestReresolution, when a pause is over (connection-backoff).
  virtual void OnResolution(absl::StatusOr<Resolution> resolution) = 0;

 protected:
  ~NameResolverListener() = default;
};

class NameResolver {
 public:
  virtual ~NameResolver() = default;

  // Once. A result or an error must follow; not inside this call.
  virtual void Start() = 0;

  // A connection was lost, or could not be made: the addresses may have changed. To be heeded at the resolver's own
  // pace; one that is told of changes has nothing to do.
  virtual void RequestReresolution() = 0;
};

// References live as long as the resolver.
struct NameResolverArgs {
  const Target& target;
  const ChannelOptions& options;
  transport::EventLoop& loop;
  NameResolverListener& listener;
};

using NameResolverFactory = std::function<std::unique_ptr<NameResolver>(const NameResolverArgs&)>;
// By scheme: "etcd" of "etcd:///greeters".
using NameResolvers = std::map<std::string, NameResolverFactory, std::less<>>;

}  // namespace weir
