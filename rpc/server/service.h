// Service and the four shapes of a handler: what generated code needs on the server side.
//
// A generated class FooService derives from Service and has one virtual coroutine per method:
//
//   unary              Task<absl::StatusOr<Reply>> M(ServerContext&, const Request&)
//   client streaming   Task<absl::StatusOr<Reply>> M(ServerContext&, Reader<Request>&)
//   server streaming   Task<absl::Status>          M(ServerContext&, const Request&, Writer<Reply>&)
//   bidi streaming     Task<absl::Status>          M(ServerContext&, Reader<Request>&, Writer<Reply>&)
//
// `Serve<&FooService::M>` adapts any of them to one function pointer. Arguments live until the coroutine returns. A
// handler may read in one coroutine and write in another, both on its own executor, and returns after both have ended.
#pragma once

#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/arena.h"
#include "weir/rpc/core/call.h"
#include "weir/rpc/core/method.h"
#include "weir/rpc/core/outgoing_message.h"
#include "weir/rpc/core/task.h"
#include "weir/rpc/server/recycled.h"
#include "weir/rpc/server/server_context.h"
#include "weir/rpc/wire/messages.h"

namespace weir {

class ServerCall;
class Service;

// Runs one call of a method from its first message to its status.
using ServerHandler = Task<absl::Status> (*)(Service&, ServerCall&);

struct ServerMethod {
  MethodSpec spec;
  ServerHandler handler;
};

class Service {
 public:
  virtual ~Service() = default;
  // A constant table; the same on every call.
  virtual std::span<const ServerMethod> methods() const = 0;
  // Serves what no table has (GenericService); null for all others.
  virtual const ServerMethod* any_method() const { return nullptr; }
};

namespace internal {

// What is needed below of a call on the server, so that generated code is compiled without its definition.
Call& AsCall(ServerCall& call);
ServerContext& ContextOf(ServerCall& call);
// Where the request of `call`, which is a ServerCall, is parsed (ServerOptions::message_arena). Null: by itself.
google::protobuf::Arena* RequestArenaOf(Call& call);
// Unless the handler has replied (ServerContext::Reply).
absl::Status SendReply(ServerCall& call, const OutgoingMessage& reply);

// Waits for the only request of a call.
template <class Request>
class RequestOperation final : public ReceiveOneOperation {
 public:
  explicit RequestOperation(ServerCall& call) : ReceiveOneOperation(AsCall(call)) {}
  const Request& message() const { return *message_; }

 private:
  absl::Status Decode(const transport::ChunkedBytes& payload) override {
    google::protobuf::Arena* const arena = RequestArenaOf(call());
    message_ =
        arena != nullptr ? google::protobuf::Arena::CreateMessage<Request>(arena) : &request_.Take(payload.size());
    return wire::Receive(call(), payload, message_);
  }

  void GiveBackMessage() override {}  // nobody else waits for it

  Request* message_ = nullptr;  // on the call's arena, or request_'s
  Recycled<Request> request_;
};

template <class Reply>
absl::Status SendReply(ServerCall& call, const absl::StatusOr<Reply>& reply) {
  if (!reply.ok()) return reply.status();
  return SendReply(call, wire::Outgoing(*reply));
}

template <class S, class Request, class Reply>
Task<absl::Status> Run(Task<absl::StatusOr<Reply>> (S::*method)(ServerContext&, const Request&), S& service,
                       ServerCall& call) {
  RequestOperation<Request> request(call);
  absl::Status received = co_await request;
  if (!received.ok()) co_return received;
  Task<absl::StatusOr<Reply>> handler = (service.*method)(ContextOf(call), request.message());
  co_return SendReply(call, co_await handler.Borrow());
}

template <class S, class Request, class Reply>
Task<absl::Status> Run(Task<absl::StatusOr<Reply>> (S::*method)(ServerContext&, Reader<Request>&), S& service,
                       ServerCall& call) {
  Reader<Request> reader(AsCall(call));
  Task<absl::StatusOr<Reply>> handler = (service.*method)(ContextOf(call), reader);
  co_return SendReply(call, co_await handler.Borrow());
}

template <class S, class Request, class Reply>
Task<absl::Status> Run(Task<absl::Status> (S::*method)(ServerContext&, const Request&, Writer<Reply>&), S& service,
                       ServerCall& call) {
  RequestOperation<Request> request(call);
  absl::Status received = co_await request;
  if (!received.ok()) co_return received;
  Writer<Reply> writer(AsCall(call));
  co_return co_await (service.*method)(ContextOf(call), request.message(), writer);
}

template <class S, class Request, class Reply>
Task<absl::Status> Run(Task<absl::Status> (S::*method)(ServerContext&, Reader<Request>&, Writer<Reply>&), S& service,
                       ServerCall& call) {
  Reader<Request> reader(AsCall(call));
  Writer<Reply> writer(AsCall(call));
  co_return co_await (service.*method)(ContextOf(call), reader, writer);
}

template <class>
struct ServiceOf;
template <class R, class S, class... Args>
struct ServiceOf<R (S::*)(Args...)> {
  using Type = S;
};

}  // namespace internal

template <auto method>
Task<absl::Status> Serve(Service& service, ServerCall& call) {
  using S = typename internal::ServiceOf<decltype(method)>::Type;
  return internal::Run(method, static_cast<S&>(service), call);
}

}  // namespace weir
