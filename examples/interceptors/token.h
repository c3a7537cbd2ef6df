// TokenSender and TokenChecker: calls carry "authorization: Bearer <token>", and a server refuses those without a good
// one.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "weir/rpc/core/interceptor.h"

namespace interceptors {

// Client. Asks the source before each call, which waits for it: the source may keep a token, or call another server.
class TokenSender final : public weir::Interceptor {
 public:
  using Source = std::function<weir::Task<absl::StatusOr<std::string>>()>;
  explicit TokenSender(Source source) : source_(std::move(source)) {}

  weir::Task<absl::Status> Intercept(const weir::MethodSpec& method, weir::InterceptedCall& call,
                                     const weir::Next& next) override;

 private:
  const Source source_;
};

// Server. A call without a good token ends with UNAUTHENTICATED before its handler; others get the name behind the
// token as metadata "user", which the client cannot set.
class TokenChecker final : public weir::Interceptor {
 public:
  // Gives the user's name, or "" for a token that is not good. On the threads of the calls; must not block.
  using Check = std::function<std::string(std::string_view token)>;
  explicit TokenChecker(Check check) : check_(std::move(check)) {}

  weir::Task<absl::Status> Intercept(const weir::MethodSpec& method, weir::InterceptedCall& call,
                                     const weir::Next& next) override;

 private:
  const Check check_;
};

}  // namespace interceptors
