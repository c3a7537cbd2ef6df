#include "weir/transport/io/frame_tracer.h"

namespace weir::transport {

std::unique_ptr<FrameTracer> FrameTracer::Create(const EventLoop&, Role, const std::string&, ConnectionDriverOptions) {
  return nullptr;
}

}  // namespace weir::transport
