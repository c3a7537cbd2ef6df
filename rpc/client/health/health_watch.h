// HealthWatch: one call of grpc.health.v1.Health/Watch: what a server says of a service, as long as it says something.
//
// The two messages of the protocol (health.proto) are so small that they are read and written by hand here: a channel
// does not link them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/rpc/client/stream_request.h"
#include "weir/rpc/core/message_stream.h"

namespace weir {

enum class ServingStatus : uint8_t { kUnknown = 0, kServing = 1, kNotServing = 2, kServiceUnknown = 3 };

// HealthCheckRequest { string service = 1; }
std::string EncodeHealthRequest(std::string_view service);
// HealthCheckResponse { ServingStatus status = 1; }. A status that is not known counts as kUnknown, other fields as
// nothing. An error: it is no such message.
absl::StatusOr<ServingStatus> DecodeHealthResponse(std::string_view message);

// Each of them may stop the watch and let go of it.
class HealthListener {
 public:
  virtual void OnServingStatus(ServingStatus status) = 0;
  // Last.
  virtual void OnWatchOver(const absl::Status& why) = 0;

 protected:
  ~HealthListener() = default;
};

class HealthWatch final : public StreamRequest,
                          public std::enable_shared_from_this<HealthWatch>,
                          private StreamObserver {
 public:
  HealthWatch(std::string_view service, HealthListener& listener);

  // The listener is told nothing more. A watch that waits for a place goes on waiting: Backend::Forget.
  void Stop();

 private:
  // StreamRequest
  void DescribeTo(wire::RequestHead* head) const override;
  bool wait_for_ready() const override { return false; }
  StreamObserver& observer() override { return *this; }
  void OnStream(MessageStream& stream) override;
  void OnNoStream(const absl::Status& why) override { End(why); }

  // StreamObserver
  void OnInitialMetadata(Metadata) override {}
  bool OnMessage(const ReceivedMessage& message) override;
  void OnEnd(absl::Status status, Metadata) override;
  void OnReset(absl::Status status) override { End(status); }
  void OnSendingEnd() override {}
  void OnWritable() override {}

  void End(const absl::Status& why);

  const std::string request_;
  HealthListener* listener_;  // null: it has heard the end, or does not want to
  MessageStream* stream_ = nullptr;
  std::shared_ptr<HealthWatch> self_;  // while a stream knows of this
};

}  // namespace weir
