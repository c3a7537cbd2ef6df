// DnsResolver: dns:///host:port, by the system's resolver, and dns://server/host:port, by that server.
//
// Asks again when a connection fails, but not sooner than ChannelOptions::dns_pause after the last answer; and, if
// ChannelOptions::dns_refresh says so, when it does not: then new servers behind a name get calls though all old ones
// work.
#pragma once

#include <memory>

#include "weir/rpc/client/name_resolver.h"
#include "weir/transport/io/dns.h"
#include "weir/transport/io/event_loop.h"

namespace weir {

class DnsResolver final : public NameResolver {
 public:
  DnsResolver(const NameResolverArgs& args, transport::ResolverOptions lookups);

  void Start() override { Ask(); }
  void RequestReresolution() override;

 private:
  void Ask();
  void OnAnswer(absl::StatusOr<transport::Resolver::Addresses> answer);

  const NameResolverArgs args_;
  transport::Resolver lookups_;
  std::unique_ptr<transport::Resolver::Query> query_;  // not null: under way
  transport::MonotonicTime not_before_{};
  transport::Timer ask_;
};

}  // namespace weir
