// Metadata: key-value pairs that travel with a call, before (initial) and after (trailing) its messages.
//
// Keys are lower case [0-9a-z_.-]; a key may appear more than once and order is kept. A key ending in "-bin" carries
// any bytes (base64 on the wire, raw here); any other value is ASCII 0x20-0x7E. Keys that begin with "grpc-" or ":"
// belong to the protocol, but for kPushBackKey. gRPC over HTTP2, Custom-Metadata.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace weir {

class Metadata {
 public:
  using Entry = std::pair<std::string, std::string>;

  // Beside the status of a server that wants no retry now: milliseconds until one is welcome, or -1 (gRFC A6,
  // Pushback).
  static constexpr std::string_view kPushBackKey = "grpc-retry-pushback-ms";

  Metadata() = default;
  Metadata(std::initializer_list<std::pair<std::string_view, std::string_view>> entries);

  // Appends; upper case letters in `key` become lower case. Validity is checked by Check(), which the call does when
  // it starts, so that adding reads fluently.
  void Add(std::string_view key, std::string_view value);

  // The same, in place of all values that `key` has.
  void Set(std::string_view key, std::string_view value);
  // Removes all values of `key`, which is lower case.
  void Remove(std::string_view key);

  // First value of `key`, or nullopt.
  std::optional<std::string_view> Get(std::string_view key) const;
  std::vector<std::string_view> GetAll(std::string_view key) const;

  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  std::vector<Entry>::const_iterator begin() const { return entries_.begin(); }
  std::vector<Entry>::const_iterator end() const { return entries_.end(); }

  // INTERNAL naming the first key or value that may not be sent and the rule that it breaks; OK if none.
  absl::Status Check() const;
  static absl::Status CheckEntry(std::string_view key, std::string_view value);

  friend bool operator==(const Metadata&, const Metadata&) = default;

 private:
  std::vector<Entry> entries_;
};

}  // namespace weir
