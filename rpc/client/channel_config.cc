#include "weir/rpc/client/channel_config.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/balancing/policies.h"
#include "weir/rpc/client/channel_options.h"

namespace weir {

ChannelConfig::ChannelConfig(const ChannelOptions& options, Resolver resolver)
    : options_(options),
      // A config of the program that is wrong is no matter of the resolver.
      resolver_(options.use_resolver_service_config && options.service_config.ok() ? resolver : Resolver::kGivesNone),
      current_(options.service_config) {
  Forget();
}

ServiceConfigResult ChannelConfig::Choose(const ServiceConfigResult& found) const {
  const bool none = found.ok() && *found == nullptr;
  if (!none && options_.use_resolver_service_config) return found;
  return options_.service_config.ok() ? *options_.service_config : nullptr;
}

ServiceConfigResult ChannelConfig::Instead(const absl::Status& why) const {
  if (!awaited_) return current_;
  if (*options_.service_config == nullptr) return why;
  return options_.service_config;
}

absl::StatusOr<LoadBalancingChoice> ChannelConfig::LoadBalancingOf(const ServiceConfig* config) const {
  if (config == nullptr || config->load_balancing.empty()) return options_.load_balancing;
  std::string names;
  for (const LoadBalancingChoice& choice : config->load_balancing) {
    if (IsPolicyKnown(choice.policy, options_.load_balancers)) return choice;
    absl::StrAppend(&names, names.empty() ? "" : ", ", choice.policy);
  }
  return absl::InvalidArgumentError(absl::StrCat("service config: loadBalancingConfig: expected at least one of ",
                                                 KnownPolicies(options_.load_balancers), ", got ", names));
}

void ChannelConfig::Use(std::shared_ptr<const ServiceConfig> config) {
  awaited_ = false;
  if (options_.service_config.ok()) current_ = std::move(config);
  concerns_calls_ = !current_.ok() || *current_ != nullptr;
}

void ChannelConfig::Forget() {
  current_ = options_.service_config;
  awaited_ = resolver_ == Resolver::kMayGiveOne;
  concerns_calls_ = awaited_ || !current_.ok() || *current_ != nullptr;
}

}  // namespace weir
