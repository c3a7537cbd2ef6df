// The content codings that zlib makes.
#pragma once

#include <memory>

#include "weir/rpc/core/compressor.h"

namespace weir {

// "gzip": RFC 1952, one member.
std::shared_ptr<const Compressor> GzipCompressor();

// "deflate": the zlib format of RFC 1950 around RFC 1951, as HTTP has it (RFC 9110 section 8.4.1.2) and gRPC.
std::shared_ptr<const Compressor> DeflateCompressor();

}  // namespace weir
