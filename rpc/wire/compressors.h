// Compressors: the content codings that a channel or server knows, and how the two sides agree on one.
//
//   weir::ChannelOptions options;
//   options.compressors.Add(weir::ZstdCompressor());   // //rpc/wire:zstd
//   options.compression = "zstd";
//
// A value: held by ChannelOptions and ServerOptions; copies share the codings.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "weir/rpc/core/compressor.h"

namespace weir {

class Compressors {
 public:
  // "gzip" and "deflate". "identity", no compression, is always understood and never listed.
  Compressors();
  static Compressors None() { return Compressors(Codings()); }

  // After the others; in the place of one that has its name.
  Compressors& Add(std::shared_ptr<const Compressor> compressor);

  // Null if there is none of that name.
  const Compressor* Find(std::string_view name) const;

  // The value of grpc-accept-encoding, in the order of adding: "identity,gzip,deflate".
  const std::string& accept_encoding() const { return accept_encoding_; }
  bool empty() const { return all_.empty(); }

 private:
  using Codings = std::vector<std::shared_ptr<const Compressor>>;

  explicit Compressors(Codings all);
  void List();

  Codings all_;
  std::string accept_encoding_;
};

namespace wire {

// No encoding, or the one that changes nothing.
inline bool IsIdentity(std::string_view encoding) { return encoding.empty() || encoding == "identity"; }

// Does a peer that sent this grpc-accept-encoding understand `encoding`? "identity" always: it is no compression.
bool Accepts(std::string_view accept_encoding, std::string_view encoding);

// What undoes the grpc-encoding of a head; null: identity. An encoding that `compressors` (null: there are none) has
// not is UNIMPLEMENTED, naming those that it has, in the head of a request; INTERNAL in the head of a response.
absl::StatusOr<const Compressor*> OfRequest(const Compressors& compressors, std::string_view encoding);
absl::StatusOr<const Compressor*> OfResponse(const Compressors* compressors, std::string_view encoding);

}  // namespace wire
}  // namespace weir
