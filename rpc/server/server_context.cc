#include "weir/rpc/server/server_context.h"

#include <algorithm>
#include <cstdint>
#include <new>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/core/why.h"
#include "weir/rpc/server/call_arena.h"
#include "weir/rpc/server/cancellation.h"
#include "weir/rpc/server/received_head.h"
#include "weir/rpc/server/server_call.h"

namespace weir {

ServerContext::ServerContext(ServerCall& call, std::shared_ptr<const ReceivedHead> head, const std::string& peer)
    : call_(call), head_(std::move(head)), peer_(peer) {}

ServerContext::~ServerContext() {
  delete cancellation_.load();
  delete arena_;
}

std::string_view ServerContext::method() const { return head_->decoded.path; }

std::string_view ServerContext::authority() const { return head_->decoded.authority; }

const PeerIdentity& ServerContext::peer_identity() const { return *head_->peer_identity; }

int ServerContext::previous_attempts() const { return head_->protocol.DecodePreviousAttempts(head_->request); }

absl::Status ServerContext::cancel_reason() const {
  return IsCancelled() ? Unshared(cancel_reason_) : absl::OkStatus();
}

void ServerContext::OnCancel(std::function<void()> callback) { cancellation().AddCallback(std::move(callback)); }

std::stop_token ServerContext::stop_token() const { return cancellation().token(); }

const Metadata& ServerContext::metadata() const {
  if (!metadata_.has_value()) {
    metadata_ = head_->protocol.DecodeMetadata(head_->request.fields, head_->metadata_fields_max);
  }
  return *metadata_;
}

transport::EventLoop& ServerContext::loop() const { return call_.event_loop(); }

// Either this sees that the call is cancelled, or Cancel sees what this has made: both orders are sequentially
// consistent.
Cancellation& ServerContext::cancellation() const {
  Cancellation* present = cancellation_.load();
  if (present != nullptr) return *present;
  auto made = std::make_unique<Cancellation>();
  if (!cancellation_.compare_exchange_strong(present, made.get())) return *present;
  if (IsCancelled()) made->RunCallbacks();
  return *made.release();
}

google::protobuf::Arena& ServerContext::arena() {
  if (arena_ == nullptr) arena_ = new internal::CallArena;
  return arena_->arena();
}

absl::Status ServerContext::SendReply(const OutgoingMessage& reply) {
  if (std::exchange(replied_, true)) {
    return absl::InternalError(absl::StrCat(std::string(method()), ": Reply: expected one reply, got a second one"));
  }
  return call_.SendReply(reply);
}

void ServerContext::SetCompression(std::string_view encoding) { call_.SetCompression(encoding); }

void ServerContext::PushBack(absl::Duration pause) {
  const int64_t milliseconds = absl::ToInt64Milliseconds(absl::Ceil(pause, absl::Milliseconds(1)));
  const bool never = pause == absl::InfiniteDuration() || milliseconds > INT32_MAX;
  trailing_.Set(Metadata::kPushBackKey, never ? "-1" : std::to_string(std::max<int64_t>(milliseconds, 0)));
}

bool ServerContext::request_was_compressed() const { return call_.last_message_compressed(); }

void ServerContext::Cancel(const absl::Status& reason) {
  if (IsCancelled()) return;
  try {
    // What nobody below has said anything of was this side's doing.
    Why why = WhyOf(reason).value_or(Why{.by = Why::By::kUs});
    why.phase = Why::Phase::kBody;
    why.processed = Why::Processed::kYes;
    why.method = std::string(method());
    why.peer = peer_;
    cancel_reason_ = WithWhy(Unshared(reason), why);
  } catch (const std::bad_alloc&) {
    cancel_reason_ = absl::Status(reason.code(), "");  // the handler must be told, if not why
  }
  cancelled_.store(true);
  Cancellation* const cancellation = cancellation_.load();
  if (cancellation == nullptr) return;
  cancellation->RunCallbacks();
  cancellation->WakeWaiters();
}

}  // namespace weir
