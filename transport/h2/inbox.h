// Inbox: the receiving side of a connection: turns what the engine hears into events and into the streams' state.
//
//   engine --BeginBlock, AddField*, EndBlock, Data, EndOfStream, Reset, GoAway--> Inbox --H2Event--> caller's vector
//
// Must not know the engine: it says what has to be done by its return values. Enforces the limits on header blocks, and
// the grammar of events (event.h): one ending for each stream, nothing for a stream that the caller has let go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/transport/h2/error_code.h"
#include "weir/transport/h2/event.h"
#include "weir/transport/h2/headers.h"
#include "weir/transport/h2/message_rules.h"
#include "weir/transport/h2/options.h"
#include "weir/transport/h2/stream_state.h"
#include "weir/transport/h2/stream_table.h"
#include "weir/transport/memory/pool_array.h"

namespace weir::transport {

class Inbox {
 public:
  Inbox(const H2Options& options, StreamTable* streams) : options_(options), streams_(streams) {}
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // Events between Open and Close go to `events`; at other times (or if it is null) they are kept for the next Open.
  void Open(std::vector<H2Event>* events);
  void Close() {
    if (connection_window_opened_) [[unlikely]]
      EmitConnectionWindow();
    events_ = nullptr;
  }
  // There are no events any more.
  void Abandon() {
    events_ = nullptr;
    late_.clear();
    failed_ = true;
  }

  // ---- a header block: `stream` is null if nobody wants to hear of it ----
  void BeginBlock(StreamState* stream);
  // False: the block is over four times a limit; the connection must end.
  bool AddField(std::string_view name, std::string_view value) {
    if (repeating_ && Repeats(name, value)) {
      ++block_fields_;
      return true;
    }
    return AddNewField(name, value);
  }

  // For an engine that knows by itself which fields come again. repeated_serial: the number of the known block that
  // this one has followed until now, if that block has come again before; else 0. next_field: the place of the next
  // field. RepeatField stands for AddField of exactly the field at that place; RepeatName for one of the same name:
  // false if the value is another, and the field has to be added.
  uint64_t repeated_serial() const {
    return repeating_ && known_->has_come_again && block_fields_ < known_->fields.size() ? known_->serial : 0;
  }
  size_t next_field() const { return block_fields_; }
  void RepeatField() { ++block_fields_; }
  bool RepeatName(std::string_view value) {
    if (!known_->fields.HoldsValue(block_fields_, value)) return false;
    ++block_fields_;
    return true;
  }
  bool still_repeats() const { return repeating_; }

  // The block is complete. A code: reset the stream with it.
  std::optional<ErrorCode> EndBlock(bool end_stream);

  // ---- the rest ----
  enum class Taken : uint8_t {
    kYes,
    kUnwanted,   // nobody wants the bytes: their window is to be returned at once
    kMalformed,  // that, and the stream is to be reset with PROTOCOL_ERROR
  };
  Taken Data(StreamState* stream, std::string_view data);
  // A code: reset the stream with it.
  std::optional<ErrorCode> EndOfStream(StreamState* stream);
  void Reset(StreamState* stream, ErrorCode code, ResetBy by);
  // The connection's window may have room that it had not. Told once, with the next Close: each event makes the caller
  // look for streams that wait, and a peer can say it a thousand times in one read.
  void ConnectionWindowOpened() { connection_window_opened_ = true; }
  // Ends the client's streams above `last_stream_id`.
  void GoAway(StreamId last_stream_id, ErrorCode code, std::string_view debug_data);
  // H2ConnectionError is the last event ever: what comes after it is dropped.
  template <class Event>
  void Emit(Event event) {
    if (failed_) return;
    failed_ = std::is_same_v<Event, H2ConnectionError>;
    (events_ != nullptr ? events_ : &late_)->emplace_back(std::in_place_type<Event>, std::move(event));
  }

  // Before the state is freed.
  void Forget(const StreamState* stream);

  // Streams that the caller knows and has not removed.
  size_t active_streams = 0;

 private:
  // A header block that was in order, and what was found about it. Peers send the same fields again and again: a field
  // that stands where the last block had it is not judged again, and a block that is all the same is not even copied.
  struct KnownBlock {
    HeaderList fields;
    PoolArray<MessageRules::Judgement> judgements;  // one for each field
    MessageRules rules;                             // as they were at the end of the block
    uint64_t serial = 0;                            // never the same for two blocks of a connection
    bool has_come_again = false;
  };

  bool Repeats(std::string_view name, std::string_view value) const {
    return block_fields_ < known_->fields.size() && known_->fields.Holds(block_fields_, name, value);
  }
  void EmitConnectionWindow();
  bool AddNewField(std::string_view name, std::string_view value);
  void StopRepeating();
  void TakeKnownBlock();
  void RememberBlock();
  bool OverLimit(size_t factor) const;
  std::optional<ErrorCode> RefuseBlock(StreamState* stream, bool end_stream);
  void EmitHead(StreamState* stream, bool end_stream);

  const H2Options& options_;
  StreamTable* const streams_;
  StreamId goaway_last_ = INT32_MAX;  // the least that the peer's GOAWAY have named

  std::vector<H2Event>* events_ = nullptr;
  size_t first_event_ = 0;     // of this Open
  std::vector<H2Event> late_;  // events that came while nobody listened
  bool failed_ = false;        // H2ConnectionError was emitted
  bool connection_window_opened_ = false;

  StreamState* block_stream_ = nullptr;
  MessageRules rules_;  // for the block
  HeaderList block_;
  PoolArray<MessageRules::Judgement> judgements_;  // of its fields, dropped ones too
  size_t block_bytes_ = 0;                         // as RFC 9113 section 6.5.2 counts, stored or not
  size_t block_fields_ = 0;                        // the same
  BlockSize too_large_;                            // of the block that the next Reset is due to
  bool repeating_ = false;                         // all fields until now were those of *known_, and stand nowhere else
  KnownBlock* known_ = &known_head_;
  KnownBlock known_head_;
  KnownBlock known_trailers_;
  uint64_t last_serial_ = 0;
};

}  // namespace weir::transport
