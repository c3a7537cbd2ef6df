// ChannelConfig: the service config that counts for calls that begin now (gRFC A21).
//
//   the resolver gives         counts
//   a valid one                that one
//   none                       ChannelOptions::service_config
//   one that is wrong          what counted before; at first ChannelOptions::service_config; if that is not set, calls fail
//
// A resolver of the program may give one: calls wait for its first answer then, and again after the channel was idle.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/rpc/client/service_config/service_config.h"

namespace weir {

struct ChannelOptions;

class ChannelConfig {
 public:
  enum class Resolver : uint8_t { kMayGiveOne, kGivesNone };

  // `options` must outlive it.
  ChannelConfig(const ChannelOptions& options, Resolver resolver);

  // A call that begins has to look, or to wait.
  bool concerns_calls() const { return concerns_calls_; }
  // The resolver has not answered yet.
  bool awaited() const { return awaited_; }
  // An error: the program's is wrong, and calls end with it.
  const ServiceConfigResult& current() const { return current_; }
  // Null: there is none, or none that can be used.
  const ServiceConfig* get() const { return current_.ok() ? current_->get() : nullptr; }

  // What `found`, the resolver's, means for the channel. An error: it cannot be used; see above.
  ServiceConfigResult Choose(const ServiceConfigResult& found) const;
  // The one to use if what was found cannot be, as `why` says; an error, `why`: there is none.
  ServiceConfigResult Instead(const absl::Status& why) const;
  // The policy that `config` (null: none) asks for. INVALID_ARGUMENT: it names some, and the channel knows none of
  // them.
  absl::StatusOr<LoadBalancingChoice> LoadBalancingOf(const ServiceConfig* config) const;

  void Use(std::shared_ptr<const ServiceConfig> config);
  // The channel is idle: what the resolver will say counts.
  void Forget();

 private:
  const ChannelOptions& options_;
  const Resolver resolver_;
  ServiceConfigResult current_;
  bool awaited_;
  bool concerns_calls_;
};

}  // namespace weir
