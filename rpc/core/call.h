// Call: one RPC as either side sees it: what may be read, what may be written, how it ended. Loop-affine.
//
//   reading   open --OnEnd / OnReset--> ended      a pending reader is told
//   writing   open --HalfClose / Finish / OnReset--> ended     a pending write gives false
//
// At most one reader and any number of writes (in order) may wait at a time. Telling a waiter resumes a coroutine,
// which may do anything, ending this call included; so the owner of a call destroys it only when no method of it is
// running.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "weir/rpc/core/message_stream.h"
#include "weir/rpc/core/metadata.h"
#include "weir/rpc/core/operation.h"
#include "weir/rpc/core/outgoing_message.h"
#include "weir/rpc/core/write_options.h"
#include "weir/transport/io/executor.h"
#include "weir/transport/memory/chunked_bytes.h"
#include "weir/transport/memory/shared_bytes.h"

namespace weir {

class Call;
class InterceptorChain;
template <class Op>
class TimedOperation;

// Takes messages from a call.
class MessageReceiver {
 public:
  // Decodes a message. Returns true if another one is wanted. An error ends the call with that status.
  virtual absl::StatusOr<bool> OnPayload(const transport::ChunkedBytes& payload) = 0;

  // No (further) message comes.
  virtual void OnNoMore() = 0;

  // The receiver is satisfied (OnPayload returned false) or ended (OnNoMore): the waiter may go on.
  virtual void OnReceived() = 0;

 protected:
  ~MessageReceiver() = default;
};

// One message on its way out. Completes when flow control has taken it; false if it never will.
//
// On the call's loop, a small message that flow control takes at once is encoded straight into the stream's queue, and
// nothing of the operation is used but its result. Otherwise it is encoded here, where the caller is, and waits. In a
// call with interceptors it is encoded when its turn comes, on the loop, after they have seen it.
class [[nodiscard]] WriteOperation : public Operation {
 public:
  // The message is encoded when the operation is awaited, and must live until then.
  WriteOperation(Call& call, OutgoingMessage message, WriteOptions options = WriteOptions());
  virtual ~WriteOperation();

  bool await_ready();
  bool await_resume() const { return accepted_; }

  // The same, but it ends the call with DEADLINE_EXCEEDED if the peer does not let it go for so long
  // (timed_operation.h).
  TimedOperation<WriteOperation> Within(absl::Duration limit) const;

  // Blocks a plain thread until done. False on a loop's thread, and the call then ends with an error that says so.
  bool Wait();

 protected:
  bool Begin() override;
  void Forget() override;
  void OnNoMemory() override;

 private:
  friend class Call;
  static Task<bool> AsTask(WriteOperation& self);

  enum class State : uint8_t { kNew, kWaitingToSend, kWaitingForWindow, kDone };

  Call& call_;
  const OutgoingMessage message_;
  transport::SharedBytes framed_;
  WriteOperation* next_ = nullptr;  // behind this one in the call's queue
  State state_ = State::kNew;
  bool accepted_ = false;
  const WriteOptions options_;
};

class Call : public StreamObserver {
 public:
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // The loop on which this call lives. Everything below runs there, unless said otherwise.
  transport::Executor& loop() const { return loop_; }

  // Hands messages to `receiver` until it has enough. Returns true if that was at once; otherwise OnReceived follows.
  bool Receive(MessageReceiver& receiver);
  void StopReceiving(MessageReceiver& receiver);
  bool has_receiver() const { return receiver_ != nullptr; }

  // A message that was delivered, its envelope included, to somebody who had no use for it any more: the next receiver
  // gets it. On the loop, while nobody receives.
  void GiveBack(transport::SharedBytes framed);
  // Is the message that is being delivered one that was given back? Interceptors have seen it.
  bool delivers_again() const { return delivers_again_; }

  // A failure that was found without ending the call through it, as the application is told it: a client adds why.
  virtual absl::Status Explained(absl::Status failure) const { return failure; }

  // Shown every message of the call; null, which is usual: nobody. The same from the first operation on. Any thread.
  InterceptorChain* interception() const { return interception_; }

  // How the call ended; OK while it has not. On a server: why it was cancelled.
  const absl::Status& end_status() const { return end_status_; }
  bool read_ended() const { return read_ended_; }

  // Did the last message that was read come compressed? Where the reader is.
  bool last_message_compressed() const { return last_message_compressed_; }
  // From the next message on that is encoded: none may be larger. Any thread.
  void set_max_send_message_bytes(size_t bytes) {
    constexpr size_t kMost = OutgoingMessage::kFramedBytesMax - OutgoingMessage::kPrefixBytes;
    framed_bytes_max_.store(static_cast<uint32_t>(bytes < kMost ? bytes : kMost) + OutgoingMessage::kPrefixBytes,
                            std::memory_order_relaxed);
  }
  // Compresses the messages of this call that do not opt out; null: none is compressed.
  const Compressor* compressor() const { return compressor_; }

  // Ends the call from this side with an error: stream reset, readers and writers told. Any thread.
  virtual void Fail(absl::Status why) = 0;
  // The same, for want of memory.
  void OnNoMemory();

  // OK where `what` ("Read().Wait()") may block the thread that asks. Otherwise FAILED_PRECONDITION, which says why
  // not, and the call has ended with that.
  absl::Status MayBlock(std::string_view what);

  // Ends the call with DEADLINE_EXCEEDED, naming `what` and the time, unless what it returns goes before `limit` is
  // over. `what` is of static storage.
  virtual std::shared_ptr<void> FailAfter(absl::Duration limit, std::string_view what) = 0;

 protected:
  explicit Call(transport::Executor& loop) : loop_(loop) {}
  virtual ~Call() = default;

  void set_interception(InterceptorChain* chain) { interception_ = chain; }

  MessageStream* stream() const { return stream_; }

  // Binds the call to its stream: writes that wait go out, a reader that waits is served.
  void Attach(MessageStream* stream);
  // Another stream has taken over what this call's stream was doing.
  void ReplaceStream(MessageStream& stream) { stream_ = &stream; }
  // The stream is no longer this call's. Reading and writing end unless they are taken up again by Attach.
  void Detach() { stream_ = nullptr; }

  // Ends both directions: whoever waits is told. `status` becomes end_status().
  void EndAll(absl::Status status);
  // Before the first message is encoded. It must outlive the call.
  void set_compressor(const Compressor* compressor) { compressor_ = compressor; }
  // A message in a buffer of its own, if it may be sent.
  absl::StatusOr<transport::SharedBytes> Encode(const OutgoingMessage& message, WriteOptions options) const;
  // The same of what its interceptors, which there are, leave of it; or what they say against it.
  absl::StatusOr<transport::SharedBytes> ShowAndEncode(const OutgoingMessage& message, WriteOptions options) const;
  // Encodes `message` straight into what is sent next. False, and nothing has happened to the message, if it has to
  // wait, is not small, may be compressed, or the call takes no more.
  bool SendNow(const OutgoingMessage& message);
  void EndWriting();
  // Writes that wait still go out; new ones give false.
  void RefuseNewWrites() { write_ended_ = true; }
  bool writes_wait() const { return first_write_ != nullptr; }

  // A message is about to be sent. May end the call.
  virtual void BeforeMessage() {}
  // The stream has taken a message that flow control does not accept.
  virtual void OnWriteHeld() {}
  // The last write that waited has been taken.
  virtual void OnWritesDrained() {}

  bool OnMessage(const ReceivedMessage& message) final;
  void OnWritable() final;
  // The peer's half is over; `status` becomes end_status() if that is still OK.
  void EndReading(absl::Status status);

 private:
  friend class WriteOperation;

  // Returns true if the write is complete.
  bool Write(WriteOperation& write);
  bool Intercept(WriteOperation& write);
  void Forget(WriteOperation& write);
  void SendWaitingWrites();
  MessageReceiver* TakeReceiver();
  bool DeliverAgain(MessageReceiver& receiver);

  transport::Executor& loop_;
  InterceptorChain* interception_ = nullptr;
  MessageStream* stream_ = nullptr;
  MessageReceiver* receiver_ = nullptr;
  const Compressor* compressor_ = nullptr;
  std::unique_ptr<transport::SharedBytes> given_back_;
  WriteOperation* first_write_ = nullptr;
  WriteOperation* last_write_ = nullptr;
  absl::Status end_status_;
  std::atomic<uint32_t> framed_bytes_max_ = OutgoingMessage::kFramedBytesMax;
  bool delivers_again_ = false;
  bool receiving_ = false;  // inside Receive: the receiver is told by its result
  bool read_ended_ = false;
  bool write_ended_ = false;
  bool last_message_compressed_ = false;
};

}  // namespace weir
