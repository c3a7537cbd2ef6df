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
      : tell_(args.loop,
              [this, &listener = args.listener] {
                Resolution resolution = resolution_;
                told_ = true;
                listener.OnResolution(std::move(resolution));
              }),
        loop_(args.loop) {
    resolution_.addresses = std::move(addresses);
  }

  void Start() override { tell_.Set(loop_.Now()); }
  // They are what they were, but perhaps there was no memory to say so.
  void RequestReresolution() override {
    if (!told_) Start();
  }

 private:
  Resolution resolution_;
  transport::Timer tell_;
  transport::EventLoop& loop_;
  bool told_ = false;
};

}  // namespace weir
