#include "weir/rpc/client/stub.h"

#include "weir/rpc/client/channel.h"
#include "weir/rpc/client/client_call.h"

namespace weir {

AnyCall::AnyCall(Channel& channel, const MethodSpec& method, const CallOptions& options)
    : call_(channel.StartCall(method, options, nullptr)) {}

AnyCall::AnyCall(Channel& channel, const MethodSpec& method, const CallOptions& options, const OutgoingMessage& request)
    : call_(channel.StartCall(method, options, &request)) {}

void AnyCall::Cancel() { call_->Cancel(); }

const Metadata& AnyCall::trailing_metadata() const { return call_->trailing_metadata(); }

void AnyCall::HalfClose() { call_->HalfClose(); }

}  // namespace weir
