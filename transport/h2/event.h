// H2Event: what H2Connection::ReceiveData tells its caller.
//
// Grammar of one stream, as seen by the side that receives it:
//
//   request side   Head  Body*                 ending      Head = H2RequestReceived | H2WebSocketRequest
//                                                                 | H2RequestTooLarge
//   response side  Interim*  Head  Body*       ending      Head = H2ResponseReceived
//
//   ending = Body{more=false} | H2TrailersReceived | H2StreamReset | (the head itself with end_stream)
//
// Exactly one ending ends the receiving half. If our own half is still open then, one H2StreamReset may follow it: the
// peer no longer wants what we send. No event comes for a stream that the caller has reset or removed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "weir/transport/h2/error_code.h"
#include "weir/transport/h2/headers.h"
#include "weir/transport/h2/limit.h"

namespace weir::transport {

// 31-bit stream identifier; odd: opened by the client; 0: the connection.
using StreamId = int32_t;

// Does this frame end the sender's half of the stream (END_STREAM, RFC 9113 section 5.1)?
enum class EndStream : bool { kNo = false, kYes = true };

// Who ended a stream: decides whether a call may be retried.
enum class ResetBy : uint8_t {
  kPeer,    // RST_STREAM came
  kLocal,   // we reset it because the peer broke a rule, or the connection failed
  kGoAway,  // GOAWAY said that the peer never processed it: safe to retry (RFC 9113 section 6.8)
};

// A request head. `fields` holds the pseudo-header fields first, then the headers.
struct RequestReceived {
  HeaderList fields;

  std::string_view method() const { return Pseudo(":method"); }
  std::string_view target() const { return Pseudo(":path"); }
  std::string_view scheme() const { return Pseudo(":scheme"); }
  std::string_view authority() const { return Pseudo(":authority"); }
  std::string_view protocol() const { return Pseudo(":protocol"); }  // RFC 8441 section 4

 private:
  std::string_view Pseudo(std::string_view name) const;
};

// A response head. `fields` holds ":status" first, then the headers.
struct ResponseReceived {
  int status = 0;  // 100..999
  HeaderList fields;
};

struct BodyReceived {
  std::string_view data;             // view into the bytes given to ReceiveData: valid until they are
  bool more = true;                  // false: END_STREAM; the receiving half is complete
  size_t flow_controlled_bytes = 0;  // hand these to ConsumeData once the application has taken the data
};

struct H2RequestReceived {
  StreamId stream_id = 0;
  RequestReceived request;
  bool end_stream = false;  // no body follows
};

struct H2ResponseReceived {
  StreamId stream_id = 0;
  ResponseReceived response;
  bool end_stream = false;                                // no body and no trailers follow
  bool interim() const { return response.status < 200; }  // 1xx: the real head is still to come
};

struct H2BodyReceived {
  StreamId stream_id = 0;
  BodyReceived body;
};

struct H2TrailersReceived {
  StreamId stream_id = 0;
  HeaderList fields;
};

// The size of a header block as RFC 9113 section 6.5.2 counts it: name + value + 32 octets for each field.
struct BlockSize {
  uint32_t bytes = 0;
  uint32_t fields = 0;
};

// Instead of H2RequestReceived: the head is over H2Options::header_list_bytes_max or header_fields_max, and nothing of
// it is kept. The stream is open for a response (431, or what the protocol has for it), and the caller's to remove.
struct H2RequestTooLarge {
  StreamId stream_id = 0;
  BlockSize head;
  bool end_stream = false;  // no body follows
};

struct H2StreamReset {
  StreamId stream_id = 0;
  ErrorCode error_code = ErrorCode::kNoError;
  ResetBy by = ResetBy::kPeer;
  BlockSize too_large = {};  // by kLocal, if this is why: the head or trailers that were over a limit; else 0
};

struct H2GoAway {
  StreamId last_stream_id = 0;
  ErrorCode error_code = ErrorCode::kNoError;
  std::string debug_data;  // at most 1 KiB is kept
};

// Sending may go on: stream_id's window opened, or its queue has been pulled by DataToSend. 0: the connection's window,
// or those of all streams (SETTINGS); once for each ReceiveData or DataToSend at most, as its last event.
struct H2WindowUpdated {
  StreamId stream_id = 0;
};

// Extended CONNECT (RFC 8441): a tunnel of `request.protocol()` ("websocket" or any other token).
struct H2WebSocketRequest {
  StreamId stream_id = 0;
  RequestReceived request;
  std::string_view ws_path() const { return request.target(); }
};

// An identifier that callers look for (RFC 9113 section 6.5.2).
inline constexpr uint16_t kSettingsInitialWindowSize = 0x4;

struct H2SettingsReceived {
  bool ack = false;                                     // true: the peer acknowledged ours
  std::vector<std::pair<uint16_t, uint32_t>> settings;  // identifier, value; in wire order
};

struct H2PingAcked {
  uint64_t opaque = 0;  // as given to SendPing
};

// The connection is lost: always the last event ever. What is still queued (GOAWAY) should be written, then close.
struct H2ConnectionError {
  ErrorCode error_code = ErrorCode::kProtocolError;
  std::string reason;                           // what was expected, what came
  std::optional<H2Limit> limit = std::nullopt;  // the one that the peer has gone beyond
};

using H2Event = std::variant<H2RequestReceived, H2ResponseReceived, H2BodyReceived, H2TrailersReceived, H2StreamReset,
                             H2GoAway, H2WindowUpdated, H2WebSocketRequest, H2RequestTooLarge, H2SettingsReceived,
                             H2PingAcked, H2ConnectionError>;

// One line: `Body 5 "hello" more` - for tests, traces and error texts.
std::string ToString(const H2Event& event);

}  // namespace weir::transport
