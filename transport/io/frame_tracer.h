// FrameTracer: every frame of one connection as a line of text, for WEIR_TRACE=frames and for tests.
//
//   12.003 c3 < HEADERS 1 END_STREAM :method=GET ...      seconds, connection, direction (< came, > left), frame text
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weir/transport/h2/frame_text.h"
#include "weir/transport/h2/options.h"
#include "weir/transport/io/connection_driver.h"
#include "weir/transport/io/event_loop.h"

namespace weir::transport {

class FrameTracer {
 public:
  // Null if neither the options nor the environment ask for a trace.
  static std::unique_ptr<FrameTracer> Create(const EventLoop& loop, Role role, const std::string& name,
                                             ConnectionDriverOptions options);

  void Received(std::string_view bytes) { Print("<", received_, bytes); }
  void Sent(std::string_view bytes) { Print(">", sent_, bytes); }

 private:
  FrameTracer(const EventLoop& loop, Role role, const std::string& name, ConnectionDriverOptions options);
  void Print(std::string_view direction, FrameTextDecoder& decoder, std::string_view bytes);

  const EventLoop& loop_;
  const std::string name_;
  const ConnectionDriverOptions options_;
  FrameTextDecoder received_;
  FrameTextDecoder sent_;
  std::vector<std::string> lines_;
};

}  // namespace weir::transport
