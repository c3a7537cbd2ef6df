// StreamState: what one stream has received, sent and still has to send.
//
//   receiving half   idle --head--> open --END_STREAM--> ended
//   sending half     idle --head--> open --EndStream::kYes accepted--> ended --frame left--> end_sent
//   the whole        tracked --RemoveStream--> removed;  the engine has forgotten it: closed
//                    a state is freed when it is both removed and closed: until then the engine may still name it
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "weir/transport/h2/error_code.h"
#include "weir/transport/h2/event.h"
#include "weir/transport/h2/headers.h"
#include "weir/transport/h2/message_rules.h"
#include "weir/transport/h2/output_buffer.h"
#include "weir/transport/memory/block_pool.h"

namespace weir::transport {

struct StreamState final : Pooled {
  StreamId id = 0;

  // receiving half
  bool announced = false;      // the caller knows the stream: it opened it, or has seen its head
  bool head_received = false;  // the final head, not a 1xx
  bool remote_ended = false;
  uint16_t interim_heads = 0;
  MessageState message;   // of the peer
  size_t held_bytes = 0;  // received, not yet consumed: the peer is owed this much window

  // sending half
  bool head_sent = false;      // SendRequestHeaders or SendResponseHeaders was accepted
  bool local_ended = false;    // END_STREAM was accepted; it may still be queued
  bool head_request = false;   // client: the method is HEAD
  bool end_sent = false;       // END_STREAM has left
  bool trailers_held = false;  // StreamState::trailers leave after the last byte of its queue
  bool send_deferred = false;  // the engine does not ask for data until it is told to resume
  bool send_blocked = false;   // SendData accepted less than it was given
  std::optional<ErrorCode> reset_after_end;

  // the whole stream
  bool reset = false;         // by us or by the peer: no more events, nothing more to send
  bool removed = false;       // the caller has let it go
  bool closed = false;        // the engine has let it go
  bool end_walked = false;    // FrameMeter has seen the frame that ends the peer's half; the engine perhaps not yet
  uint32_t opened_ms = 0;     // server: when its head came, in milliseconds of no matter what
  void* user_data = nullptr;  // the caller's, until it has removed the stream

  bool Ended() const { return remote_ended && end_sent; }
  // Does the caller want to hear about it?
  bool Silent() const { return reset || removed; }

  OutputBuffer queue;
  HeaderList head;      // until body follows it: the engine refers to it
  HeaderList trailers;  // the same
};

}  // namespace weir::transport
