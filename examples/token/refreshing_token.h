// RefreshingToken: call credentials that keep a token as long as it is good, and ask for a new one before it is not.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "weir/rpc/client/call_credentials/call_credentials.h"

namespace token {

struct Token {
  std::string value;
  absl::Time good_until;
};

// One object may serve several channels.
class RefreshingToken final : public weir::CallCredentials {
 public:
  // Fetches a token for a service, by a call to a token server say: a coroutine, which must not block.
  using Source = std::function<weir::Task<absl::StatusOr<Token>>(std::string service_url)>;

  // A token is not used in the last `margin` of its life, the time that a call may need to get to its server.
  RefreshingToken(Source source, absl::Duration margin) : source_(std::move(source)), margin_(margin) {}

  weir::Task<absl::StatusOr<weir::Metadata>> GetMetadata(const weir::CredentialsRequest& request) override;

 private:
  std::string GoodToken();

  const Source source_;
  const absl::Duration margin_;
  std::mutex mutex_;  // channels may have different loops
  Token token_;
};

}  // namespace token
