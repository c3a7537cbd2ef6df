#include "weir/rpc/client/call_options.h"

#include <utility>

#include "absl/time/clock.h"
#include "weir/rpc/client/inherited.h"

namespace weir {
namespace {

// W3C Trace Context. Its predecessor grpc-trace-bin belongs to gRPC's libraries: applications do not see it, so neither
// do parents.
constexpr std::string_view kTraceKeys[] = {"traceparent", "tracestate"};

// `list`, which may be null and is shared with copies of the options, and one more.
template <class T>
std::shared_ptr<const std::vector<T>> With(const std::shared_ptr<const std::vector<T>>& list, T one) {
  auto all = list == nullptr ? std::make_shared<std::vector<T>>() : std::make_shared<std::vector<T>>(*list);
  all->push_back(std::move(one));
  return all;
}

}  // namespace

Inherited::Inherited(const ParentCall& parent)
    : method(parent.method()),
      deadline(parent.deadline()),
      monotonic_deadline(parent.monotonic_deadline()),
      stop(parent.stop_token()) {
  for (std::string_view key : kTraceKeys) {
    for (std::string_view value : parent.metadata().GetAll(key)) trace.Add(key, value);
  }
}

CallOptions& CallOptions::Deadline(absl::Time deadline) { return Timeout(deadline - absl::Now()); }

CallOptions& CallOptions::Parent(const ParentCall& parent) {
  parent_ = std::make_shared<const Inherited>(parent);
  return *this;
}

CallOptions& CallOptions::Intercept(std::shared_ptr<Interceptor> interceptor) {
  interceptors_ = With(interceptors_, std::move(interceptor));
  return *this;
}

CallOptions& CallOptions::Credentials(std::shared_ptr<CallCredentials> credentials) {
  credentials_ = With(credentials_, std::move(credentials));
  return *this;
}

}  // namespace weir
