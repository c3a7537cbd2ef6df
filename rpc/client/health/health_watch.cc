#include "weir/rpc/client/health/health_watch.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/wire/envelope.h"
#include "weir/transport/memory/shared_bytes.h"

namespace weir {
namespace {

constexpr char kWatchPath[] = "/grpc.health.v1.Health/Watch";
// Field 1 of a message: a string, a varint.
constexpr char kStringField = '\x0a';
constexpr char kEnumField = '\x08';

}  // namespace

std::string EncodeHealthRequest(std::string_view service) {
  std::string message;
  if (service.empty()) return message;
  message.push_back(kStringField);
  size_t length = service.size();
  for (; length > 0x7f; length >>= 7) message.push_back(static_cast<char>(length | 0x80));
  message.push_back(static_cast<char>(length));
  return message.append(service);
}

absl::StatusOr<ServingStatus> DecodeHealthResponse(std::string_view message) {
  if (message.empty()) return ServingStatus::kUnknown;
  const bool is_status = message.size() == 2 && message[0] == kEnumField && message[1] >= 0;
  if (!is_status) {
    return absl::InternalError(
        absl::StrCat("expected a grpc.health.v1.HealthCheckResponse, got ", message.size(), " other bytes"));
  }
  return message[1] <= static_cast<char>(ServingStatus::kServiceUnknown) ? static_cast<ServingStatus>(message[1])
                                                                         : ServingStatus::kUnknown;
}

HealthWatch::HealthWatch(std::string_view service, HealthListener& listener)
    : request_(EncodeHealthRequest(service)), listener_(&listener) {}

void HealthWatch::Stop() {
  listener_ = nullptr;
  const std::shared_ptr<HealthWatch> self = std::move(self_);
  if (stream_ != nullptr) std::exchange(stream_, nullptr)->Cancel(absl::CancelledError("the health check is over"));
}

void HealthWatch::DescribeTo(wire::RequestHead* head) const { head->path = kWatchPath; }

void HealthWatch::OnStream(MessageStream& stream) {
  self_ = shared_from_this();
  const std::shared_ptr<HealthWatch> self = self_;
  stream_ = &stream;
  char* room = nullptr;
  transport::SharedBytes framed = transport::SharedBytes::Make(wire::kEnvelopeHeaderBytes + request_.size(), &room);
  wire::PutEnvelopeHeader(room, false, static_cast<uint32_t>(request_.size()));
  request_.copy(room + wire::kEnvelopeHeaderBytes, request_.size());
  stream.SendMessage(std::move(framed));
  // Each of these may end it.
  if (stream_ != nullptr) stream_->HalfClose();
  if (stream_ != nullptr) stream_->WantMessage();
}

bool HealthWatch::OnMessage(const ReceivedMessage& message) {
  const std::shared_ptr<HealthWatch> self = self_;
  std::string room;
  const absl::StatusOr<ServingStatus> status = DecodeHealthResponse(message.bytes.Flat(&room));
  if (status.ok()) {
    listener_->OnServingStatus(*status);
  } else {
    stream_->Cancel(status.status());
    End(status.status());
  }
  return stream_ != nullptr;
}

void HealthWatch::OnEnd(absl::Status status, Metadata) {
  End(status.ok() ? absl::UnavailableError("the server ended the call") : status);
}

void HealthWatch::End(const absl::Status& why) {
  const std::shared_ptr<HealthWatch> self = std::move(self_);
  stream_ = nullptr;
  if (listener_ != nullptr) std::exchange(listener_, nullptr)->OnWatchOver(why);
}

}  // namespace weir
