// Any text is a service config or is refused with a reason; what is accepted keeps the promises of its types.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "weir/rpc/client/service_config/parse_service_config.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void Check(const weir::MethodConfig& config) {
  if (config.timeout.has_value()) Require(*config.timeout >= absl::ZeroDuration());
  Require(!config.retry.has_value() || !config.hedging.has_value());
  if (config.retry.has_value()) {
    Require(config.retry->max_attempts >= 2 && config.retry->max_attempts <= weir::kAttemptsMax);
    Require(config.retry->initial_backoff > absl::ZeroDuration());
    Require(config.retry->max_backoff > absl::ZeroDuration());
    Require(config.retry->backoff_multiplier > 0);
    Require(!config.retry->retryable.empty());
    Require(!config.retry->retryable.Has(absl::StatusCode::kOk));
  }
  if (config.hedging.has_value()) {
    Require(config.hedging->max_attempts >= 2 && config.hedging->max_attempts <= weir::kAttemptsMax);
    Require(config.hedging->delay >= absl::ZeroDuration());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;  // data may be null
  const auto config = weir::ParseServiceConfig(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!config.ok()) {
    Require(!config.status().message().empty());
    return 0;
  }
  for (const char* path : {"/a.B/C", "/a.B/D", "/x.Y/Z", ""}) {
    if (const weir::MethodConfig* found = (*config)->For(weir::MethodSpec{.path = path})) Check(*found);
  }
  if (const auto& throttling = (*config)->retry_throttling) {
    Require(throttling->max_tokens > 0 && throttling->max_tokens <= 1000);
    Require(throttling->token_ratio > 0);
  }
  for (const auto& choice : (*config)->load_balancing) Require(choice.config.object() != nullptr);
  return 0;
}
