#include "tests/interop/features_service.h"

#include <signal.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "absl/time/clock.h"
#include "tests/interop/sleep.h"

namespace weir::interop {
namespace {

constexpr absl::Duration kCancelPatience = absl::Seconds(2);

HandlerEnd HowEnded(const ServerContext& context) {
  return context.IsCancelled() ? HandlerEnd::kCancelled : HandlerEnd::kInOrder;
}

}  // namespace

Task<absl::StatusOr<InspectReply>> FeaturesServiceImpl::Inspect(ServerContext& context, const InspectRequest& request) {
  for (const Pair& pair : request.initial()) context.AddInitialMetadata(pair.key(), pair.value());
  for (const Pair& pair : request.trailing()) context.AddTrailingMetadata(pair.key(), pair.value());
  if (request.code() != 0) co_return absl::Status(static_cast<absl::StatusCode>(request.code()), request.message());
  InspectReply reply;
  for (const auto& [key, value] : context.metadata()) {
    if (!key.starts_with("x-")) continue;
    Pair* pair = reply.add_metadata();
    pair->set_key(key);
    pair->set_value(value);
  }
  const bool has_deadline = context.deadline() != absl::InfiniteFuture();
  reply.set_remaining_ms(has_deadline ? absl::ToInt64Milliseconds(context.deadline() - absl::Now()) : -1);
  co_return reply;
}

Task<absl::Status> FeaturesServiceImpl::Hold(ServerContext& context, Reader<Note>& reader, Writer<Note>& writer) {
  std::string call_id;
  bool last = false;
  while (std::optional<Note> note = co_await reader.Read()) {
    last = note->last();
    if (call_id.empty()) {
      call_id = note->call_id();
      journal_.Begin(call_id);
    }
    if (!co_await writer.Write(*note)) break;
    journal_.Sent(call_id);
  }
  // The requests of a cancelled call may end before the call does: node sends END_STREAM, then RST_STREAM.
  for (const absl::Time begin = absl::Now();
       !last && !context.IsCancelled() && absl::Now() - begin < kCancelPatience;) {
    co_await SleepOnLoop(absl::Milliseconds(1));
  }
  if (!call_id.empty()) journal_.End(call_id, HowEnded(context));
  co_return absl::OkStatus();
}

Task<absl::Status> FeaturesServiceImpl::Flood(ServerContext& context, const FloodRequest& request,
                                              Writer<Blob>& writer) {
  journal_.Begin(request.call_id());
  Blob blob;
  blob.set_body(std::string(static_cast<size_t>(request.size_bytes()), '\0'));
  for (int i = 0; i < request.count(); ++i) {
    if (!co_await writer.Write(blob)) break;
    journal_.Sent(request.call_id());
  }
  journal_.End(request.call_id(), HowEnded(context));
  co_return absl::OkStatus();
}

Task<absl::StatusOr<Observation>> FeaturesServiceImpl::Observe(ServerContext&, const ObserveRequest& request) {
  co_return journal_.Observe(request.call_id());
}

Task<absl::StatusOr<DrainReply>> FeaturesServiceImpl::Drain(ServerContext&, const DrainRequest&) {
  kill(getpid(), SIGTERM);
  co_return DrainReply();
}

}  // namespace weir::interop
