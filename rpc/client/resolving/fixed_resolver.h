// FixedResolver: addresses that are known from the target: ipv4:, ipv6:, unix:, unix-abstract:, numeric hosts, and
// channels that get their connections elsewhere.
#pragma once

#include <utility>
#include <vector>

#include "weir/rpc/client/name_resolver.h"
#include "weir/transport/io/event_loop.h"

namespace weir {

class FixedResolver final : public NameResolver {
 public:
  FixedResolver(const NameResolverArgs& args, std::vector<ServerAddress> addresses)
      : addresses_(std::move(addresses)),
        tell_(args.loop,
              [this, &listener = args.listener] {
                listener.OnResolution(Resolution{.addresses = addresses_, .service_config = {}});
              }),
        loop_(args.loop) {}

  void Start() override { tell_.Set(loop_.Now()); }
  void RequestReresolution() override {}

 private:
  const std::vector<ServerAddress> addresses_;
  transport::Timer tell_;
  transport::EventLoop& loop_;
};

}  // namespace weir
