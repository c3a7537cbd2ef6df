// Protocol: how a call looks as HTTP/2 header blocks and body bytes. gRPC is one; gRPC-Web and Connect may join it.
//
// Must be: pure functions, no state per call, no I/O, no branch on the kind of call (unary or streaming). The
// multiplexer picks one by content-type and then only moves what these functions make.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "weir/rpc/core/metadata.h"
#include "weir/transport/h2/event.h"
#include "weir/transport/h2/headers.h"

namespace weir::wire {

// What the head of a request means. Views into the RequestReceived it was decoded from.
struct DecodedRequest {
  // Not OK: the call is refused with this status and http_status, and no handler runs.
  absl::Status status;
  int http_status = 200;  // 415: wrong content-type, 405: wrong method (gRPC over HTTP2, Requests)

  std::string_view path;  // "/package.Service/Method"
  std::string_view authority;
  std::optional<absl::Duration> timeout;  // grpc-timeout; absent: no deadline
  std::string_view encoding;              // grpc-encoding, known or not; empty: identity
  std::string_view accept_encoding;       // grpc-accept-encoding: what the client understands
};

// What the head of a response means.
struct DecodedResponse {
  // Set if the head already ends the call: Trailers-Only, or not gRPC at all (status from the HTTP status).
  std::optional<absl::Status> final_status;
  std::string_view encoding;  // grpc-encoding, known or not; empty: identity
};

// What a client asks for.
struct RequestHead {
  std::string_view scheme;  // "http" or "https"
  std::string_view path;    // "/package.Service/Method"
  std::string_view authority;
  std::string_view user_agent;
  std::optional<absl::Duration> timeout;
  std::string_view encoding;           // of its messages that are compressed; empty: none is
  std::string_view accept_encoding;    // what responses may use; empty: identity only
  int previous_attempts = 0;           // at the same call
  const Metadata* metadata = nullptr;  // may be null
};

// What a server answers with.
struct ResponseHead {
  std::string_view encoding;           // as above
  std::string_view accept_encoding;    // what requests may use; empty: not said
  const Metadata* metadata = nullptr;  // may be null
};

class Protocol {
 public:
  virtual ~Protocol() = default;

  virtual std::string_view name() const = 0;

  // Does a request of this content-type speak this protocol?
  virtual bool Accepts(std::string_view content_type) const = 0;

  // ---- server
  virtual DecodedRequest DecodeRequest(const transport::RequestReceived& request) const = 0;
  // How often the client has tried before; 0 if it does not say.
  virtual int DecodePreviousAttempts(const transport::RequestReceived& request) const = 0;
  // Regular header fields of the response head (":status" is the transport's).
  virtual void EncodeResponseHead(const ResponseHead& head, transport::HeaderList* out) const = 0;
  virtual void EncodeTrailers(const absl::Status& status, const Metadata& trailing,
                              transport::HeaderList* out) const = 0;
  // For a peer to which such a block is too long: the block without what the status can do without. False: it needs
  // all.
  virtual bool ShortenTrailers(const transport::HeaderList& block, transport::HeaderList* out) const = 0;
  // A response of a single header block: EncodeResponseHead and EncodeTrailers in one. UNIMPLEMENTED may be due to the
  // request's encoding, and says what is understood.
  virtual void EncodeTrailersOnly(const absl::Status& status, const Metadata& trailing,
                                  std::string_view accept_encoding, transport::HeaderList* out) const = 0;

  // ---- client
  // All fields, pseudo-header fields first.
  virtual void EncodeRequest(const RequestHead& head, transport::HeaderList* out) const = 0;
  virtual DecodedResponse DecodeResponse(const transport::ResponseReceived& response, bool end_stream) const = 0;
  virtual absl::Status DecodeTrailers(const transport::HeaderList& trailers) const = 0;

  // ---- both
  // The application's metadata in a block: reserved and HTTP's own fields left out, -bin values decoded. A -bin field
  // that is a list counts as the fields that it stands for; one that would make more than `fields_max` of the block's
  // is left out.
  virtual Metadata DecodeMetadata(const transport::HeaderList& fields, size_t fields_max) const = 0;
};

// gRPC over HTTP/2 (the grpc project's PROTOCOL-HTTP2 specification). A stateless constant.
const Protocol& Grpc();

}  // namespace weir::wire
