// The resolver that belongs to a target.
#pragma once

#include <memory>

#include "weir/rpc/client/name_resolver.h"
#include "weir/transport/io/dns.h"

namespace weir {

// The program's own (ChannelOptions::name_resolvers) come first. `lookups` are for dns:.
std::unique_ptr<NameResolver> MakeResolver(const NameResolverArgs& args, const transport::ResolverOptions& lookups);

}  // namespace weir
