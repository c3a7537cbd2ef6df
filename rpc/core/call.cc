#include "weir/rpc/core/call.h"

#include <utility>

#include "weir/rpc/core/interceptor_chain.h"
#include "weir/rpc/core/status.h"
#include "weir/rpc/core/timed_operation.h"
#include "weir/transport/io/blocking_executor.h"

namespace weir {

// ---- WriteOperation -------------------------------------------------------------------------------------------------

WriteOperation::WriteOperation(Call& call, OutgoingMessage message, WriteOptions options)
    : Operation(call.loop()), call_(call), message_(message), options_(options) {}

WriteOperation::~WriteOperation() {
  if (state_ == State::kWaitingToSend || state_ == State::kWaitingForWindow) WriteOperation::Forget();
}

void WriteOperation::Forget() { call_.Forget(*this); }

bool WriteOperation::await_ready() {
  if (transport::Executor::Current() == &call_.loop() && call_.SendNow(message_)) {
    accepted_ = true;
    return true;
  }
  if (call_.interception() != nullptr) return Operation::await_ready();
  absl::StatusOr<transport::SharedBytes> framed = call_.Encode(message_, options_);
  if (!framed.ok()) {
    call_.Fail(framed.status());
    return true;
  }
  framed_ = *std::move(framed);
  return Operation::await_ready();
}

TimedOperation<WriteOperation> WriteOperation::Within(absl::Duration limit) const {
  return TimedOperation<WriteOperation>(call_, limit, "Write: the peer took no more", call_, message_, options_);
}

void WriteOperation::OnNoMemory() { call_.OnNoMemory(); }

bool WriteOperation::Begin() { return call_.Write(*this); }

Task<bool> WriteOperation::AsTask(WriteOperation& self) { co_return co_await self; }

bool WriteOperation::Wait() {
  if (!call_.MayBlock("Write(...).Wait()").ok()) return false;
  return AsTask(*this).Wait();
}

void Call::OnNoMemory() { Fail(OutOfMemory()); }

absl::Status Call::MayBlock(std::string_view what) {
  absl::Status may_block = transport::BlockingExecutor::MayBlock(what);
  if (!may_block.ok()) Fail(may_block);
  return may_block;
}

absl::StatusOr<transport::SharedBytes> Call::Encode(const OutgoingMessage& message, WriteOptions options) const {
  return message.Encode(options.uncompressed() ? nullptr : compressor_,
                        framed_bytes_max_.load(std::memory_order_relaxed));
}

// ---- reading --------------------------------------------------------------------------------------------------------

bool Call::Receive(MessageReceiver& receiver) {
  if (receiver_ != nullptr) {
    // Two readers at once is a mistake of the application; answering it must not disturb the first.
    receiver.OnNoMore();
    return true;
  }
  if (given_back_ != nullptr && !DeliverAgain(receiver)) return true;
  if (read_ended_) {
    receiver.OnNoMore();
    return true;
  }
  receiver_ = &receiver;
  if (stream_ != nullptr) {
    receiving_ = true;
    stream_->WantMessage();
    receiving_ = false;
  }
  return receiver_ == nullptr;
}

void Call::GiveBack(transport::SharedBytes framed) {
  given_back_ = std::make_unique<transport::SharedBytes>(std::move(framed));
}

// True if the receiver wants another one.
bool Call::DeliverAgain(MessageReceiver& receiver) {
  const std::unique_ptr<transport::SharedBytes> framed = std::move(given_back_);
  delivers_again_ = true;
  const absl::StatusOr<bool> more = receiver.OnPayload(framed->bytes.substr(OutgoingMessage::kPrefixBytes));
  delivers_again_ = false;
  if (more.ok()) return *more;
  Fail(more.status());
  receiver.OnNoMore();
  return false;
}

void Call::StopReceiving(MessageReceiver& receiver) {
  if (receiver_ != &receiver) return;
  receiver_ = nullptr;
  if (stream_ != nullptr) stream_->WantNoMessage();
}

MessageReceiver* Call::TakeReceiver() { return std::exchange(receiver_, nullptr); }

bool Call::OnMessage(const ReceivedMessage& message) {
  if (receiver_ == nullptr) return false;
  last_message_compressed_ = message.was_compressed;
  absl::StatusOr<bool> more = receiver_->OnPayload(message.bytes);
  if (!more.ok()) {
    Fail(more.status());
    return false;
  }
  if (*more) return true;
  MessageReceiver* receiver = TakeReceiver();
  if (!receiving_) receiver->OnReceived();
  return false;
}

void Call::EndReading(absl::Status status) {
  if (end_status_.ok()) end_status_ = std::move(status);
  if (std::exchange(read_ended_, true)) return;
  MessageReceiver* receiver = TakeReceiver();
  if (receiver == nullptr) return;
  receiver->OnNoMore();
  if (!receiving_) receiver->OnReceived();
}

// ---- writing --------------------------------------------------------------------------------------------------------

bool Call::SendNow(const OutgoingMessage& message) {
  if (write_ended_ || stream_ == nullptr || first_write_ != nullptr) return false;
  if (compressor_ != nullptr || interception_ != nullptr) return false;
  BeforeMessage();
  if (stream_ == nullptr) return false;
  const size_t bytes = message.FramedBytes();
  if (bytes > framed_bytes_max_.load(std::memory_order_relaxed)) return false;
  char* const room = stream_->Reserve(bytes);
  if (room == nullptr) return false;
  message.Write(room);
  return true;
}

absl::StatusOr<transport::SharedBytes> Call::ShowAndEncode(const OutgoingMessage& message, WriteOptions options) const {
  InterceptedMessage seen(message);
  if (absl::Status shown = interception_->OnSending(seen); !shown.ok()) return shown;
  return Encode(seen.outgoing(), options);
}

// Encodes what interceptors leave of the message. False: they have ended the call.
bool Call::Intercept(WriteOperation& write) {
  if (interception_ == nullptr) return true;
  absl::StatusOr<transport::SharedBytes> framed = ShowAndEncode(write.message_, write.options_);
  if (!framed.ok()) {
    Fail(framed.status());
    return false;
  }
  write.framed_ = *std::move(framed);
  return true;
}

bool Call::Write(WriteOperation& write) {
  if (write_ended_) return true;
  if (stream_ != nullptr && first_write_ == nullptr) {
    if (!Intercept(write)) return true;
    BeforeMessage();
    if (write_ended_) return true;
    if (stream_->SendMessage(std::move(write.framed_))) {
      write.accepted_ = true;
      write.state_ = WriteOperation::State::kDone;
      return true;
    }
    write.state_ = WriteOperation::State::kWaitingForWindow;
    OnWriteHeld();
  } else {
    write.state_ = WriteOperation::State::kWaitingToSend;
  }
  (last_write_ == nullptr ? first_write_ : last_write_->next_) = &write;
  last_write_ = &write;
  return false;
}

void Call::Forget(WriteOperation& write) {
  WriteOperation* before = nullptr;
  for (WriteOperation* w = first_write_; w != nullptr; before = w, w = w->next_) {
    if (w != &write) continue;
    (before == nullptr ? first_write_ : before->next_) = w->next_;
    if (last_write_ == w) last_write_ = before;
    write.state_ = WriteOperation::State::kDone;
    if (first_write_ == nullptr) OnWritesDrained();  // what waits for the last write, such as the end of this half
    return;
  }
}

void Call::SendWaitingWrites() {
  while (stream_ != nullptr && first_write_ != nullptr) {
    WriteOperation* write = first_write_;
    if (write->state_ == WriteOperation::State::kWaitingToSend) {
      if (!Intercept(*write)) return;  // and all writes have been told
      BeforeMessage();
      if (stream_ == nullptr) return;  // that has ended the call, and all its writes
      const bool accepted = stream_->SendMessage(std::move(write->framed_));
      write->state_ = accepted ? WriteOperation::State::kDone : WriteOperation::State::kWaitingForWindow;
      if (!accepted) OnWriteHeld();
    }
    if (write->state_ == WriteOperation::State::kWaitingForWindow) return;
    first_write_ = write->next_;
    if (first_write_ == nullptr) last_write_ = nullptr;
    write->accepted_ = true;
    write->state_ = WriteOperation::State::kDone;
    const bool last = first_write_ == nullptr;
    if (last) OnWritesDrained();
    write->Complete();
    if (last) return;  // and perhaps the call has gone with its last waiter
  }
}

void Call::OnWritable() {
  if (first_write_ != nullptr && first_write_->state_ == WriteOperation::State::kWaitingForWindow) {
    // Taken by now: counts as sent in the loop below.
    first_write_->state_ = WriteOperation::State::kDone;
  }
  SendWaitingWrites();
}

void Call::EndWriting() {
  write_ended_ = true;
  while (first_write_ != nullptr) {
    WriteOperation* write = first_write_;
    first_write_ = write->next_;
    if (first_write_ == nullptr) last_write_ = nullptr;
    write->state_ = WriteOperation::State::kDone;
    write->Complete();
  }
}

// ---- both -----------------------------------------------------------------------------------------------------------

void Call::Attach(MessageStream* stream) {
  stream_ = stream;
  if (first_write_ != nullptr) SendWaitingWrites();
  if (receiver_ != nullptr && stream_ != nullptr) stream_->WantMessage();
}

void Call::EndAll(absl::Status status) {
  // First the state, then the waiters: each may look at the call, or end it, when it resumes.
  write_ended_ = true;
  EndReading(std::move(status));
  EndWriting();
}

}  // namespace weir
