// ClientCall, the part that is about more than one place: what the service config says of the call, and what it keeps
// for another server until a response begins.
#include <algorithm>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/channel_core.h"
#include "weir/rpc/client/client_call.h"
#include "weir/rpc/client/retry/call_attempts.h"

namespace weir {

void ClientCall::OnConfig() try {
  if (Configure()) Begin();
} catch (const std::bad_alloc&) {
  OnNoMemory();
}

// What the owner of the service says. The application's word counts for more where it is the stricter one.
bool ClientCall::Configure() {
  const auto self = shared_from_this();
  if (channel_->config().awaited()) {
    Watch();
    if (!ended()) channel_->AwaitConfig(self);
    return false;
  }
  const ServiceConfigResult& service = channel_->config().current();
  // The program's own is wrong; one that a resolver finds is not used then (gRFC A21).
  if (!service.ok()) End(absl::UnavailableError(service.status().message()));
  if (ended()) return false;
  const MethodConfig* config = *service == nullptr ? nullptr : (*service)->For(method_);
  if (config == nullptr) return true;
  // As the call's own, from its beginning on.
  if (config->timeout.has_value() && *config->timeout < timeout_) SetTimeout(*config->timeout, started_at_);
  if (!wait_for_ready_.has_value()) wait_for_ready_ = config->wait_for_ready;
  if (config->max_response_message_bytes.has_value()) {
    response_bytes_max_ = static_cast<uint32_t>(*config->max_response_message_bytes);
  }
  const bool policy = config->retry.has_value() || config->hedging.has_value();
  if (policy && retry_ && channel_->options().enable_retries) MakeAttempts(config);
  if (config->max_request_message_bytes.has_value()) LimitRequests(*config->max_request_message_bytes);
  return !ended();
}

void ClientCall::LimitRequests(size_t bytes_max) {
  set_max_send_message_bytes(std::min(bytes_max, channel_->options().max_send_message_bytes));
  if (!framed_request_.ok() || framed_request_->owner == nullptr) return;
  const size_t bytes = framed_request_->bytes.size() - OutgoingMessage::kPrefixBytes;
  if (bytes <= bytes_max) return;
  End(absl::ResourceExhaustedError(absl::StrCat("a message of ", bytes, " bytes is over the limit of ", bytes_max,
                                                " bytes (service config: maxRequestMessageBytes)")));
}

void ClientCall::MakeAttempts(const MethodConfig* config) {
  AttemptedCall& self = *this;
  attempts_ = std::make_shared<CallAttempts>(channel_->retries(), self, config);
}

// What is small is kept for another server until the response begins; what is not so small if the channel has room for
// it. Attempts keep what they need themselves.
void ClientCall::SendRequest() {
  constexpr size_t kUncountedBytesMax = 4096;
  const size_t bytes = framed_request_->bytes.size();
  bool keep = retry_ && attempts_ == nullptr && bytes <= kReplayBytesPerCallMax;
  if (keep && bytes > kUncountedBytesMax && counted_bytes_ == 0) {
    ReplayBudget& budget = channel_->retries().replay_budget();
    keep = budget.bytes() + bytes <= kReplayBytesPerChannelMax;
    if (keep) budget.Take(counted_bytes_ = static_cast<uint32_t>(bytes));
  }
  if (keep) {
    stream()->SendMessage(*framed_request_);
  } else {
    stream()->SendMessage(*std::move(framed_request_));
  }
}

void ClientCall::DropRequest() {
  if (counted_bytes_ != 0) channel_->retries().replay_budget().GiveBack(std::exchange(counted_bytes_, 0));
  *framed_request_ = transport::SharedBytes();
}

// gRFC A6, Transparent Retries: once if the server says that it has not looked at it; the application does not notice.
bool ClientCall::GoElsewhere(const absl::Status& status) {
  const bool kept = retry_ && attempts_ == nullptr && !ClientStreams(method_.kind) && framed_request_->owner != nullptr;
  if (!kept || initial_received_ || std::exchange(refused_, true)) return false;
  TellWatcher(status);
  Detach();
  channel_->Place(shared_from_this());
  return true;
}

}  // namespace weir
