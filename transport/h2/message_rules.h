// MessageRules: is what the peer sends a well-formed HTTP message (RFC 9113 section 8)? Fed field by field.
//
//   Begin(kind) -> Field(...)* -> End(end_stream)        one header block at a time;  Field = Add(Judge(...))
//   Body(...)*, BodyEnd                                  on the state of the stream (MessageState)
//
// "A malformed request or response is one that is an otherwise valid sequence of HTTP/2 frames but is invalid due to
// the presence of extraneous frames, prohibited fields or pseudo-header fields, the absence of mandatory pseudo-header
// fields, the inclusion of uppercase field names, or invalid field names and/or values" (section 8.1.1): a stream error
// PROTOCOL_ERROR. A field that RFC 9113 lets pass and RFC 9110 does not (a name with "(", a value with 0x01) is left
// out instead, because gRPC wants the call to go on (Custom-Metadata: "must not error").
//
// Two rules are wider than HTTP's for the same reason: the :path of a POST need not begin with a slash (a gRPC server
// answers UNIMPLEMENTED to one that names no method, and says so), and :authority may be the path of a Unix socket,
// which gRPC clients of several languages send as it is ("/run/x.sock").
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

  // What one field is by itself, wherever it stands: a field that comes again need not be looked at again.
  struct Judgement {
    uint64_t number = 0;  // of content-length and :status
    uint32_t signs = 0;   // enum Sign
    Verdict verdict = Verdict::kKeep;
  };

  // `extended_connect`: we announced SETTINGS_ENABLE_CONNECT_PROTOCOL.
  static Judgement Judge(Block block, std::string_view name, std::string_view value, bool extended_connect);

  MessageRules() = default;

  void Begin(Block block) { *this = MessageRules(block); }
  Block block() const { return block_; }

  // The next field of the block. What it breaks is remembered for End.
  void Add(const Judgement& field);
  Verdict Field(std::string_view name, std::string_view value, bool extended_connect) {
    const Judgement field = Judge(block_, name, value, extended_connect);
    Add(field);
    return field.verdict;
  }

  // The block is complete. False: malformed. `head_request`: a response to HEAD.
  bool End(bool end_stream, bool head_request, MessageState* state) const;

  int status() const { return status_; }                              // of a response head
  bool is_tunnel() const { return Has(kConnect) && Has(kProtocol); }  // extended CONNECT (RFC 8441)

 private:
  enum Sign : uint32_t {
    // fields that may come once in a block
    kMethod = 1,
    kScheme = 2,
    kPath = 4,
    kAuthority = 8,
    kHost = 16,
    kProtocol = 32,
    kStatus = 64,
    kContentLength = 128,
    kOnce = 255,
    // where a field may stand
    kPseudo = 256,
    kRegular = 512,
    // values
    kConnect = 1024,
    kOptions = 2048,
    kPost = 4096,
    kPathBare = 8192,  // no slash in front
    kPathAsterisk = 16384,
    kSchemeHttp = 32768,
    kMalformed = 65536,
  };

  explicit MessageRules(Block block) : block_(block) {}

  static Judgement JudgePseudo(Block block, std::string_view name, std::string_view value, bool extended_connect);
  static Judgement JudgeRegular(Block block, std::string_view name, std::string_view value);
  bool Has(uint32_t all) const { return (seen_ & all) == all; }
  bool RequestIsComplete() const;

  uint64_t content_length_ = MessageState::kNoLength;
  int status_ = 0;
  uint32_t seen_ = 0;  // all signs of the block's fields
  Block block_ = Block::kRequest;
};

}  // namespace weir::transport
