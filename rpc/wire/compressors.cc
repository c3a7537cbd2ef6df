#include "weir/rpc/wire/compressors.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "weir/rpc/wire/zlib_compressor.h"

namespace weir {

Compressors::Compressors() : Compressors(Codings{GzipCompressor(), DeflateCompressor()}) {}

Compressors::Compressors(Codings all) : all_(std::move(all)) { List(); }

Compressors& Compressors::Add(std::shared_ptr<const Compressor> compressor) {
  for (std::shared_ptr<const Compressor>& known : all_) {
    if (known->name() != compressor->name()) continue;
    known = std::move(compressor);
    return *this;
  }
  all_.push_back(std::move(compressor));
  List();
  return *this;
}

void Compressors::List() {
  accept_encoding_ = "identity";
  for (const std::shared_ptr<const Compressor>& known : all_) accept_encoding_.append(",").append(known->name());
}

const Compressor* Compressors::Find(std::string_view name) const {
  for (const std::shared_ptr<const Compressor>& known : all_) {
    if (known->name() == name) return known.get();
  }
  return nullptr;
}

namespace wire {
namespace {

// The part of a peer's value that an error text repeats.
std::string Quoted(std::string_view text) {
  return absl::StrCat("\"", absl::CHexEscape(absl::string_view(text.data(), std::min<size_t>(text.size(), 100))), "\"");
}

}  // namespace

// Message-Accept-Encoding -> "grpc-accept-encoding" Content-Coding *("," Content-Coding)
bool Accepts(std::string_view accept_encoding, std::string_view encoding) {
  if (IsIdentity(encoding)) return true;
  while (!accept_encoding.empty()) {
    const size_t comma = accept_encoding.find(',');
    std::string_view coding = accept_encoding.substr(0, comma);
    while (!coding.empty() && (coding.front() == ' ' || coding.front() == '\t')) coding.remove_prefix(1);
    while (!coding.empty() && (coding.back() == ' ' || coding.back() == '\t')) coding.remove_suffix(1);
    if (coding == encoding) return true;
    if (comma == std::string_view::npos) return false;
    accept_encoding.remove_prefix(comma + 1);
  }
  return false;
}

// gRPC compression.md: "When a message from a client compressed with an unsupported algorithm is processed by a server,
// it WILL result in an UNIMPLEMENTED error status on the server. The server will then include in its response a
// grpc-accept-encoding header specifying the algorithms it does accept."
absl::StatusOr<const Compressor*> OfRequest(const Compressors& compressors, std::string_view encoding) {
  if (IsIdentity(encoding)) return nullptr;
  if (const Compressor* found = compressors.Find(encoding)) return found;
  return absl::UnimplementedError(
      absl::StrCat("grpc-encoding: expected one of ", compressors.accept_encoding(), ", got ", Quoted(encoding)));
}

// "Data sent from a server compressed with an algorithm not supported by the client WILL result in an INTERNAL error
// status on the client side."
absl::StatusOr<const Compressor*> OfResponse(const Compressors* compressors, std::string_view encoding) {
  if (IsIdentity(encoding)) return nullptr;
  const Compressor* found = compressors == nullptr ? nullptr : compressors->Find(encoding);
  if (found != nullptr) return found;
  return absl::InternalError(absl::StrCat("grpc-encoding of the response: expected one of ",
                                          compressors == nullptr ? "identity" : compressors->accept_encoding(),
                                          ", got ", Quoted(encoding)));
}

}  // namespace wire
}  // namespace weir
