// Typed messages over a call: Reader, Writer, and the operations that they return. The same on both sides.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/rpc/core/call.h"
#include "weir/rpc/core/operation.h"
#include "weir/rpc/core/task.h"
#include "weir/rpc/core/timed_operation.h"
#include "weir/rpc/wire/message_codec.h"

namespace weir {

namespace wire {

// Decodes a message that has come, and shows it to the call's interceptors. An error ends the call.
template <class M>
absl::Status Receive(Call& call, const transport::ChunkedBytes& payload, M* message) {
  absl::Status decoded = DecodeMessage(payload, message);
  if (decoded.ok() && call.interception() != nullptr && !call.delivers_again()) {
    return ShowReceived(*call.interception(), *message);
  }
  return decoded;
}

// The next one that receives gets `message`, for which its receiver has no use any more. On the call's loop.
void GiveBack(Call& call, const OutgoingMessage& message);

}  // namespace wire

// co_await GiveBackOperation(call, message): the same from anywhere.
template <class M>
class [[nodiscard]] GiveBackOperation final : public Operation {
 public:
  GiveBackOperation(Call& call, const M& message) : Operation(call.loop()), call_(call), message_(message) {}
  void await_resume() const {}

 private:
  bool Begin() override {
    wire::GiveBack(call_, wire::Outgoing(message_));
    return true;
  }
  void Forget() override {}

  Call& call_;
  const M& message_;
};

// Waits for the next message: std::optional<M>, nullopt when none comes any more.
template <class M>
class [[nodiscard]] ReadOperation : public Operation, private MessageReceiver {
 public:
  explicit ReadOperation(Call& call) : Operation(call.loop()), call_(call) {}
  virtual ~ReadOperation() {
    if (pending()) ReadOperation::Forget();
  }

  std::optional<M> await_resume() { return std::move(message_); }

  // WhenAny: this has lost, and has come to this result all the same.
  Task<void> GiveBack(std::optional<M> message) {
    if (message.has_value()) co_await GiveBackOperation<M>(call_, *message);
  }

  // The same, but it ends the call with DEADLINE_EXCEEDED if none comes for so long (timed_operation.h).
  TimedOperation<ReadOperation> Within(absl::Duration limit) const {
    return TimedOperation<ReadOperation>(call_, limit, "Read: no message came", call_);
  }

  // Blocks a plain thread until the message is there. nullopt on a loop's thread, and the call then ends with an error
  // that says so.
  std::optional<M> Wait() {
    if (!call_.MayBlock("Read().Wait()").ok()) return std::nullopt;
    return AsTask(*this).Wait();
  }

 protected:
  bool Begin() override { return call_.Receive(*this); }
  void Forget() override { call_.StopReceiving(*this); }
  void OnNoMemory() override { call_.OnNoMemory(); }

 private:
  static Task<std::optional<M>> AsTask(ReadOperation& self) { co_return co_await self; }

  absl::StatusOr<bool> OnPayload(const transport::ChunkedBytes& payload) override {
    absl::Status decoded = wire::Receive(call_, payload, &message_.emplace());
    if (decoded.ok()) return false;
    message_.reset();
    return decoded;
  }
  void OnNoMore() override {}
  void OnReceived() override { Complete(); }

  Call& call_;
  std::optional<M> message_;
};

// Waits for the only message of a half and for the half's end: what a unary request, or reply, is.
// Result: OK, or why there is no such message.
class [[nodiscard]] ReceiveOneOperation : public Operation, private MessageReceiver {
 public:
  explicit ReceiveOneOperation(Call& call) : Operation(call.loop()), call_(call) {}
  virtual ~ReceiveOneOperation();

  absl::Status await_resume() { return std::move(result_); }

 protected:
  Call& call() const { return call_; }

 private:
  // Decodes the message, which is asked for when it has come, so that calls that wait for theirs own none.
  virtual absl::Status Decode(const transport::ChunkedBytes& payload) = 0;
  // The message that was decoded goes back to the call.
  virtual void GiveBackMessage() = 0;
  bool Begin() override;
  void Forget() override;
  void OnNoMemory() override;
  absl::StatusOr<bool> OnPayload(const transport::ChunkedBytes& payload) override;
  void OnNoMore() override;
  void OnReceived() override;

  Call& call_;
  absl::Status result_;  // set on the loop, taken where the waiter lives
  bool received_ = false;
};

// Messages of one half, read in order by one coroutine at a time. Belongs to its call.
template <class M>
class Reader {
 public:
  explicit Reader(Call& call) : call_(call) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // nullopt: the peer sends no more, or the call has ended. The peer's window reopens as messages are read.
  ReadOperation<M> Read() { return ReadOperation<M>(call_); }

  // Did the last message that was read come compressed?
  bool last_message_compressed() const { return call_.last_message_compressed(); }

 private:
  Call& call_;
};

// Messages written in order. Belongs to its call.
template <class M>
class Writer {
 public:
  explicit Writer(Call& call) : call_(call) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Completes when flow control has taken the message (back-pressure); false: the peer is gone or the call has ended.
  // The message is encoded when the write is awaited, and must live until it has completed: `co_await` and Wait() see
  // to that, also for a temporary.
  WriteOperation Write(const M& message, WriteOptions options = WriteOptions()) {
    return WriteOperation(call_, wire::Outgoing(message), options);
  }

 private:
  Call& call_;
};

}  // namespace weir
