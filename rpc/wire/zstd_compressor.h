// zstd (RFC 8878) as a content coding: "zstd". In a target of its own, //rpc/wire:zstd, because it needs libzstd.
//
//   options.compressors.Add(weir::ZstdCompressor());   // ChannelOptions, ServerOptions
#pragma once

#include <memory>

#include "weir/rpc/core/compressor.h"

namespace weir {

// `level`: zstd's, 1 (fast) to 22 (small); below 0 faster still.
std::shared_ptr<const Compressor> ZstdCompressor(int level = 3);

}  // namespace weir
