#include "weir/rpc/client/call_options.h"

namespace weir {
namespace {

// W3C Trace Context. Its predecessor grpc-trace-bin belongs to gRPC's libraries: applications do not see it, so neither
// do parents.
constexpr std::string_view kTraceKeys[] = {"traceparent", "tracestate"};

}  // namespace

Inherited::Inherited(const ParentCall& parent)
    : method(parent.method()), deadline(parent.deadline()), stop(parent.stop_token()) {
  for (std::string_view key : kTraceKeys) {
    for (std::string_view value : parent.metadata().GetAll(key)) trace.Add(key, value);
  }
}

}  // namespace weir
