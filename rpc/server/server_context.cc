#include "weir/rpc/server/server_context.h"

#include "weir/rpc/core/why.h"
#include "weir/rpc/server/server_call.h"

namespace weir {

const Metadata& ServerContext::metadata() const {
  if (!metadata_.has_value()) metadata_ = head_->protocol.DecodeMetadata(head_->request.fields);
  return *metadata_;
}

void ServerContext::OnCancel(std::function<void()> callback) {
  if (IsCancelled()) return callback();
  on_cancel_.push_back(std::move(callback));
}

void ServerContext::SetCompression(std::string_view encoding) { call_.SetCompression(encoding); }

bool ServerContext::request_was_compressed() const { return call_.last_message_compressed(); }

void ServerContext::Cancel(const absl::Status& reason) {
  if (IsCancelled()) return;
  // What nobody below has said anything of was this side's doing.
  Why why = WhyOf(reason).value_or(Why{.by = Why::By::kUs});
  why.phase = Why::Phase::kBody;
  why.processed = Why::Processed::kYes;
  why.method = std::string(method());
  why.peer = peer_;
  cancel_reason_ = WithWhy(Unshared(reason), why);
  cancelled_.store(true, std::memory_order_release);
  for (std::function<void()>& callback : std::exchange(on_cancel_, {})) callback();
}

}  // namespace weir
