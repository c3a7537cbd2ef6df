#include "weir/testing/simulation/names.h"

#include <memory>
#include <utility>

#include "weir/transport/io/event_loop.h"

namespace weir::testing {
namespace {

// A channel that asks again gets its answer this long after the last one.
constexpr std::chrono::seconds kPause(1);

}  // namespace

class Names::Resolver final : public NameResolver {
 public:
  Resolver(Names& names, const NameResolverArgs& args, std::vector<ServerAddress> servers)
      : names_(names),
        loop_(args.loop),
        listener_(args.listener),
        servers_(std::move(servers)),
        lookup_(args.loop, [this] { listener_.OnResolution(names_.Find(servers_)); }) {
    names_.resolvers_.push_back(this);
  }
  ~Resolver() override { std::erase(names_.resolvers_, this); }

  void Start() override { Look({}); }
  void RequestReresolution() override { Look(kPause); }
  void Look(std::chrono::milliseconds pause) {
    if (!lookup_.IsSet()) lookup_.Set(loop_.Now() + pause + names_.LookupTime());
  }

 private:
  Names& names_;
  transport::EventLoop& loop_;
  NameResolverListener& listener_;
  const std::vector<ServerAddress> servers_;
  transport::Timer lookup_;
};

NameResolverFactory Names::Factory(std::vector<ServerAddress> servers) {
  return [this, servers = std::move(servers)](const NameResolverArgs& args) {
    return std::make_unique<Resolver>(*this, args, servers);
  };
}

void Names::Hide(uint64_t servers) {
  hidden_ = servers;
  for (Resolver* resolver : resolvers_) resolver->Look({});
}

absl::StatusOr<Resolution> Names::Find(const std::vector<ServerAddress>& servers) const {
  Resolution found;
  for (size_t i = 0; i < servers.size(); ++i) {
    if ((hidden_ >> i & 1) == 0) found.addresses.push_back(servers[i]);
  }
  if (found.addresses.empty()) return absl::UnavailableError("resolve: Temporary failure in name resolution");
  return found;
}

}  // namespace weir::testing
