#include "weir/rpc/client/call_credentials/authorization.h"

#include <exception>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/why.h"

namespace weir {
namespace {

// gRFC A54: codes that belong to applications say nothing true about a call that was never made.
bool IsForApplications(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kDataLoss:
      return true;
    default:
      return false;
  }
}

// Code and text only: details and why of a status are those of another call, which asked for the token.
absl::Status AsFailure(const absl::Status& status) {
  const std::string said(status.message());
  if (!IsForApplications(status.code())) return {status.code(), absl::StrCat("call credentials: ", said)};
  return absl::InternalError(absl::StrCat("call credentials: ", absl::StatusCodeToString(status.code()),
                                          " is not a status that they may give: ", said));
}

// Names the key, never the value: that is the secret.
absl::Status Check(const Metadata& metadata) {
  for (const auto& [key, value] : metadata) {
    if (const absl::Status bad = Metadata::CheckEntry(key, ""); !bad.ok()) {
      return absl::InternalError(absl::StrCat("call credentials: ", bad.message()));
    }
    if (Metadata::CheckEntry(key, value).ok()) continue;
    return absl::InternalError(
        absl::StrCat("call credentials: metadata value of \"", key,
                     "\": expected ASCII 0x20-0x7E, got other bytes (a line end of the file it was read from?)"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Metadata> TakeResult(Task<absl::StatusOr<Metadata>>& task) {
#if defined(__cpp_exceptions)
  try {
    return task.TakeResult();
  } catch (const std::exception& error) {
    return absl::UnknownError(absl::StrCat("call credentials threw: ", error.what()));
  } catch (...) {
    return absl::UnknownError("call credentials threw something that is not a std::exception");
  }
#else
  return task.TakeResult();
#endif
}

absl::Status NeverSent(const absl::Status& status) {
  return WithWhy(status, Why{.by = Why::By::kUs, .phase = Why::Phase::kCredentials, .processed = Why::Processed::kNo});
}

}  // namespace

absl::Status Authorization::MaySend(ConnectionSecurity security, std::string_view peer) {
  if (security != ConnectionSecurity::kPlaintext) return absl::OkStatus();
  return NeverSent(absl::UnauthenticatedError(absl::StrCat(
      "call credentials: expected a connection that nobody else can read, got plaintext to ", std::string(peer),
      "; use TlsChannelCredentials, or set ChannelOptions::call_credentials_over_plaintext")));
}

void Authorization::Start(OnDone on_done) {
  on_done_ = std::move(on_done);
  task_ = AskAll(*credentials_, request_);
  task_.Start(this);
}

void Authorization::Abandon(std::unique_ptr<Authorization> authorization, transport::Executor& loop) {
  if (authorization == nullptr) return;
  authorization->on_done_ = nullptr;
  loop.Post([kept = std::shared_ptr<Authorization>(std::move(authorization))] {});
}

Task<absl::StatusOr<Metadata>> Authorization::AskAll(const CallCredentialsList& credentials,
                                                     const CredentialsRequest& request) {
  Metadata all;
  for (const std::shared_ptr<CallCredentials>& each : credentials) {
    absl::StatusOr<Metadata> metadata = co_await each->GetMetadata(request);
    if (!metadata.ok()) co_return AsFailure(metadata.status());
    if (absl::Status legal = Check(*metadata); !legal.ok()) co_return legal;
    for (const auto& [key, value] : *metadata) all.Add(key, value);
  }
  co_return all;
}

void Authorization::OnTaskDone() noexcept {
  absl::StatusOr<Metadata> result = TakeResult(task_);
  task_ = {};
  if (!result.ok()) result = NeverSent(result.status());
  const OnDone on_done = std::move(on_done_);
  if (on_done) on_done(std::move(result));
}

}  // namespace weir
