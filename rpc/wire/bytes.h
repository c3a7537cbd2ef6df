// Bytes: a message whose type is not known here: its serialization, as it is on the wire without the envelope. What
// proxies, recorders and other generic clients and services read and write, in place of a protobuf message.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

namespace weir {

class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::string data) : data_(std::move(data)) {}

  const std::string& data() const& { return data_; }
  std::string&& data() && { return std::move(data_); }
  size_t size() const { return data_.size(); }

  friend bool operator==(const Bytes&, const Bytes&) = default;

 private:
  std::string data_;
};

}  // namespace weir
