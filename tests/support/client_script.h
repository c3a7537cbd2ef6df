// ClientScript: a CallScript of a channel's core and its calls. The calls are coroutines of the test, which use them as
// generated code does.
//
//   Task<void> CallUnary(ClientWorld& world) {
//     TestCall call = world.Call("Unary", "hello");
//     absl::StatusOr<bench::Payload> reply = co_await call.Reply();
//     world.Log(reply.ok() ? "reply " + reply->body() : Line(reply.status()));
//   }
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/benchmark/bench.pb.h"
#include "weir/rpc/client/call_options.h"
#include "weir/rpc/client/channel_core.h"
#include "weir/rpc/client/channel_options.h"
#include "weir/rpc/client/client_call.h"
#include "weir/rpc/client/client_call_ptr.h"
#include "weir/rpc/client/client_operations.h"
#include "weir/rpc/core/task.h"
#include "weir/rpc/wire/message_codec.h"
#include "weir/tests/support/call_script.h"

namespace weir::testing {

// A call of any kind, as stub.h has four of.
class TestCall {
 public:
  explicit TestCall(std::shared_ptr<ClientCall> call) : call_(std::move(call)) {}

  Task<bool> Write(std::string body, WriteOptions options = WriteOptions()) {
    bench::Payload payload;
    payload.set_body(std::move(body));
    co_return co_await WriteOperation(*call_, wire::Outgoing(payload), options);
  }
  Task<bool> WriteWithin(std::string body, absl::Duration limit) {
    bench::Payload payload;
    payload.set_body(std::move(body));
    co_return co_await WriteOperation(*call_, wire::Outgoing(payload)).Within(limit);
  }
  ReadOperation<bench::Payload> Read() { return ReadOperation<bench::Payload>(*call_); }
  Task<std::optional<bench::Payload>> ReadAsTask() { co_return co_await ReadOperation<bench::Payload>(*call_); }
  void WritesDone() { call_->HalfClose(); }
  FinishOperation Finish() {
    call_->HalfClose();
    return FinishOperation(*call_);
  }
  ReplyOperation<bench::Payload> Reply() { return ReplyOperation<bench::Payload>(*call_); }
  MetadataOperation InitialMetadata() { return MetadataOperation(*call_); }
  const Metadata& trailing_metadata() const { return call_->trailing_metadata(); }
  bool last_message_compressed() const { return call_->last_message_compressed(); }
  void Cancel() { call_->Cancel(); }
  ClientCall& call() { return *call_; }

 private:
  ClientCallPtr call_;
};

class ClientWorld final : public CallWorld {
 public:
  explicit ClientWorld(const ChannelOptions& options, uint32_t first_stream_id = 1);
  ~ClientWorld() override;

  void Start() override;
  std::vector<std::string> Leftovers() const override;

  // Starts a call of bench.Echo: with one request, or to be written.
  TestCall Call(std::string_view method, std::string_view request, const CallOptions& options = CallOptions());
  TestCall Open(std::string_view method, const CallOptions& options = CallOptions());

  ChannelCore& core() { return *core_; }

 private:
  TestCall Make(std::string_view method, const CallOptions& options, const OutgoingMessage* request);

  const uint32_t first_stream_id_;
  const std::shared_ptr<ChannelCore> core_;
  std::vector<std::weak_ptr<ClientCall>> calls_;
};

// The request head that the client writes; what follows `te` is left open.
std::string RequestLine(int stream_id, std::string_view method);

class ClientScript final : public CallScript<ClientScript, ClientWorld> {
 public:
  explicit ClientScript(ChannelOptions options = {}) : options_(std::move(options)) {}

  // The id of the first request.
  ClientScript& FirstStream(uint32_t id) {
    first_stream_id_ = id;
    return *this;
  }
  // Prefaces, the server's `settings`, and both ACKs; not seen by expectations.
  ClientScript& Handshake(const std::string& settings = "") {
    return Connect().Peer("SETTINGS " + settings + "\nSETTINGS ACK").Drop();
  }
  // The connection is there; the server has said nothing yet.
  ClientScript& Connect() {
    return Add("connect", [](ClientWorld& w, Cuts*) { w.Start(); }).Drop();
  }
  // Runs a coroutine on the channel's loop.
  ClientScript& Spawn(Task<void> (*coroutine)(ClientWorld&)) {
    return Do([coroutine](ClientWorld& w) { weir::Spawn(coroutine(w)); });
  }
  // What destroying a Channel does.
  ClientScript& Shutdown() {
    return Do([](ClientWorld& w) { w.core().Shutdown(); }).Do([](ClientWorld& w) { w.core().DropConnections(); });
  }

  std::unique_ptr<ClientWorld> MakeWorld() { return std::make_unique<ClientWorld>(options_, first_stream_id_); }

 private:
  const ChannelOptions options_;
  uint32_t first_stream_id_ = 1;
};

}  // namespace weir::testing
