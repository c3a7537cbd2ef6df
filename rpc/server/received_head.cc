#include "weir/rpc/server/received_head.h"

#include <utility>

namespace weir {

ReceivedHead::ReceivedHead(const wire::Protocol& spoken, transport::RequestReceived received, const Compressors& known,
                           std::string_view compression)
    : protocol(spoken), request(std::move(received)), compressors(known), decoded(spoken.DecodeRequest(request)) {
  if (!decoded.status.ok()) return;
  if (!decoded.encoding.empty()) {
    absl::StatusOr<const Compressor*> found = wire::OfRequest(known, decoded.encoding);
    if (!found.ok()) {
      decoded.status = found.status();
      return;
    }
    decompressor = *found;
  }
  if (!wire::IsIdentity(compression) && wire::Accepts(decoded.accept_encoding, compression)) {
    reply_compressor = known.Find(compression);
  }
}

}  // namespace weir
