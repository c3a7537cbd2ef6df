#include "weir/transport/io/frame_tracer.h"

#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace weir::transport {
namespace {

// WEIR_TRACE is a list: "frames,calls". Read once, because getenv and setenv do not mix with threads.
struct Environment {
  bool frames = false;
  MonotonicTime epoch = std::chrono::steady_clock::now();

  Environment() {
    const char* value = ::getenv("WEIR_TRACE");
    std::string_view words = value == nullptr ? "" : value;
    while (!words.empty()) {
      const size_t comma = words.find(',');
      if (words.substr(0, comma) == "frames") frames = true;
      words = comma == words.npos ? "" : words.substr(comma + 1);
    }
  }
};

const Environment& TheEnvironment() {
  static const Environment environment;
  return environment;
}

void PrintToStandardError(std::string_view line) {
  const std::string with_newline = std::string(line) + "\n";  // one write: lines of several threads do not mix
  fwrite(with_newline.data(), 1, with_newline.size(), stderr);
}

std::string Seconds(std::chrono::nanoseconds since_epoch) {
  char text[32];
  snprintf(text, sizeof(text), "%.3f", std::chrono::duration<double>(since_epoch).count());
  return text;
}

Role Other(Role role) { return role == Role::kClient ? Role::kServer : Role::kClient; }

}  // namespace

std::unique_ptr<FrameTracer> FrameTracer::Create(const EventLoop& loop, Role role, const std::string& name,
                                                 ConnectionDriverOptions options) {
  if (!options.trace) {
    if (!TheEnvironment().frames) return nullptr;
    options.trace = PrintToStandardError;
    options.trace_epoch = TheEnvironment().epoch;
  }
  return std::unique_ptr<FrameTracer>(new FrameTracer(loop, role, name, std::move(options)));
}

FrameTracer::FrameTracer(const EventLoop& loop, Role role, const std::string& name, ConnectionDriverOptions options)
    : loop_(loop),
      name_(name),
      options_(std::move(options)),
      received_(Other(role), FrameTextDecoder::kTracePayloadBytes),
      sent_(role, FrameTextDecoder::kTracePayloadBytes) {}

void FrameTracer::Print(std::string_view direction, FrameTextDecoder& decoder, std::string_view bytes) {
  lines_.clear();
  decoder.Feed(bytes, &lines_);
  // A turn may have begun before the environment was read.
  const auto since =
      std::max<std::chrono::nanoseconds>(loop_.Now() - options_.trace_epoch, std::chrono::nanoseconds(0));
  const std::string time = Seconds(since);
  for (const std::string& line : lines_) {
    options_.trace(time + " " + name_ + " " + std::string(direction) + " " + line);
  }
}

}  // namespace weir::transport
