// RequestHead: the head of a request, what it means, and the method that it names.
#pragma once

#include <memory>

#include "weir/rpc/server/dispatcher.h"
#include "weir/rpc/wire/protocol.h"
#include "weir/transport/h2/event.h"

namespace weir {

// Constant. Clients repeat their heads: calls whose header block was the same share one.
struct RequestHead {
  RequestHead(const wire::Protocol& spoken, transport::RequestReceived received, const Dispatcher& dispatcher)
      : protocol(spoken),
        request(std::move(received)),
        decoded(protocol.DecodeRequest(request)),
        target(decoded.status.ok() ? dispatcher.Find(decoded.path) : Dispatcher::Target()) {}

  const wire::Protocol& protocol;
  const transport::RequestReceived request;
  const wire::DecodedRequest decoded;  // views into `request`
  const Dispatcher::Target target;     // null members: no such method, or `decoded` refuses the request
};

// Makes the heads of one connection's requests.
class RequestHeads {
 public:
  explicit RequestHeads(const Dispatcher& dispatcher) : dispatcher_(dispatcher) {}

  std::shared_ptr<const RequestHead> Make(const wire::Protocol& protocol, transport::RequestReceived request) {
    // A shared buffer says that the transport found the block to repeat the last one.
    if (last_ == nullptr || !request.fields.SharesBufferWith(last_->request.fields) || &protocol != &last_->protocol) {
      last_ = std::make_shared<const RequestHead>(protocol, std::move(request), dispatcher_);
    }
    return last_;
  }

 private:
  const Dispatcher& dispatcher_;
  std::shared_ptr<const RequestHead> last_;
};

}  // namespace weir
