// ConnectionDriver: pumps one H2Connection over one ByteStream on one loop.
//
//   Read -> ReceiveData -> EventSink::OnEvents -> (end of turn) DataToSend -> Write
//
// Output is pulled only as fast as the stream takes it. Reading stops while too much control output is stuck, so a peer
// that does not read costs bounded memory. Where there is none (std::bad_alloc), the connection is lost, and nothing
// else. WEIR_TRACE=frames prints every frame, both ways, as frame text.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "weir/transport/h2/connection.h"
#include "weir/transport/h2/output_buffer.h"
#include "weir/transport/io/byte_stream.h"
#include "weir/transport/io/event_loop.h"

namespace weir::transport {

class FrameTracer;

// Takes what a connection produces: the multiplexer, or a user of transport/ alone.
class EventSink {
 public:
  // Events of one read, in order. May call any method of the connection. Views in the events end with this call.
  virtual void OnEvents(std::span<H2Event> events) = 0;

  // At the end of a turn in which the stream did not take all output, or did at last what it had not taken before.
  virtual void OnOutputHeld() {}

  // The connection is gone: finished in good order (OK), or why not. Called exactly once, last, from the loop and never
  // inside a call into the driver; the driver may be destroyed inside it.
  virtual void OnClosed(const absl::Status& reason) = 0;

 protected:
  ~EventSink() = default;
};

struct ConnectionDriverOptions {
  // Takes one line for every frame, both ways, as WEIR_TRACE=frames prints it; empty: none but the environment's.
  std::function<void(std::string_view line)> trace;
  // Zero of the times in `trace`.
  MonotonicTime trace_epoch{};

  // The stream has output and takes none of it for so long: the connection is lost. max(): for ever.
  std::chrono::nanoseconds write_timeout = std::chrono::nanoseconds::max();
  // The same below the stream: what a socket has taken and the peer's system does not acknowledge (TCP_USER_TIMEOUT).
  std::chrono::nanoseconds acknowledge_timeout = std::chrono::nanoseconds::max();
  // From the beginning of a header block to its end; then GOAWAY with ENHANCE_YOUR_CALM.
  std::chrono::nanoseconds header_block_timeout = std::chrono::nanoseconds::max();
};

//            Close, fatal error, end from the peer              all written
//   kOpen ------------------------------------------> kFlushing -------------> kLingering -> kClosed -> OnClosed
//     |  finished and all written                         |  or not, after kCloseTime |
//     +---------------------------------------------------+---------------------------+
//   kLingering: our half is shut down; what the peer still sends is read and dropped until it closes too. Closing with
//   unread bytes would reset the connection, and the reset destroys what is in flight: the GOAWAY or the last response.
class ConnectionDriver final : private ByteStreamObserver, private EndOfTurn {
 public:
  // One connection's share of a turn.
  static constexpr size_t kReadBytesPerTurn = 256 * 1024;
  // Pulled at once from the connection; what a peer that does not read can make a driver hold, but for one frame more.
  static constexpr size_t kPullBytes = 512 * 1024;
  // While output is stuck, so much input other than bodies (whose bound is the window) is read: each frame of it may
  // queue an answer, a PING's or SETTINGS' ACK, a RST_STREAM.
  static constexpr size_t kUnansweredBytesMax = 64 * 1024;
  // From the decision to close: for writing what is queued and for the peer to close its half.
  static constexpr std::chrono::milliseconds kCloseTime{1000};

  // Of a limit, no longer than needed: every connection has two. max(): none.
  using Milliseconds = std::chrono::duration<uint32_t, std::milli>;

  // `connection` and `sink` must outlive the driver. `name` is the short name in traces ("c3").
  ConnectionDriver(EventLoop& loop, std::unique_ptr<ByteStream> stream, H2Connection& connection, EventSink& sink,
                   std::string name, ConnectionDriverOptions options = {});
  ~ConnectionDriver() override;

  // Sends the preface and starts reading. If it fails, OnClosed does not come.
  absl::Status Start();

  // Something was queued on the connection: write it at the end of this turn. Cheap; call it after any Send.
  void RequestFlush() { loop_.AtEndOfTurn(this); }

  // Writes what is queued as far as the stream takes it within kCloseTime, then closes; OnClosed(reason) follows. No
  // OnEvents any more. The first reason counts.
  void Close(absl::Status reason);

  const ByteStream& stream() const { return *stream_; }
  MonotonicTime last_read() const { return last_read_; }  // any byte; before the first, Start
  const std::string& name() const { return name_; }

  // Which of its times the peer has let pass, so that the driver closes.
  enum class Overdue : uint8_t { kNothing, kWrite, kHeaderBlock };
  Overdue overdue() const { return overdue_; }
  // The limit beyond which the peer went, for which the connection ends.
  std::optional<H2Limit> limit() const { return limit_; }

  // Pulled from the connection and not yet taken by the stream.
  size_t buffered_bytes() const { return output_.size(); }

 private:
  enum class State { kNew, kOpen, kFlushing, kLingering, kClosed };
  // The sink may destroy the driver inside OnEvents: whoever may have called it must then not touch a member any more.
  enum class Alive { kNo, kYes };

  void OnReadable() override;
  void OnWritable() override;
  void OnEndOfTurn() override;
  void OnTimer();
  bool CloseIfOverdue();
  void WatchTime();

  bool MayRead() const;
  Alive ReadLoop();
  Alive Receive(std::string_view bytes);
  Alive Deliver(std::vector<H2Event>& events);

  Alive Flush();
  Alive Pull();
  Alive WriteOutput();
  Alive OnWriteError(const absl::Status& error);
  bool AllWritten() const;

  void BeginClose(absl::Status reason);
  void OnNoMemory();
  void AdvanceClose();
  void DrainInput();
  void ReportClosed();
  absl::Status ReasonOfEnd() const;
  absl::Status Lost(std::string_view what) const;

  EventLoop& loop_;
  std::unique_ptr<ByteStream> stream_;
  H2Connection& connection_;
  EventSink& sink_;
  std::string name_;
  std::unique_ptr<FrameTracer> tracer_;  // null: off

  State state_ = State::kNew;
  bool readable_ = false;  // the stream may have more: no kWouldBlock since OnReadable
  bool received_any_ = false;
  bool input_ended_ = false;
  bool output_failed_ = false;
  bool write_blocked_ = false;
  bool block_open_ = false;  // a header block has begun and not ended
  Overdue overdue_ = Overdue::kNothing;
  std::optional<H2Limit> limit_;
  bool* destroyed_ = nullptr;  // set while the sink runs
  size_t unanswered_bytes_ = 0;
  const Milliseconds write_timeout_;
  const Milliseconds header_block_timeout_;
  MonotonicTime last_read_{};
  MonotonicTime stalled_since_ = MonotonicTime::max();  // the stream takes nothing; max(): it does
  OutputBuffer output_;                                 // what the stream did not take
  Timer timer_;  // kOpen: goes on reading in the next turn, or looks for what is overdue; later: kCloseTime
  absl::Status close_reason_;
};

}  // namespace weir::transport
