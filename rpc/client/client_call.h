// ClientCall: one call on the client, from its making to its status.
//
//   kNew --Start--> kQueued --a connection has a place--> kActive --status, reset, deadline, Cancel--> kEnded
//                      |                                                                                 ^
//                      +---deadline, Cancel, no connection-----------------------------------------------+
//
// With interceptors, kQueued comes when the last of them calls `next`, and kEnded when the first one returns
// (client_interception.h).
//
// Made and held by the user's thread, runs on the channel's loop. Shared between the two: the user's handle may go at
// any time (that cancels), the loop's references go when the call ends.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/rpc/client/call_options.h"
#include "weir/rpc/client/failed_call.h"
#include "weir/rpc/client/retry/attempted_call.h"
#include "weir/rpc/client/stream_request.h"
#include "weir/rpc/core/call.h"
#include "weir/rpc/core/metadata.h"
#include "weir/rpc/core/method.h"
#include "weir/rpc/core/why.h"
#include "weir/transport/io/event_loop.h"

namespace weir {

class ChannelCore;
class ClientInterception;
class FinishOperation;
class MetadataOperation;

class ClientCall final : public Call,
                         public std::enable_shared_from_this<ClientCall>,
                         public AttemptedCall,
                         private MessageReceiver {
 public:
  // `request` null: the application will write. `made_at`: now, of the loop's clock; it matters with a deadline only.
  ClientCall(std::shared_ptr<ChannelCore> channel, transport::EventLoop& loop, const MethodSpec& method,
             const CallOptions& options, const OutgoingMessage* request, transport::MonotonicTime made_at);
  ~ClientCall();

  // ---- any thread
  void Cancel() { FailByCaller("cancelled by the caller"); }
  void Fail(absl::Status why) override;
  std::shared_ptr<void> FailAfter(absl::Duration limit, std::string_view what) override;
  void HalfClose();
  // The user's handle is gone.
  void Abandon();
  // After the call has ended and its waiter has been told.
  const Metadata& trailing_metadata() const { return trailing_; }

  // ---- the loop
  void Start();  // arms the deadline, and asks the channel for a place
  // The channel knows its service config now.
  void OnConfig();
  bool ended() const { return ended_.load(std::memory_order_relaxed); }
  const MethodSpec& method() const { return method_; }
  // What is left until the deadline; nullopt without one.
  std::optional<absl::Duration> TimeLeft() const;
  // Ends the call with a status of our own making. The stream, if any, is cancelled. Interceptors may still change it.
  void End(const absl::Status& status);
  absl::Status Explained(absl::Status failure) const override;

 private:
  friend class ClientInterception;
  friend class FinishOperation;
  friend class MetadataOperation;

  // AttemptedCall
  void DescribeTo(wire::RequestHead* head) const override;
  bool wait_for_ready() const override { return wait_for_ready_.value_or(false); }
  StreamObserver& observer() override { return *this; }
  void OnPicked(std::unique_ptr<CallWatcher> watcher) override { watcher_ = std::move(watcher); }
  void OnStream(MessageStream& stream) override;  // what waits is sent
  void OnNoStream(const absl::Status& why) override { End(why); }
  void UseStream(MessageStream& stream) override { ReplaceStream(stream); }
  const std::shared_ptr<const CallCredentialsList>& credentials() const override { return credentials_; }
  bool may_go_elsewhere() const override { return retry_; }

  // StreamObserver
  void OnInitialMetadata(Metadata metadata) override;
  void OnEnd(absl::Status status, Metadata trailing) override;
  void OnReset(absl::Status status) override;
  void OnSendingEnd() override;
  void OnWritesDrained() override;
  void CompressBy(std::string_view encoding);
  void HalfCloseHere();
  void FailByCaller(const char* what);
  void Inherit(std::shared_ptr<const Inherited> parent, const Metadata& own, transport::MonotonicTime made_at);
  absl::Duration LeftOf(const Inherited& parent, transport::MonotonicTime now) const;
  absl::Time WallNow() const;
  void FollowParent();
  void OnParentCancelled();
  void Begin();
  void Watch();
  // False: there is no config yet, and the call waits for it; or the call has ended.
  bool Configure();
  void LimitRequests(size_t bytes_max);
  void MakeAttempts(const MethodConfig* config);
  void SendRequest();
  void DropRequest();
  bool GoElsewhere(const absl::Status& status);
  // From now on; InfiniteDuration: none.
  void SetTimeout(absl::Duration timeout) { SetTimeout(timeout, event_loop_.Now()); }
  void SetTimeout(absl::Duration timeout, transport::MonotonicTime since);
  void SetDeadline();
  void OnDeadline();
  std::string DeadlineText() const;
  void AskForPlace();
  FailedCall Failed() const;
  void Stop(const absl::Status& status);
  void OnStreamEnd(absl::Status status, Why::By by, Why::Phase phase);
  // Ends a call for whose next step there is no memory.
  void OnNoMemory() noexcept;
  void OnInterceptorsReturned(absl::Status status);
  absl::Status WithOwnWhy(absl::Status status) const;
  void Conclude(absl::Status status);
  void TellMetadataWaiter();
  void TellWatcher(const absl::Status& status) {
    if (watcher_ != nullptr) [[unlikely]]
      std::exchange(watcher_, nullptr)->OnCallEnd(status);
  }

  // MessageReceiver: discards what nobody reads once Finish waits.
  absl::StatusOr<bool> OnPayload(const transport::ChunkedBytes&) override { return true; }
  void OnNoMore() override {}
  void OnReceived() override {}

  const std::shared_ptr<ChannelCore> channel_;
  transport::EventLoop& event_loop_;
  const std::unique_ptr<const std::string> own_path_;  // null: the path of the method is of static storage
  const MethodSpec method_;
  Metadata metadata_;
  absl::Duration timeout_;  // InfiniteDuration: none
  transport::MonotonicTime deadline_at_{};
  transport::MonotonicTime started_at_{};
  absl::StatusOr<transport::SharedBytes> framed_request_ = transport::SharedBytes();  // or why there can be no call
  Metadata initial_;
  Metadata trailing_;
  std::optional<transport::Timer> deadline_;
  std::unique_ptr<ClientInterception> interception_;
  const std::shared_ptr<const CallCredentialsList> credentials_;  // the channel's, and its own; null: none
  std::shared_ptr<CallAttempts> attempts_;  // null: there is one, and what repeats it repeats all of it
  std::unique_ptr<CallWatcher> watcher_;    // null: the policy does not want to hear of the end
  struct Family;
  std::unique_ptr<Family> family_;  // null: the call has no parent
  FinishOperation* finish_waiter_ = nullptr;
  MetadataOperation* metadata_waiter_ = nullptr;
  uint32_t response_bytes_max_ = UINT32_MAX;  // of a message, by the service config
  uint32_t counted_bytes_ = 0;                // of framed_request_, in the channel's budget
  std::optional<bool> wait_for_ready_;
  const bool retry_;
  bool refused_ = false;  // a server has said that it had not looked at it
  bool half_close_wanted_ = false;
  bool initial_received_ = false;
  std::atomic<bool> ended_ = false;
};

}  // namespace weir
