// MessageRules: is what the peer sends a well-formed HTTP message (RFC 9113 section 8)? Fed field by field.
//
//   Begin(kind) -> Field(...)* -> End(end_stream)        one header block at a time
//   Body(...)*, BodyEnd                                  on the state of the stream (MessageState)
//
// "A malformed request or response is one that is an otherwise valid sequence of HTTP/2 frames but is invalid due to the
// presence of extraneous frames, prohibited fields or pseudo-header fields, the absence of mandatory pseudo-header
// fields, the inclusion of uppercase field names, or invalid field names and/or values" (section 8.1.1): a stream error
// PROTOCOL_ERROR. A field with another octet that no field may hold is left out instead, because gRPC wants the call to go on
// (Custom-Metadata: "must not cause an error").
//
// Checked here, once, and not in the engine, which takes five times as long for the same.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::transport {

// What has to be remembered of a message between its head and its end.
struct MessageState {
  static constexpr uint64_t kNoLength = UINT64_MAX;

  uint64_t content_length = kNoLength;  // as announced
  uint64_t body_bytes = 0;
  bool bodyless = false;  // response to HEAD, or 204, 304: content-length speaks of another body (RFC 9110 8.6)

  // False: more body than announced.
  bool Body(uint64_t bytes) {
    body_bytes += bytes;
    return body_bytes <= content_length || content_length == kNoLength;
  }
  // False: the body is not as long as announced.
  bool BodyEnd() const { return bodyless || content_length == kNoLength || body_bytes == content_length; }
};

class MessageRules {
 public:
  enum class Block : uint8_t { kRequest, kResponse, kTrailers };
  enum class Verdict : uint8_t { kKeep, kDrop };

  MessageRules() = default;

  void Begin(Block block) { *this = MessageRules(block); }

  // `extended_connect`: we announced SETTINGS_ENABLE_CONNECT_PROTOCOL. A malformed field is remembered for End.
  Verdict Field(std::string_view name, std::string_view value, bool extended_connect);

  // The block is complete. False: malformed. `head_request`: a response to HEAD.
  bool End(bool end_stream, bool head_request, MessageState* state);

  int status() const { return status_; }                              // of a response head
  bool is_tunnel() const { return Has(kConnect) && Has(kProtocol); }  // extended CONNECT (RFC 8441)

 private:
  enum Seen : uint16_t {
    kMethod = 1,
    kScheme = 2,
    kPath = 4,
    kAuthority = 8,
    kHost = 16,
    kProtocol = 32,
    kStatus = 64,
    kRegular = 128,
    kConnect = 256,
    kOptions = 512,
    kPathSlash = 1024,
    kPathAsterisk = 2048,
    kSchemeHttp = 4096,
    kMalformed = 8192,
  };

  explicit MessageRules(Block block) : block_(block) {}

  // Notes that `what` has come; malformed if it had already.
  void Once(Seen what) { seen_ |= (seen_ & what) != 0 ? kMalformed : what; }
  void Malformed() { seen_ |= kMalformed; }
  bool Has(uint16_t all) const { return (seen_ & all) == all; }
  void Pseudo(std::string_view name, std::string_view value, bool extended_connect);
  void Method(std::string_view value);
  void Scheme(std::string_view value);
  void Path(std::string_view value);
  void Regular(std::string_view name, std::string_view value);
  bool RequestIsComplete() const;

  uint64_t content_length_ = MessageState::kNoLength;
  int status_ = 0;
  uint16_t seen_ = 0;
  Block block_ = Block::kRequest;
};

}  // namespace weir::transport
