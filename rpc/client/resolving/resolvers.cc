#include "weir/rpc/client/resolving/resolvers.h"

#include "weir/rpc/client/channel_options.h"
#include "weir/rpc/client/resolving/dns_resolver.h"
#include "weir/rpc/client/resolving/file_resolver.h"
#include "weir/rpc/client/resolving/fixed_resolver.h"
#include "weir/rpc/client/target.h"
#include "weir/transport/io/dns_server.h"

namespace weir {
namespace {

// What the channel was given to look names up with comes first: tests and simulations answer for every server.
transport::ResolverOptions LookupsOf(const Target& target, transport::ResolverOptions lookups) {
  if (lookups.lookup || !target.dns_server.has_value()) return lookups;
  lookups.lookup = [server = *target.dns_server](const std::string& host, uint16_t port) {
    return transport::LookupAt(server, host, port);
  };
  return lookups;
}

}  // namespace

std::unique_ptr<NameResolver> MakeResolver(const NameResolverArgs& args, const transport::ResolverOptions& lookups) {
  const Target& target = args.target;
  if (const auto it = args.options.name_resolvers.find(target.scheme); it != args.options.name_resolvers.end()) {
    return it->second(args);
  }
  if (target.scheme == "file") return std::make_unique<FileResolver>(args);
  if (target.addresses.empty()) return std::make_unique<DnsResolver>(args, LookupsOf(target, lookups));
  std::vector<ServerAddress> addresses;
  for (const transport::SocketAddress& address : target.addresses) {
    addresses.push_back(ServerAddress{.address = address, .attributes = {}});
  }
  return std::make_unique<FixedResolver>(args, std::move(addresses));
}

}  // namespace weir
