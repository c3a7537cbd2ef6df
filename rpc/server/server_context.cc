#include "weir/rpc/server/server_context.h"

namespace weir {

ServerContext::ServerContext(const wire::Protocol& protocol, transport::RequestReceived request,
                             const std::string& peer)
    : protocol_(protocol), request_(std::move(request)), head_(protocol.DecodeRequest(request_)), peer_(peer) {}

const Metadata& ServerContext::metadata() const {
  if (!metadata_.has_value()) metadata_ = protocol_.DecodeMetadata(request_.fields);
  return *metadata_;
}

void ServerContext::OnCancel(std::function<void()> callback) {
  if (IsCancelled()) return callback();
  on_cancel_.push_back(std::move(callback));
}

void ServerContext::Cancel() {
  if (cancelled_.exchange(true, std::memory_order_acq_rel)) return;
  for (std::function<void()>& callback : std::exchange(on_cancel_, {})) callback();
}

}  // namespace weir
