#include "weir/tests/benchmark/echo_service.h"

#include <cstdint>
#include <optional>
#include <string>

namespace bench {

weir::Task<absl::StatusOr<Payload>> EchoServiceImpl::Unary(weir::ServerContext& context, const Payload& request) {
  co_return request;
}

weir::Task<absl::Status> EchoServiceImpl::ServerStream(weir::ServerContext& context, const StreamRequest& request,
                                                       weir::Writer<Payload>& writer) {
  Payload payload;
  payload.set_body(std::string(request.size(), 'x'));
  for (uint32_t i = 0; i < request.count(); ++i) {
    if (!co_await writer.Write(payload)) break;
  }
  co_return absl::OkStatus();
}

weir::Task<absl::StatusOr<Summary>> EchoServiceImpl::ClientStream(weir::ServerContext& context,
                                                                  weir::Reader<Payload>& reader) {
  Summary summary;
  while (std::optional<Payload> payload = co_await reader.Read()) {
    summary.set_count(summary.count() + 1);
    summary.set_bytes(summary.bytes() + payload->body().size());
  }
  co_return summary;
}

weir::Task<absl::Status> EchoServiceImpl::BidiEcho(weir::ServerContext& context, weir::Reader<Payload>& reader,
                                                   weir::Writer<Payload>& writer) {
  while (std::optional<Payload> payload = co_await reader.Read()) {
    if (!co_await writer.Write(*payload)) break;
  }
  co_return absl::OkStatus();
}

}  // namespace bench
