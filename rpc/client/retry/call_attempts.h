// CallAttempts: the attempts of one call, between the call and its channel. Only calls have one whose method has a
// policy, which stream their request, or which have credentials.
//
//              asks for a stream                       asks for a stream, once per attempt
//   ClientCall ----------------> CallAttempts (Attempt, Attempt, ...) ----------------> ChannelCore
//              <--is given one--                <--is given one each--
//
//   kOpen --response head, or more sent than is kept--> kCommitted    the call and the winner's stream find each other; what
//     |                                                               passes then does not pass here
//     +--the last attempt failed, or the call has ended--> kOver
//
// To the call it is a stream: what the call sends is kept (ReplayBuffer) and goes to every attempt, to those that begin
// later from the beginning. To an attempt's stream it is the call. Lives on the call's loop; held by the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "weir/rpc/client/client_stream.h"
#include "weir/rpc/client/retry/attempt_plan.h"
#include "weir/rpc/client/retry/attempted_call.h"
#include "weir/rpc/client/retry/replay_buffer.h"
#include "weir/rpc/client/stream_request.h"
#include "weir/rpc/core/metadata.h"
#include "weir/transport/io/event_loop.h"

namespace weir {

class CallAttempts final : public ClientStream, public std::enable_shared_from_this<CallAttempts> {
 public:
  // `config` null: no policy.
  CallAttempts(AttemptsHost& host, AttemptedCall& call, const MethodConfig* config);
  ~CallAttempts();

  // The first attempt begins.
  void Start();
  // The call has ended, in whatever way. The first time counts.
  void OnCallEnd(const absl::Status& status);
  // The channel closes while the call waits for its next attempt.
  void OnChannelClosed(const absl::Status& why);

  bool has_policy() const { return plan_.has_policy(); }
  int begun() const { return begun_; }
  // "; attempt 1 failed: UNAVAILABLE: ...", or nothing: for the text of a deadline that passes while another one is
  // waited for.
  std::string LastFailureText() const;
  // Does an attempt wait for the call's credentials?
  bool asks_credentials() const;
  // The attempt that waits for a stream; null: none does.
  const StreamRequest* waiting() const;

  // ---- MessageStream: what the call asks for
  void Bind(StreamObserver&) override {}
  std::string_view peer() const override { return peer_; }
  void WantMessage() override { wanted_ = true; }
  void WantNoMessage() override { wanted_ = false; }
  void ExpectMessage() override;
  void LimitMessages(size_t bytes_max) override;
  char* Reserve(size_t) override { return nullptr; }  // every message is kept
  bool SendMessage(transport::SharedBytes framed) override;
  void HalfClose() override;
  void Cancel(const absl::Status& status) override { Stop(status); }

 private:
  class Attempt;
  using AttemptPtr = std::shared_ptr<Attempt>;
  enum class State : uint8_t { kOpen, kCommitted, kOver };

  // How an attempt failed, and so by which way the call is told.
  struct Failure {
    enum class How : uint8_t { kNoStream, kReset, kEnd };
    How how = How::kNoStream;
    absl::Status status;
    Metadata trailing;
    int attempt = 0;
  };

  // The attempt that came last to a connection, or one that runs, was or is there.
  bool WasAt(std::string_view address) const;
  // Without memory for a step the call ends.
  template <class Step>
  void Do(Step step) {
    try {
      step();
    } catch (const std::bad_alloc&) {
      OnNoMemory();
    }
  }
  void OnNoMemory();
  void Begin();
  void Seek(int number);
  void OnTimer();
  void OnAttemptStream(Attempt& attempt);
  void OnAttemptHead(Attempt& attempt, Metadata metadata);
  void OnAttemptWritable(Attempt& attempt);
  void OnAttemptSuccess(Attempt& attempt, Metadata trailing);
  void OnAttemptFailed(Attempt& attempt, Failure failure);
  bool GoElsewhere(const Failure& failure);
  void Pause(absl::Duration pause);
  void GoOn();
  void Commit(Attempt& winner);
  void LetCallWrite();
  void FailCall();
  void Remove(const Attempt& attempt);
  void Stop(const absl::Status& status);

  AttemptsHost& host_;
  AttemptedCall& call_;
  AttemptPlan plan_;
  ReplayBuffer kept_;
  std::vector<AttemptPtr> running_;                          // in the order in which they began
  transport::Timer timer_;                                   // the next attempt begins
  std::optional<std::list<CallAttempts*>::iterator> pause_;  // among the channel's
  std::optional<Failure> last_failure_;
  std::string peer_;  // of the attempt that came last to a connection
  size_t message_bytes_max_ = 0;
  int begun_ = 0;
  State state_ = State::kOpen;
  bool given_ = false;        // the call has this as its stream
  bool limited_ = false;      // message_bytes_max_ counts
  bool expected_ = false;     // a message, in any case
  bool wanted_ = false;       // a message, now
  bool half_closed_ = false;  // by the call
  bool overflowed_ = false;   // more is kept than should be: the next stream is the last one
  bool call_waits_ = false;   // for OnWritable
  bool refused_ = false;      // a server has said that it did not look at an attempt
  bool processed_ = false;    // perhaps: an attempt failed, and its server did not say that it had not looked at it
};

}  // namespace weir
