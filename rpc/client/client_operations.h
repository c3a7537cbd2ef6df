// What may be awaited on a client's call beside its messages: its status, its metadata, its only reply.
//
// For generated code, which is compiled without the definition of ClientCall.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/rpc/core/call.h"
#include "weir/rpc/core/metadata.h"
#include "weir/rpc/core/operation.h"
#include "weir/rpc/core/task.h"
#include "weir/rpc/wire/messages.h"

namespace weir {

class ClientCall;

// Waits for the end of a call: its absl::Status.
class [[nodiscard]] FinishOperation final : public Operation {
 public:
  explicit FinishOperation(ClientCall& call);
  ~FinishOperation();

  absl::Status await_resume() { return std::move(result_); }
  absl::Status Wait();

 private:
  friend class ClientCall;
  bool Begin() override;
  void Forget() override;
  void OnNoMemory() override;

  ClientCall& call_;
  absl::Status result_;
};

// Waits for the response head: its metadata, empty if the call ended without.
class [[nodiscard]] MetadataOperation final : public Operation {
 public:
  explicit MetadataOperation(ClientCall& call);
  ~MetadataOperation();

  Metadata await_resume() { return std::move(result_); }
  Metadata Wait();

 private:
  friend class ClientCall;
  bool Begin() override;
  void Forget() override;

  ClientCall& call_;
  Metadata result_;
};

// Waits for the only reply and the status: absl::StatusOr<Reply>.
template <class Reply>
class [[nodiscard]] ReplyOperation final : public ReceiveOneOperation {
 public:
  explicit ReplyOperation(Call& call) : ReceiveOneOperation(call) {}

  absl::StatusOr<Reply> await_resume() {
    absl::Status status = ReceiveOneOperation::await_resume();
    if (!status.ok()) return status;
    return std::move(reply_);
  }
  // WhenAny: this has lost, and has come to this result all the same.
  Task<void> GiveBack(absl::StatusOr<Reply> reply) {
    if (reply.ok()) co_await GiveBackOperation<Reply>(call(), *reply);
  }
  absl::StatusOr<Reply> Wait() {
    absl::Status may_block = call().MayBlock("Wait() for a reply");
    if (!may_block.ok()) return may_block;
    return AsTask(*this).Wait();
  }

 private:
  static Task<absl::StatusOr<Reply>> AsTask(ReplyOperation& self) { co_return co_await self; }
  absl::Status Decode(const transport::ChunkedBytes& payload) override {
    return wire::Receive(call(), payload, &reply_);
  }

  void GiveBackMessage() override { wire::GiveBack(call(), wire::Outgoing(reply_)); }

  Reply reply_;
};

// The same into a message of the caller's: absl::Status.
template <class Reply>
class [[nodiscard]] ReplyIntoOperation final : public ReceiveOneOperation {
 public:
  ReplyIntoOperation(Call& call, Reply& reply) : ReceiveOneOperation(call), reply_(reply) {}

  // WhenAny: this has lost, and has come to this result all the same.
  Task<void> GiveBack(absl::Status result) {
    if (result.ok()) co_await GiveBackOperation<Reply>(call(), reply_);
  }
  absl::Status Wait() {
    absl::Status may_block = call().MayBlock("Wait() for a reply");
    if (!may_block.ok()) return may_block;
    return AsTask(*this).Wait();
  }

 private:
  static Task<absl::Status> AsTask(ReplyIntoOperation& self) { co_return co_await self; }
  absl::Status Decode(const transport::ChunkedBytes& payload) override {
    return wire::Receive(call(), payload, &reply_);
  }
  void GiveBackMessage() override { wire::GiveBack(call(), wire::Outgoing(reply_)); }

  Reply& reply_;
};

}  // namespace weir
