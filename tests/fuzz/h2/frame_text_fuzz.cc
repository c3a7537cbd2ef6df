// Frame text both ways: arbitrary bytes are decoded whole and cut, with the same lines; every line can be encoded again
// and then says the same. Arbitrary text is encoded or refused with its place.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "weir/transport/h2/frame_text.h"

namespace {

using weir::transport::EncodeFrameText;
using weir::transport::FrameTextDecoder;
using weir::transport::Role;

void Check(bool good, std::string_view what, const std::string& line) {
  if (good) return;
  std::fprintf(stderr, "broken: %s: %s\n", std::string(what).c_str(), line.c_str());
  std::abort();
}

// Raw HEADERS keep a block that a fresh decoder may understand.
bool HasBlock(const std::string& line) {
  return line.starts_with("HEADERS") || line.starts_with("CONTINUATION") || line.starts_with("FRAME type=0x01") ||
         line.starts_with("FRAME type=0x09");
}

// A trace shows less of each frame, and no other frames.
void FuzzTrace(Role role, std::string_view bytes, size_t frames) {
  FrameTextDecoder trace(role, FrameTextDecoder::kTracePayloadBytes);
  std::vector<std::string> lines;
  trace.Feed(bytes, &lines);
  Check(lines.size() == frames, "a trace has a line for each frame", "");
}

void FuzzBytes(Role role, std::string_view bytes) {
  const std::vector<std::string> whole = weir::transport::DecodeFrameText(role, bytes);
  FuzzTrace(role, bytes, whole.size());
  FrameTextDecoder decoder(role);
  std::vector<std::string> cut;
  for (size_t at = 0; at < bytes.size(); at += 7) decoder.Feed(bytes.substr(at, 7), &cut);
  const bool lost = !cut.empty() && cut.back().starts_with("BYTES");
  Check(lost || cut == whole, "cut bytes give the same lines", "");
  for (const std::string& line : whole) {
    std::string again;
    Check(EncodeFrameText(line, &again).ok(), "a printed line can be read", line);
    if (HasBlock(line) || line.starts_with("PREFACE") || line.starts_with("BYTES")) continue;
    if (line.find(" length=") != std::string::npos) continue;
    const auto lines = weir::transport::DecodeFrameText(Role::kServer, again);
    Check(lines.size() == 1 && lines[0] == line, "text -> bytes -> text", line);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 't') {
    std::string out;
    const absl::Status status = EncodeFrameText(input, &out);
    if (!status.ok()) Check(status.message().find("column ") != absl::string_view::npos, "an error has a place", "");
  } else {
    FuzzBytes(data[0] % 2 == 0 ? Role::kClient : Role::kServer, input);
  }
  return 0;
}
