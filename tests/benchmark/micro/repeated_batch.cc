#include "weir/tests/benchmark/micro/repeated_batch.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace bench {
namespace {

using weir::transport::StreamId;

constexpr size_t kFrameHeaderBytes = 9;
constexpr size_t kIdOffset = 5;  // RFC 9113 section 4.1: length (3), type, flags, stream identifier (4)

uint32_t ReadBigEndian(const std::string& bytes, size_t at, size_t count) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

void WriteId(StreamId id, size_t at, std::string* bytes) {
  for (int i = 0; i < 4; ++i) (*bytes)[at + i] = static_cast<char>(id >> (24 - 8 * i));
}

}  // namespace

RepeatedBatch::RepeatedBatch(std::string frames) : bytes_(std::move(frames)) {
  for (size_t at = 0; at < bytes_.size(); at += kFrameHeaderBytes + ReadBigEndian(bytes_, at, 3)) {
    const StreamId id = static_cast<StreamId>(ReadBigEndian(bytes_, at + kIdOffset, 4));
    if (id == 0) continue;
    id_offsets_.push_back(at + kIdOffset);
    streams_.push_back(id);
  }
  std::sort(streams_.begin(), streams_.end());
  streams_.erase(std::unique(streams_.begin(), streams_.end()), streams_.end());
}

void RepeatedBatch::Advance() {
  const StreamId step = 2 * static_cast<StreamId>(streams_.size());
  for (StreamId& id : streams_) id += step;
  for (const size_t at : id_offsets_) WriteId(static_cast<StreamId>(ReadBigEndian(bytes_, at, 4)) + step, at, &bytes_);
}

}  // namespace bench
