// ServerCall: one call on the server, from its request head to the return of its handler.
//
//   kRunning --handler returns--> status sent, or held by the peer's window --> done
//   kRunning --reset, deadline, connection lost--> kCancelled --handler returns--> done
//
// A cancelled call keeps its place until its handler has returned: resetting streams does not buy a client more
// handlers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "weir/rpc/core/call.h"
#include "weir/rpc/core/interceptors.h"
#include "weir/rpc/core/method.h"
#include "weir/rpc/core/task.h"
#include "weir/rpc/server/handler_queue.h"
#include "weir/rpc/server/server_context.h"
#include "weir/transport/io/event_loop.h"
#include "weir/transport/memory/block_pool.h"

namespace weir {

class ServerCall;
class ServerInterception;

// The connection a call came on.
class ServerCallOwner {
 public:
  // The peer's window holds back what the handler, which runs, has written.
  virtual void OnWriteHeld(ServerCall& call, MessageStream& stream) = 0;

  // The handler has returned, and the peer's window holds its response back. `deadline` is the call's: max() without
  // one.
  virtual void OnResponseHeld(MessageStream& stream, transport::MonotonicTime deadline) = 0;

  // The handler has returned.
  // `call` may be destroyed as soon as no method of it is running.
  virtual void OnCallDone(ServerCall& call) = 0;

 protected:
  ~ServerCallOwner() = default;
};

class ServerCall final : public Call, public transport::Pooled, private TaskRoot {
 public:
  // `workers` null: the handler runs on the loop.
  ServerCall(transport::EventLoop& loop, HandlerQueue* workers, ServerCallOwner& owner, MessageStream& stream,
             std::shared_ptr<const ReceivedHead> head, const std::string& peer);
  ~ServerCall();

  ServerContext& context() { return context_; }
  transport::EventLoop& event_loop() const { return event_loop_; }

  const ReceivedHead& head() const { return *context_.head_; }

  // Starts the timer of the deadline that the head names, if it does.
  void BeginDeadline();
  // Starts the handler of the method that the head names, perhaps later; a call that has ended before that is over
  // (ServerCallOwner::OnCallDone). `interceptors` may be null, and must outlive the call.
  void Start(const Interceptors* interceptors);
  // Where that, or the beginning of the deadline, has thrown std::bad_alloc. The call is over.
  void FailToStart();

  // The reply of a unary or client-streaming method; its status follows with the handler's return. From the handler.
  // An error: there is no reply, and this is the call's status.
  absl::Status SendReply(const OutgoingMessage& reply);

  // See ServerContext.
  void SetCompression(std::string_view encoding);

  // Answers with `why`, and cancels the handler: the deadline passed, a message was bad, the server stops. Any thread.
  void Fail(absl::Status why) override;
  std::shared_ptr<void> FailAfter(absl::Duration limit, std::string_view what) override;

 private:
  friend class ServerInterception;

  void OnInitialMetadata(Metadata) override {}
  void OnEnd(absl::Status status, Metadata trailing) override;
  void OnReset(absl::Status status) override;
  void OnSendingEnd() override {}  // a server's sending half ends by Finish or reset only
  void OnTaskDone() noexcept override;
  void OnHandlerReturned() noexcept;
  // False: an interceptor has returned, and the handler has not.
  bool Answer();
  void RunHandler(Task<absl::Status>& handler, TaskRoot* root);
  static Task<absl::Status> NotRun(absl::Status why);  // in the place of a handler
  absl::Status TooManyQueued() const;
  void RefuseUnprocessed();
  void Done();
  void DoneIfNotStarted();
  void SetDeadline(absl::Duration timeout);
  void OnDeadline();
  void BeforeMessage() override;
  void OnWriteHeld() override { owner_.OnWriteHeld(*this, *stream()); }

  transport::EventLoop& event_loop_;
  HandlerQueue* const workers_;
  ServerCallOwner& owner_;
  ServerContext context_;
  transport::SharedBytes reply_;  // to be sent when the handler has returned
  std::unique_ptr<ServerInterception> interception_;
  Task<absl::Status> handler_;                  // or the interceptors around it
  std::unique_ptr<transport::Timer> deadline_;  // null: the client set none
  bool initial_sent_ = false;
  bool started_ = false;

 public:
  // Its place in the owner's list of calls.
  ServerCall* previous = nullptr;
  ServerCall* next = nullptr;
};

}  // namespace weir
