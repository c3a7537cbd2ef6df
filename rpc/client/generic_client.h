// GenericClient: calls any method by its path, without knowing the types of messages.
//
//   weir::GenericClient client(channel);
//   absl::StatusOr<weir::Bytes> reply = client.Unary("/foo.Greeter/SayHello", weir::Bytes(serialized)).Wait();
//
// `path` is copied. Bidi can make a call of any kind, since on the wire they differ in the number of messages only; the
// others check that number.
#pragma once

#include <string_view>

#include "weir/rpc/client/call_options.h"
#include "weir/rpc/client/channel.h"
#include "weir/rpc/client/stub.h"
#include "weir/rpc/core/method.h"
#include "weir/rpc/wire/bytes.h"

namespace weir {

class GenericClient {
 public:
  // The channel must live whenever a call is made.
  explicit GenericClient(Channel& channel) : channel_(&channel) {}

  UnaryCall<Bytes> Unary(std::string_view path, const Bytes& request, const CallOptions& options = CallOptions()) {
    return UnaryCall<Bytes>(*channel_, Method(path, CallKind::kUnary), request, options);
  }
  ClientStreamCall<Bytes, Bytes> ClientStream(std::string_view path, const CallOptions& options = CallOptions()) {
    return ClientStreamCall<Bytes, Bytes>(*channel_, Method(path, CallKind::kClientStreaming), options);
  }
  ServerStreamCall<Bytes> ServerStream(std::string_view path, const Bytes& request,
                                       const CallOptions& options = CallOptions()) {
    return ServerStreamCall<Bytes>(*channel_, Method(path, CallKind::kServerStreaming), request, options);
  }
  BidiCall<Bytes, Bytes> Bidi(std::string_view path, const CallOptions& options = CallOptions()) {
    return BidiCall<Bytes, Bytes>(*channel_, Method(path, CallKind::kBidiStreaming), options);
  }

 private:
  static MethodSpec Method(std::string_view path, CallKind kind) {
    return MethodSpec{path, kind, PathStorage::kCaller};
  }

  Channel* channel_;
};

}  // namespace weir
