// H2Connection: one HTTP/2 connection as a state machine. Bytes in, events out; calls in, bytes out.
//
//   socket --bytes--> ReceiveData --events--> caller --Send...--> DataToSend --bytes--> socket
//
// Must not: touch a socket, a thread, a clock. Not thread-safe: all calls come from one thread at a time.
// Neither copyable nor movable. Every Send... queues; nothing leaves until DataToSend is pulled, so that all frames of
// one turn of the event loop leave in one write.
//
// Where there is no memory, a method throws std::bad_alloc. What it was doing is half done then: Abandon the
// connection.
//
// Three words for the end of a connection, never mixed up:
//   draining  no new streams; open ones run to their end (we began a drain, or the peer sent GOAWAY)
//   closed    the peer has sent GOAWAY (IsClosed)
//   finished  nothing will be read or written any more: close the socket (IsFinished)
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/transport/h2/counters.h"
#include "weir/transport/h2/error_code.h"
#include "weir/transport/h2/event.h"
#include "weir/transport/h2/headers.h"
#include "weir/transport/h2/options.h"
#include "weir/transport/h2/output_buffer.h"
#include "weir/transport/h2/token_bucket.h"

namespace weir::transport {

class Session;
struct StreamState;

enum class BlockKind : uint8_t;

class H2Connection {
 public:
  explicit H2Connection(H2Options options);
  ~H2Connection();
  H2Connection(const H2Connection&) = delete;
  H2Connection& operator=(const H2Connection&) = delete;

  const H2Options& options() const { return options_; }

  // Queues the connection preface: the client's magic and our SETTINGS (RFC 9113 section 3.4). Once, first.
  void InitiateConnection();

  // ---- input ----------------------------------------------------------------------------------------------------

  // Says what time it is, from which the budgets of H2Options refill: before ReceiveData, as often as is convenient.
  // Never back. Without it time stands still.
  void AdvanceTime(MonotonicTime now);

  // Feeds bytes from the peer, cut anywhere, and appends what they mean to `events`. Never fails: a fatal error is the
  // last event. Body data in the events are views into `bytes`. After a fatal error further bytes are ignored.
  void ReceiveData(std::string_view bytes, std::vector<H2Event>* events);

  // The application has taken `bytes` of the stream's body: returns them to the peer as WINDOW_UPDATE when half a
  // window is due (RFC 9113 section 6.9). The connection's window does not wait for it below H2Options::held_bytes_max.
  // Legal after the stream's end; ignored for an unknown stream, whose bytes
  // RemoveStream has already returned to the connection's window.
  void ConsumeData(StreamId stream_id, size_t bytes);

  // As ConsumeData, but for the connection's window only: the stream's waits for ReopenStream of these bytes.
  void WithholdData(StreamId stream_id, size_t bytes);
  void ReopenStream(StreamId stream_id, size_t bytes);

  // Announces another SETTINGS_INITIAL_WINDOW_SIZE than H2Options::stream_window_bytes: for streams to come and for
  // those that are open, whose windows may be below 0 then (RFC 9113 section 6.9.2). Up to 2^31-1.
  void ResizeStreamWindows(uint32_t bytes);

  // ---- output ---------------------------------------------------------------------------------------------------

  // Appends queued frames to `out` until about `max_bytes` were added (at most one frame more) or none is left.
  // Returns the bytes added. Events caused by sending (H2WindowUpdated for a stream whose full queue was drained) are
  // appended to `events` if it is not null.
  size_t DataToSend(size_t max_bytes, OutputBuffer* out, std::vector<H2Event>* events = nullptr);

  // True if DataToSend would add something now.
  bool HasDataToSend() const;

  // Client: opens a stream and sends a request head. `fields` must begin with :method, :scheme, :path and, if wanted,
  // :authority and :protocol. Returns the new stream's id.
  // Errors: kUnavailable while draining or when no stream id is left; kResourceExhausted if CanOpenStream() is false;
  // kInvalidArgument for a field that HTTP/2 does not allow; kOutOfRange for a block above 64 KiB or the peer's limit;
  // kFailedPrecondition for :protocol if the peer has not announced extended CONNECT.
  absl::StatusOr<StreamId> SendRequestHeaders(const HeaderList& fields, EndStream end_stream);

  // Server: sends the response head. `fields` are the regular headers; `status` 200..999 (1xx: an interim response).
  // Errors of this and SendTrailers: kNotFound for an unknown stream; kCancelled for one that was reset;
  // kFailedPrecondition for a frame out of order; kInvalidArgument as above.
  absl::Status SendResponseHeaders(StreamId stream_id, int status, const HeaderList& fields, EndStream end_stream);

  // Queues body bytes as far as flow control and the stream's queue accept them, and returns how many that was: 0 if
  // none or if the stream is gone. The first form copies; the second keeps a reference, and a queue of less than
  // H2Options::shared_queue_bytes_max takes it whole. END_STREAM is set only if all were accepted. When less was
  // accepted, H2WindowUpdated tells when to go on.
  size_t SendData(StreamId stream_id, std::string_view data, EndStream end_stream);
  size_t SendData(StreamId stream_id, const SharedBytes& data, EndStream end_stream);

  // Queues `bytes` body bytes, to be filled by the caller before it calls anything else here. Null, and nothing is
  // queued, unless flow control and the stream's queue accept all of them now.
  char* ReserveData(StreamId stream_id, size_t bytes);

  // Ends our half with trailer fields, after all accepted body bytes.
  absl::Status SendTrailers(StreamId stream_id, const HeaderList& fields);

  // Resets the stream now: what it had queued is dropped, no more events come for it. No-op for an unknown stream.
  void ResetStream(StreamId stream_id, ErrorCode error_code);

  // Resets the stream once everything queued for it (END_STREAM included) has left: how a server tells, after a
  // complete response, that it does not want the rest of the request (RFC 9113 section 8.1, NO_ERROR).
  void ResetStreamAfterEnd(StreamId stream_id, ErrorCode error_code);

  void SendPing(uint64_t opaque);

  // ---- the end --------------------------------------------------------------------------------------------------

  // Graceful shutdown, first step. Server: GOAWAY(2^31-1) and a PING; when its ACK comes, GOAWAY with the true last id
  // follows by itself (RFC 9113 section 6.8). Client: GOAWAY(0). Open streams run to their end. `why` is a literal that
  // goes with a server's last GOAWAY.
  void BeginDrain(const char* why = "");

  // The second step at once, for a peer that does not answer the PING (the caller's timer).
  void FinishDrain();

  // GOAWAY with the true last id and `error_code`; no stream goes on: the connection is finished once it is written.
  void CloseConnection(ErrorCode error_code, std::string_view debug_data = {});

  // After std::bad_alloc: nothing is read or written any more, no event comes, and the connection is finished. Its
  // streams stay until they are removed.
  void Abandon() noexcept;
  bool IsAbandoned() const;

  bool IsDraining() const;
  bool IsClosed() const;
  bool IsFinished() const;

  // ---- streams --------------------------------------------------------------------------------------------------

  // Octets that SendData would copy into the stream's queue now: the stream's and the connection's window and the queue
  // limit, less what is queued. By reference it may accept more. 0 for an unknown stream.
  size_t LocalFlowControlWindow(StreamId stream_id) const;

  // True while the connection's window accepts nothing from any stream: one that SendData cut now has to wait for
  // H2WindowUpdated{0}, any other for H2WindowUpdated of its own.
  bool IsConnectionWindowUsedUp() const;

  // True if the peer has ended its half (or the stream is unknown).
  bool StreamEnded(StreamId stream_id) const;

  // True if either side has reset the stream (or it is unknown). Events of the read that brought the reset may still
  // be on their way to the caller.
  bool IsReset(StreamId stream_id) const;

  // A pointer of the caller's at a stream that it has not removed. Null for an unknown stream, or if none was set.
  void SetStreamData(StreamId stream_id, void* data);
  void* StreamData(StreamId stream_id) const;

  // Forgets a stream when the application is done with it; body bytes it never consumed return to the connection's
  // window, and no more events come for it. What it has queued is still sent if our half's end (END_STREAM, or the
  // reset of ResetStreamAfterEnd) is queued too; a stream whose half is still open is reset with CANCEL.
  void RemoveStream(StreamId stream_id);

  // Streams that are tracked: opened and not yet removed.
  size_t ActiveStreamCount() const;

  // Client: may a request be sent now? False while draining, at the peer's MAX_CONCURRENT_STREAMS, or when ids ran out.
  bool CanOpenStream() const;

  // Client: ids never come back. From this one on, at three quarters of them, it is time for a new connection.
  static constexpr StreamId kStreamIdTired = 0x7fffffff / 4 * 3;

  // The last SETTINGS_MAX_CONCURRENT_STREAMS of the peer; 100 until its first SETTINGS, then unlimited if not named.
  uint32_t PeerMaxConcurrentStreams() const;

  // Body bytes that were received and not consumed, of all streams.
  size_t HeldBytes() const;

  // What the peer may send on the stream before we return anything; 0 for an unknown stream.
  size_t ReceiveWindow(StreamId stream_id) const;

  // Body bytes that wait to be sent, of all streams.
  size_t QueuedBytes() const;

  // When the peer began the header block that it has not ended yet; max() if there is none.
  MonotonicTime HeaderBlockSince() const;

  // What the peer has made us do until now.
  const H2Counters& counters() const;

 private:
  template <typename Append>
  size_t QueueData(StreamId stream_id, size_t size, EndStream end_stream,
                   size_t (Session::*room)(const StreamState&) const, Append append);
  bool CanSendData(const StreamState* stream) const;
  absl::Status CheckBlock(BlockKind kind, const HeaderList& fields, HeaderList* checked);
  absl::Status CheckNewBlock(BlockKind kind, const HeaderList& fields, uint32_t bytes_max, HeaderList* checked);

  H2Options options_;
  // The last blocks that were legal to send: most calls send the same ones.
  HeaderList checked_head_;
  HeaderList checked_trailers_;
  std::unique_ptr<Session> session_;
};

// True if the nghttp2 found at run time is at least the one that weir was compiled against.
bool IsH2Available();

}  // namespace weir::transport
