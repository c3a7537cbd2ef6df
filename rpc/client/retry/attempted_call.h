// AttemptedCall and AttemptsHost: what the attempts of a call see of the call and of its channel.
#pragma once

#include <list>
#include <memory>

#include "weir/rpc/client/call_credentials/call_credentials.h"
#include "weir/rpc/client/retry/replay_buffer.h"
#include "weir/rpc/client/retry/retry_throttle.h"
#include "weir/rpc/client/stream_request.h"
#include "weir/rpc/core/message_stream.h"
#include "weir/transport/io/event_loop.h"

namespace weir {

class CallAttempts;

// What attempts see of their call.
class AttemptedCall : public StreamRequest {
 public:
  // `stream` is the call's from now on, in place of the CallAttempts that it was given.
  virtual void UseStream(MessageStream& stream) = 0;
  // Asked before each attempt; null: none.
  virtual const std::shared_ptr<const CallCredentialsList>& credentials() const = 0;
  // When a server says that it has not looked at it.
  virtual bool may_go_elsewhere() const = 0;

 protected:
  ~AttemptedCall() = default;
};

// What attempts need of their channel. Outlives its calls.
class AttemptsHost {
 public:
  virtual void Place(std::shared_ptr<StreamRequest> attempt) = 0;
  virtual void Forget(const StreamRequest& attempt) = 0;
  virtual transport::EventLoop& loop() = 0;
  virtual ReplayBudget& replay_budget() = 0;
  virtual RetryThrottle* throttle() = 0;  // null: the service config has none
  virtual double Random() = 0;            // in [0, 1)
  virtual bool credentials_over_plaintext() const = 0;

  // Its credentials are being asked, and nobody but this knows of the attempt, until OnAuthorized. If the channel
  // closes meanwhile it is told by OnNoStream.
  virtual std::list<StreamRequest*>::iterator OnAuthorizing(StreamRequest& attempt) = 0;
  virtual void OnAuthorized(std::list<StreamRequest*>::iterator place) = 0;

  // No attempt runs, and nobody but this knows of the call, until OnGoesOn. True: do not wait, the channel closes.
  virtual bool OnPause(CallAttempts& attempts, std::list<CallAttempts*>::iterator* place) = 0;
  virtual void OnGoesOn(std::list<CallAttempts*>::iterator place) = 0;

 protected:
  ~AttemptsHost() = default;
};

}  // namespace weir
