// MessageStream and StreamObserver: the seam between a call and whatever carries it.
//
//   application -> Call -> MessageStream -> (multiplexer, HTTP/2, socket)
//   application <- Call <- StreamObserver <- (multiplexer, HTTP/2, socket)
//
// Both live on one loop's thread. The multiplexer implements the first, Call the second; tests put a fake on either
// side.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "weir/rpc/core/metadata.h"
#include "weir/transport/memory/chunked_bytes.h"
#include "weir/transport/memory/shared_bytes.h"

namespace weir {

class Compressor;

// A whole message as it came, without its envelope.
struct ReceivedMessage {
  transport::ChunkedBytes bytes;  // decompressed; valid while it is being delivered
  bool was_compressed = false;
};

class StreamObserver {
 public:
  // Client: the response head has come. At most once, before any message.
  virtual void OnInitialMetadata(Metadata metadata) = 0;

  // A whole message, only after WantMessage. Returns true if the next one is wanted too.
  virtual bool OnMessage(const ReceivedMessage& message) = 0;

  // The peer's half has ended in good order and every message was delivered. Client: the status of the call.
  // Server: the client sends no more messages (status OK). Nothing but OnWritable or OnReset may follow.
  virtual void OnEnd(absl::Status status, Metadata trailing) = 0;

  // The stream is gone: reset by the peer, connection lost, protocol violated. Last call ever.
  virtual void OnReset(absl::Status status) = 0;

  // Client: the server takes no more messages; OnEnd follows when those that it sent have been read.
  virtual void OnSendingEnd() = 0;

  // All that SendMessage took has been accepted by flow control.
  virtual void OnWritable() = 0;

 protected:
  ~StreamObserver() = default;
};

// Watches a server's stream while the peer's window is closed to what has been sent on it. Belongs to the stream:
// destroyed when flow control has taken everything, or when the stream is gone.
class SendingWatch {
 public:
  virtual ~SendingWatch() = default;
  // Flow control has taken something again.
  virtual void OnProgress() = 0;
};

class MessageStream {
 public:
  // Names who is told from now on. Before anything else; it must live until the call has ended through this stream
  // (Finish, Refuse, Cancel) or has been told of its end (OnReset; OnEnd too on a client).
  virtual void Bind(StreamObserver& observer) = 0;

  // The other side's address, "127.0.0.1:50051"; for texts.
  virtual std::string_view peer() const { return {}; }

  // Server: messages of the request whose flag says so are compressed by this. Before any message; not called, and
  // there are no such messages, if the request's head names no encoding. It must outlive the stream.
  virtual void DecompressBy(const Compressor& compressor) = 0;

  // The application waits for a message: deliver one as soon as it is whole, perhaps inside this call. Until then the
  // receive window stays closed behind what has been read (back-pressure).
  virtual void WantMessage() = 0;

  // Nobody waits any more: a message that comes is kept for the next WantMessage.
  virtual void WantNoMessage() = 0;

  // A message will be wanted in any case (the reply of a unary call): the window opens for it before anybody waits, so
  // that replies may be awaited in another order than they come in. Costs memory up to the message's size.
  virtual void ExpectMessage() = 0;

  // Client: no message of the response may be larger, nor larger than the connection allows. Before the first one.
  virtual void LimitMessages(size_t bytes_max) {}

  // The straight way for a small message, its five-byte envelope included: room for `bytes` of it in what is sent next,
  // to be filled by the caller before anything else happens on the stream. Null if it is not small or flow control does
  // not accept all of it at once: SendMessage it then. May end the call, as SendInitialMetadata may.
  virtual char* Reserve(size_t bytes) = 0;

  // Sends one message, its five-byte envelope included. Returns true if flow control accepted all of it at once;
  // otherwise OnWritable follows when it has.
  virtual bool SendMessage(transport::SharedBytes framed) = 0;

  // Server: sends the response head now. Otherwise it goes with the first message or the end. `compressor` not null:
  // some of the messages that follow are compressed by it. If the head cannot be sent, the call is ended with INTERNAL
  // and the observer told by OnReset.
  virtual void SendInitialMetadata(const Metadata& initial, const Compressor* compressor) = 0;

  // Client: no more messages from here.
  virtual void HalfClose() = 0;

  // Server: ends the call with a status, after all messages. The observer is told nothing more and may be destroyed;
  // the stream goes on until everything has left. Returns false if messages still wait for the peer's window: nothing
  // but WatchSending may follow then, and somebody must, or a peer that never opens it holds them for ever.
  virtual bool Finish(const absl::Status& status, const Metadata& trailing) = 0;

  // Server, after a SendMessage or Finish that gave false: `watch`, in place of one before, lives until the messages
  // have left or the stream is gone. It may end the stream.
  virtual void WatchSending(std::unique_ptr<SendingWatch> watch) = 0;

  // Server: ends the call with an error now. Messages that wait for the peer's window are dropped; if one of them has
  // left in part, the stream is reset instead, with the code that belongs to `error`. The observer is told nothing
  // more.
  virtual void FinishNow(const absl::Status& error) = 0;

  // Server: refuses the call before anything was sent, with an HTTP status (415, 405) where the protocol asks for one.
  virtual void Refuse(int http_status, const absl::Status& status) = 0;

  // Server: answers what is no call with HTTP status 200 and a page of text, which must live for ever, and `status`
  // behind it. The same as Finish otherwise, and in place of it.
  virtual bool AnswerPage(std::string_view text, const absl::Status& status) = 0;

  // Resets the stream with the error code that belongs to `status`. The observer is told nothing more.
  virtual void Cancel(const absl::Status& status) = 0;

 protected:
  ~MessageStream() = default;
};

}  // namespace weir
