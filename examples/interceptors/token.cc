#include "examples/interceptors/token.h"

#include <optional>
#include <string_view>

namespace interceptors {
namespace {

constexpr std::string_view kBearer = "Bearer ";

}  // namespace

weir::Task<absl::Status> TokenSender::Intercept(const weir::MethodSpec&, weir::InterceptedCall& call,
                                                const weir::Next& next) {
  absl::StatusOr<std::string> token = co_await source_();
  if (!token.ok()) co_return token.status();
  call.request_metadata().Set("authorization", std::string(kBearer) + *token);
  co_return co_await next(call);
}

weir::Task<absl::Status> TokenChecker::Intercept(const weir::MethodSpec&, weir::InterceptedCall& call,
                                                 const weir::Next& next) {
  weir::Metadata& metadata = call.request_metadata();
  const std::optional<std::string_view> value = metadata.Get("authorization");
  if (!value.has_value() || !value->starts_with(kBearer)) {
    co_return absl::UnauthenticatedError("authorization: expected \"Bearer <token>\", got none; log in first");
  }
  const std::string user = check_(value->substr(kBearer.size()));
  if (user.empty()) co_return absl::UnauthenticatedError("authorization: the token is not good, or not any more");
  metadata.Set("user", user);
  metadata.Remove("authorization");  // handlers have no business with it
  co_return co_await next(call);
}

}  // namespace interceptors
