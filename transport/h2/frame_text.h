// Frame text: one frame <-> one line. The same grammar is trace, test script and golden file.
//
//   PREFACE                                                      the client's magic
//   HEADERS 1 END_STREAM :method=POST :path=/a te=trailers       END_HEADERS unless NO_END_HEADERS is written
//   HEADERS 1 padded=4 priority=3:16 a="b c"                     priority=<dependency>:<weight>[:exclusive]
//   CONTINUATION 1 END_HEADERS a=b
//   DATA 1 END_STREAM "hello\x00"       DATA 1 padded=10 "x"     padded=<value of Pad Length>
//   DATA 1 zeros:5000                   DATA 1 5000 bytes "abc"  abc and then whatever: encoded as zeros
//   RST_STREAM 1 CANCEL                 PRIORITY 1 3:16
//   SETTINGS MAX_CONCURRENT_STREAMS=100 0x1f=7                   SETTINGS ACK
//   PING 0123456789abcdef               PING ACK 0123456789abcdef
//   GOAWAY last=5 NO_ERROR "debug"      WINDOW_UPDATE 0 1000
//   FRAME type=0x0b flags=0x00 stream=1 hex:00ff                 anything else; length=N makes the length a lie
//   BYTES "GET / HTTP/1.1\r\n"                                   not a frame at all
//
// A word with spaces, quotes or control octets is quoted with the escapes of text.h; so are field names that look like
// an option ("padded", "priority") and values that are empty. In scripts `# ...` and empty lines are skipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "weir/transport/h2/headers.h"
#include "weir/transport/h2/options.h"

namespace weir::transport {

class HeaderDecoder;
struct FrameHeader;

// Appends the frames of a script, one per line, to `out`. Header blocks are written as literals, so that a script's
// bytes do not depend on what was sent before. Error: "line 2, column 8: expected ..., got ...".
absl::Status EncodeFrameText(std::string_view script, std::string* out);

// Appends the HPACK form of `fields`: literals that leave the table alone.
void AppendLiteralBlock(const HeaderList& fields, std::string* out);

class FrameTextDecoder {
 public:
  // Payload octets shown of one DATA frame in a trace.
  static constexpr size_t kTracePayloadBytes = 64;
  static constexpr size_t kWholePayload = SIZE_MAX;

  // Reads what `sender` writes: a client begins with PREFACE. Unless payloads are shown whole, this is a trace, which
  // people send to each other: of the fields that hold credentials it shows the size.
  explicit FrameTextDecoder(Role sender, size_t payload_bytes_max = kWholePayload);
  ~FrameTextDecoder();
  FrameTextDecoder(FrameTextDecoder&&) noexcept;

  // Takes bytes cut anywhere; appends a line for every frame that is complete.
  void Feed(std::string_view bytes, std::vector<std::string>* lines);

  // Bytes of a frame that is not complete yet.
  size_t pending_bytes() const { return pending_.size(); }

 private:
  bool TakePreface(std::vector<std::string>* lines);
  std::string Line(const FrameHeader& header, std::string_view payload);
  // One per frame type: false if the frame is not well-formed, to be shown as FRAME.
  bool DataLine(const FrameHeader& header, std::string_view payload, std::string* line) const;
  bool HeadersLine(const FrameHeader& header, std::string_view payload, std::string* line);
  bool ContinuationLine(const FrameHeader& header, std::string_view payload, std::string* line);
  bool AppendBlock(const FrameHeader& header, std::string_view block, std::string* line);
  void AppendPayload(std::string_view payload, std::string* line) const;

  bool preface_expected_;
  bool lost_ = false;  // the bytes are no frames: shown as BYTES
  size_t payload_bytes_max_;
  size_t skip_bytes_ = 0;  // of a frame that is too long to be kept
  std::string pending_;
  std::unique_ptr<HeaderDecoder> headers_;  // null after an error: the table is out of step
};

// All lines of `bytes`, which must be whole frames: for tests.
std::vector<std::string> DecodeFrameText(Role sender, std::string_view bytes);

}  // namespace weir::transport
