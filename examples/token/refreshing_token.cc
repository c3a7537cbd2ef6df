#include "examples/token/refreshing_token.h"

#include "absl/time/clock.h"

namespace token {

std::string RefreshingToken::GoodToken() {
  const std::lock_guard lock(mutex_);
  return absl::Now() + margin_ < token_.good_until ? token_.value : "";
}

weir::Task<absl::StatusOr<weir::Metadata>> RefreshingToken::GetMetadata(const weir::CredentialsRequest& request) {
  std::string value = GoodToken();
  if (value.empty()) {
    // The lock is not held while this waits. Calls that come meanwhile fetch one for themselves: the last one is kept.
    absl::StatusOr<Token> fetched = co_await source_(request.service_url());
    if (!fetched.ok()) co_return fetched.status();
    value = fetched->value;
    const std::lock_guard lock(mutex_);
    token_ = *std::move(fetched);
  }
  weir::Metadata metadata;
  metadata.Add("authorization", "Bearer " + value);
  co_return metadata;
}

}  // namespace token
