// ReceivedHead: the head of a request as it came, what it means, and the method that it names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "weir/rpc/wire/compressors.h"
#include "weir/rpc/wire/protocol.h"
#include "weir/transport/h2/event.h"
#include "weir/transport/io/peer_identity.h"

namespace weir {

class Service;
struct ServerMethod;

// Constant once it is made. Clients repeat their heads: calls whose header blocks were the same share one.
struct ReceivedHead {
  // `known`: what the server can compress and decompress; `compression`: how it answers, by name (ServerOptions).
  ReceivedHead(const wire::Protocol& spoken, transport::RequestReceived received, const Compressors& known,
               std::string_view compression);

  const wire::Protocol& protocol;
  const transport::RequestReceived request;
  const Compressors& compressors;
  wire::DecodedRequest decoded;  // views into `request`

  const Compressor* decompressor = nullptr;  // of its messages; null: identity
  const Compressor* reply_compressor =
      nullptr;  // null: the server compresses nothing, or the client would not understand it

  // Null if there is no such method, or `decoded` refuses the request.
  Service* service = nullptr;
  const ServerMethod* method = nullptr;

  // The requests of such calls are parsed on the arena of their call (ServerOptions).
  bool message_arena = false;

  // See Protocol::DecodeMetadata.
  size_t metadata_fields_max = SIZE_MAX;

  // Of the connection; what it has proven to be.
  const transport::PeerIdentity* peer_identity = nullptr;
};

}  // namespace weir
