// StreamMultiplexer: streams of one HTTP/2 connection <-> calls.
//
//   H2RequestReceived  -> a new CallStream, offered to the acceptor      (server)
//   Open               -> a new CallStream and a request head            (client)
//   H2StreamReset      -> the call is cancelled, the stream freed
//   H2GoAway           -> the connection drains: no new calls, survivors finish, unprocessed ones end as safe to retry
//
// Where there is no memory, a method of this or of a stream throws std::bad_alloc, and the connection is lost.
//
// No socket, thread or clock: events come in by OnEvents, bytes leave through the connection when its owner pulls them.
// The owner is told by Host::RequestFlush that there is something to pull.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weir/rpc/core/message_stream.h"
#include "weir/rpc/mux/call_stream.h"
#include "weir/rpc/mux/memory_account.h"
#include "weir/rpc/mux/window_ration.h"
#include "weir/rpc/wire/compressors.h"
#include "weir/rpc/wire/protocol.h"
#include "weir/transport/h2/connection.h"

namespace weir::mux {

// Takes new requests.
class CallAcceptor {
 public:
  // A call has come in: bind an observer to `stream`, or end it (Finish, Refuse).
  virtual void OnRequest(MessageStream& stream, const wire::Protocol& protocol, transport::RequestReceived request) = 0;

 protected:
  ~CallAcceptor() = default;
};

// Owns the connection.
class Host {
 public:
  // Something was queued: pull it at the end of this turn.
  virtual void RequestFlush() = 0;
  // kOpen -> kDraining: no new call will find a place here.
  virtual void OnDraining(const absl::Status& reason) = 0;
  // Call OnTurn in a later turn of the loop, soon.
  virtual void RequestTurn() = 0;
  // Client: a stream has ended or the peer allows more; a call that waits may start if CanOpen.
  virtual void OnPlaceFree() {}
  // More waits than a ceiling of StreamMultiplexer::memory() allows, or less again: end the connection, or
  // RationWindows at the end of this turn. Perhaps inside a call's code.
  virtual void OnMemory() noexcept {}

 protected:
  ~Host() = default;
};

struct MultiplexerOptions {
  size_t max_receive_message_bytes = 4 * 1024 * 1024;
  const Compressors* compressors = nullptr;  // null: identity only. They must outlive the multiplexer
  std::string peer;                          // for error texts
  MemoryCeilings memory;                     // of this connection
  LoopMemory* loop_memory = nullptr;         // of which it is a part; null: of none. It must outlive the multiplexer
};

class StreamMultiplexer {
 public:
  // Of messages that come compressed so much is made before the loop's other connections have their turn: a driver's
  // share of reading may hold a thousand times itself. The message that uses it up is finished.
  static constexpr size_t kDecompressedBytesPerTurn = 1024 * 1024;

  // `acceptor` null: a client.
  StreamMultiplexer(transport::H2Connection& connection, Host& host, CallAcceptor* acceptor,
                    MultiplexerOptions options);
  ~StreamMultiplexer();
  StreamMultiplexer(const StreamMultiplexer&) = delete;
  StreamMultiplexer& operator=(const StreamMultiplexer&) = delete;

  // What one read has brought, in order. Called by the connection's owner only, never from inside a call's code.
  void OnEvents(std::span<transport::H2Event> events);

  // What Host::RequestTurn asked for: compressed messages that have waited for it are delivered. Called as OnEvents is.
  void OnTurn();

  // The connection is gone: every call ends, in the order of its stream. Only responses that are complete stay until
  // they have been read: call_count() then says how many.
  void OnClosed(const absl::Status& reason);

  // Client: may a call start here now?
  bool CanOpen() const { return !draining_ && connection_.CanOpenStream(); }
  // Client: sends a request head. The errors of H2Connection::SendRequestHeaders. Drains when stream ids become few.
  absl::StatusOr<MessageStream*> Open(const wire::Protocol& protocol, const wire::RequestHead& head,
                                      StreamObserver& observer);

  // No new calls; those under way finish. Server: the two-step GOAWAY; `why` is a literal that goes with its last step.
  void BeginDrain(const char* why = "");
  bool is_draining() const { return draining_; }

  // The end of the connection as its calls are told it: with what the peer's GOAWAY said before, and the Why.
  absl::Status EndReason(const absl::Status& reason) const;

  const std::string& peer() const { return options_.peer; }

  // The peer's last GOAWAY; null: none has come.
  const transport::H2GoAway* goaway() const { return goaway_.get(); }

  // Counts for each call how often in a row this finds the rest of a message wanted and nothing come; cancels those for
  // which that is more than `stalls_max`. While we hold the connection's window back ourselves, nobody's fault is
  // counted.
  size_t CancelStalled(size_t stalls_max, const absl::Status& reason);

  // What waits here because of the peer.
  const MemoryAccount& memory() const { return memory_; }
  // Beyond a soft ceiling, and until it has been forgotten: after Host::OnMemory, and when it is due (max(): never).
  // Called as OnEvents is.
  void RationWindows(transport::MonotonicTime now);
  transport::MonotonicTime ration_due() const {
    return ration_ == nullptr ? transport::MonotonicTime::max() : ration_->due();
  }
  // The peer has sent this and it waits; modulo 2^n: also less. Streams count what they hold by themselves.
  void CountReceived(size_t change) noexcept;
  // So much output waits for the peer's socket.
  void CountOutput(size_t bytes) noexcept;
  // More waits than the hard ceiling allows: of what the peer has sent; or of answers, and for some time it has
  // taken none of them. (There are answers beyond the ceiling if calls that run answer all at once.)
  bool is_over_hard() const {
    return memory_.received_over_hard() || (memory_.answers_over_hard() && ration_ != nullptr && ration_->is_stuck());
  }

  // Cancels every call that is still there (the drain's deadline has passed).
  void CancelAll(const absl::Status& reason);

  // Streams whose call has not ended.
  size_t call_count() const { return stream_count_; }

  // Frees streams that ended outside OnEvents, by a deadline or their caller. Called as OnEvents is.
  void Sweep();
  // Streams that have ended and are not freed yet.
  size_t ended_count() const;

 private:
  friend class CallStream;

  // The head of the last request without deadline, metadata and compression: most clients send the same again and
  // again.
  struct PlainRequest {
    bool Is(const wire::RequestHead& head) const {
      return path == head.path && authority == head.authority && user_agent == head.user_agent && scheme == head.scheme;
    }
    std::string scheme;
    std::string path;
    std::string authority;
    std::string user_agent;
    transport::HeaderList fields;
  };

  const transport::HeaderList& EncodeRequest(const wire::Protocol& protocol, const wire::RequestHead& head);
  CallStream* Find(transport::StreamId id);
  CallStream& Create(transport::StreamId id, const wire::Protocol& protocol);
  void Remove(CallStream& stream);  // freed when no method of it can be running
  std::vector<CallStream*> InOrder() const;
  void OnRequest(transport::H2RequestReceived& event);
  void OnRequestTooLarge(const transport::H2RequestTooLarge& event);
  void OnStreamReset(const transport::H2StreamReset& event);
  void OnSettings(const transport::H2SettingsReceived& event);
  void OnWindowUpdated(transport::StreamId id);
  void OnConnectionWindow();
  void ReturnWithheld();
  // False: `stream` waits for OnTurn.
  bool MayDecompress(CallStream& stream);
  // std::bad_alloc leaves something of ours half done: the connection is lost.
  void OnNoMemory() noexcept;
  void CountAnswers(size_t change) noexcept;
  void OnCounted(size_t change) noexcept;
  void NoteTaken(size_t bytes) noexcept;
  // See WindowRation, which there is for the last two.
  bool Withhold(transport::StreamId id, size_t bytes, bool awaited);
  void OnMessageAwaited(transport::StreamId id);
  void OnMessageTaken(transport::StreamId id);
  std::string_view accept_encoding() const {
    return options_.compressors == nullptr ? "identity" : std::string_view(options_.compressors->accept_encoding());
  }

  transport::H2Connection& connection_;
  Host& host_;
  CallAcceptor* const acceptor_;
  const MultiplexerOptions options_;
  MemoryAccount memory_;
  size_t output_bytes_ = 0;               // of memory_: see CountOutput
  std::unique_ptr<WindowRation> ration_;  // null: memory is not short
  // All streams, in the order of their ids. The connection finds one by its id (StreamData).
  CallStream* first_ = nullptr;
  CallStream* last_ = nullptr;
  size_t stream_count_ = 0;
  size_t withheld_bytes_ = 0;  // of all streams: see CallStream
  // Streams with bytes that wait for the connection's window; in order, for fairness. Those that wait for their own are
  // not among them: a peer that opens the connection's window octet by octet must not make us try them each time.
  std::set<transport::StreamId> blocked_;
  bool stream_windows_changed_ = false;  // of all streams, by SETTINGS
  size_t decompressed_bytes_ = 0;        // since the last OnTurn
  // Streams with a compressed message that waits for OnTurn, first come first.
  std::vector<transport::StreamId> waiting_for_turn_;
  CallStream* removed_ = nullptr;  // no method of a stream may be running when they are freed
  transport::HeaderList scratch_;  // header blocks on their way out
  std::string decompressed_;       // memory for the next message that comes compressed
  // Those of most calls: the connection checks a list that it has sent before no more.
  PlainRequest plain_request_;        // client
  transport::HeaderList plain_head_;  // server: of a response
  transport::HeaderList ok_trailers_;
  std::unique_ptr<transport::H2GoAway> goaway_;  // the peer's last one; null: none
  bool draining_ = false;
  bool failed_ = false;  // the peer broke a rule of HTTP/2
};

}  // namespace weir::mux
