// Attempt: one attempt of CallAttempts: asks the call's credentials, seeks a stream, and is told what comes on it until
// the call is committed.
//
//   Place --> picked --MayOpen, credentials--> Place --> OnStream --head--> the call's, or stopped
//                 \--MayOpen, no credentials-------------^
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/rpc/client/call_credentials/authorization.h"
#include "weir/rpc/client/retry/call_attempts.h"
#include "weir/rpc/client/stream_request.h"
#include "weir/rpc/core/message_stream.h"
#include "weir/rpc/core/metadata.h"
#include "weir/transport/io/executor.h"

namespace weir {

class CallAttempts::Attempt final : public StreamRequest,
                                    public std::enable_shared_from_this<Attempt>,
                                    private StreamObserver {
 public:
  Attempt(CallAttempts& attempts, int number);

  int number() const { return number_; }
  MessageStream* stream() const { return stream_; }
  bool blocked() const { return blocked_; }
  bool asks_credentials() const { return authorization_ != nullptr; }
  void Send(const transport::SharedBytes& framed) { blocked_ = !stream_->SendMessage(framed); }

  // It is the call's now.
  void Leave();
  void Stop(const absl::Status& status);

  // StreamRequest
  void DescribeTo(wire::RequestHead* head) const override;
  bool wait_for_ready() const override { return attempts_ != nullptr && attempts_->call_.wait_for_ready(); }
  bool is_repeated() const override { return !attempts_->peer_.empty(); }
  bool WasAt(std::string_view address) const override { return attempts_->WasAt(address); }
  StreamObserver& observer() override { return *this; }
  bool MayOpen(const Place& place) override;
  void OnPicked(std::unique_ptr<CallWatcher> watcher) override { watcher_ = std::move(watcher); }
  void OnStream(MessageStream& stream) override;
  void OnNoStream(const absl::Status& why) override { Fail({.how = Failure::How::kNoStream, .status = why}); }

 private:
  // StreamObserver. Each of them may end the call, and with it all that nothing else holds.
  void OnInitialMetadata(Metadata metadata) override;
  void OnEnd(absl::Status status, Metadata trailing) override;
  void OnReset(absl::Status status) override { Fail({.how = Failure::How::kReset, .status = std::move(status)}); }
  void OnWritable() override;
  // Not before a head, and with that these are the call's.
  bool OnMessage(const ReceivedMessage&) override { return false; }
  void OnSendingEnd() override {}

  void OnCredentials(absl::StatusOr<Metadata> metadata);
  void Fail(Failure failure);
  void TellWatcher(const absl::Status& status);

  CallAttempts* attempts_;  // null: it has been left
  const int number_;        // from 1; transparent repetitions have the number of what they repeat
  MessageStream* stream_ = nullptr;
  std::unique_ptr<CallWatcher> watcher_;
  std::unique_ptr<Authorization> authorization_;       // credentials are being asked
  std::list<StreamRequest*>::iterator among_hosts_{};  // while they are
  std::optional<Metadata> authorized_;                 // the call's metadata, and theirs
  transport::MonotonicTime authorized_at_{};
  bool in_may_open_ = false;
  bool blocked_ = false;  // flow control has not taken all yet
};

}  // namespace weir
