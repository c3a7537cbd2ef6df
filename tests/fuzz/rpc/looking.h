// Looking: an interceptor that looks at all messages and copies them, as logging and caching ones do.
#pragma once

#include "weir/rpc/core/interceptor.h"
#include "weir/tests/fuzz/input.h"

namespace weir::testing {

template <class Message>
class Looking final : public Interceptor {
 public:
  Task<absl::Status> Intercept(const MethodSpec&, InterceptedCall& call, const Next& next) override {
    call.OnRequestMessage(Look);
    call.OnResponseMessage(Look);
    co_return co_await next(call);
  }

 private:
  static absl::Status Look(InterceptedMessage& message) {
    Require(message.FramedBytes() >= 5, "a message has an envelope");
    if (Message* own = message.Mutable<Message>()) own->set_body(own->body() + "!");
    (void)message.ToText();
    return absl::OkStatus();
  }
};

}  // namespace weir::testing
