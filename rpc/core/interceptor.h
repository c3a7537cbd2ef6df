// Interceptor: code around calls, the same on both sides and for all four kinds: logging, authentication, metrics,
// caches.
//
//   class Logging final : public weir::Interceptor {
//     weir::Task<absl::Status> Intercept(const weir::MethodSpec& method, weir::InterceptedCall& call,
//                                        const weir::Next& next) override {
//       absl::Status status = co_await next(call);        // the rest of the chain, and the call
//       std::clog << method.path << " " << call.peer() << " " << status << "\n";
//       co_return status;                                 // what it returns is the outcome
//     }
//   };
//   options.interceptors.push_back(std::make_shared<Logging>());       // ServerOptions or ChannelOptions
//
//   client   application -> first (outermost) -> ... -> last -> network
//   server   network -> first (outermost) -> ... -> last -> handler
//
// Order is the order in the options. One object serves all calls of its server or channel, on several threads if that
// has several loops; it is shared with them and lives until the last of them has ended.
//
// Where it runs: on the call's loop, coroutine and hooks both, also if handlers run on workers. So what belongs to one
// call needs no lock, hooks may refer to locals of the coroutine, and nothing here may block.
//
// It may refuse a call (return a status without calling `next`), answer it (Reply), and change metadata, messages,
// timeout and status. When it sees what:
//
//                          client                                  server
//   before next            nothing is sent yet                     the head has come; no message has been read
//   after next             the server's status and trailing        the handler has returned; nothing of its status,
//                          metadata, every message read            and of a unary method no reply, has been sent
//
// A call that is ended from this side (Cancel, deadline, dropped, channel closed) gives `next` that status at once. On
// the client its user is told then, too, without waiting for interceptors that wait for something else; their outcome
// comes too late. A channel that is closed is the exception: it waits for them. On the server `next` waits for the
// handler in any case.
// Calls that no handler would have seen (unknown method, malformed head) are not seen here either.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "weir/rpc/core/intercepted_message.h"
#include "weir/rpc/core/interceptors.h"
#include "weir/rpc/core/metadata.h"
#include "weir/rpc/core/method.h"
#include "weir/rpc/core/outgoing_message.h"
#include "weir/rpc/core/task.h"

namespace weir {

class InterceptorChain;

enum class CallSide : uint8_t { kClient, kServer };

// One call as interceptors see it.
class InterceptedCall {
 public:
  using MessageHook = std::function<absl::Status(InterceptedMessage& message)>;
  using MetadataHook = std::function<void(Metadata& metadata)>;

  InterceptedCall(const InterceptedCall&) = delete;
  InterceptedCall& operator=(const InterceptedCall&) = delete;

  CallSide side() const { return side_; }

  // Client: what the channel was made for. Server: the authority that the client named.
  virtual std::string_view target() const = 0;
  // Address at the other end of the connection, "127.0.0.1:40712". Client: empty before the call has one.
  virtual std::string_view peer() const = 0;

  // When the call's time is over: InfiniteFuture if it has no deadline.
  virtual absl::Time deadline() const = 0;
  // From now on; shorter or longer than it was. Client: the server is told what it is when `next` is called.
  virtual void SetTimeout(absl::Duration timeout) = 0;

  // Client: what is sent, until `next` is called. Server: what came, and what the handler sees.
  virtual Metadata& request_metadata() = 0;
  // Client: what came before the first message; empty before, see OnInitialMetadata. Server: what is sent then.
  virtual Metadata& initial_metadata() = 0;
  // Client: what came with the status, after `next`. Server: what is sent with it.
  virtual Metadata& trailing_metadata() = 0;

  // Hooks are set before `next` is called, and run until their interceptor returns. A hook must not end the call but by
  // what it returns.
  //
  // The response's metadata. Client: has come. Server: is about to be sent.
  void OnInitialMetadata(MetadataHook hook) { metadata_hooks_.push_back(std::move(hook)); }
  // Each message of the client, on its way to the server: the outermost interceptor first, on both sides. A status ends
  // the call with it.
  void OnRequestMessage(MessageHook hook) { request_hooks_.push_back(std::move(hook)); }
  // Each message of the server, on its way to the client: the innermost first.
  void OnResponseMessage(MessageHook hook) { response_hooks_.push_back(std::move(hook)); }

  // Answers in place of the server or handler, for methods with one reply to one request: wire::Outgoing(message). The
  // interceptor then returns OK without having called `next`. FAILED_PRECONDITION for other methods, if there is a
  // reply already, and while `next` runs; otherwise what a hook said of the reply.
  virtual absl::Status Reply(const OutgoingMessage& reply) = 0;

 protected:
  explicit InterceptedCall(CallSide side) : side_(side) {}
  virtual ~InterceptedCall() = default;

 private:
  friend class InterceptorChain;

  const CallSide side_;
  std::vector<MetadataHook> metadata_hooks_;
  std::vector<MessageHook> request_hooks_;
  std::vector<MessageHook> response_hooks_;
};

// The rest of the chain, and the call itself.
class Next {
 public:
  // Runs it when awaited; gives its status. At most once per interceptor: a second one gives FAILED_PRECONDITION. An
  // interceptor that returns while it runs cancels it.
  Task<absl::Status> operator()(InterceptedCall& call) const;

 private:
  friend class InterceptorChain;
  Next(InterceptorChain& chain, size_t level) : chain_(chain), level_(level) {}

  InterceptorChain& chain_;
  const size_t level_;
  mutable bool called_ = false;
};

class Interceptor {
 public:
  virtual ~Interceptor() = default;
  // Arguments live until the coroutine returns. An exception that leaves it is UNKNOWN, as one of a handler.
  virtual Task<absl::Status> Intercept(const MethodSpec& method, InterceptedCall& call, const Next& next) = 0;
};

}  // namespace weir
