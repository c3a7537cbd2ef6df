// ReceivedHead: the head of a request as it came, what it means, and the method that it names.
#pragma once

#include <utility>

#include "weir/rpc/wire/protocol.h"
#include "weir/transport/h2/event.h"

namespace weir {

class Service;
struct ServerMethod;

// Constant once it is made. Clients repeat their heads: calls whose header blocks were the same share one.
struct ReceivedHead {
  ReceivedHead(const wire::Protocol& spoken, transport::RequestReceived received)
      : protocol(spoken), request(std::move(received)), decoded(spoken.DecodeRequest(request)) {}

  const wire::Protocol& protocol;
  const transport::RequestReceived request;
  const wire::DecodedRequest decoded;  // views into `request`

  // Null if there is no such method, or `decoded` refuses the request.
  Service* service = nullptr;
  const ServerMethod* method = nullptr;
};

}  // namespace weir
