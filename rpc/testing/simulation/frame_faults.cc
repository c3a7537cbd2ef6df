#include "weir/testing/simulation/frame_faults.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace weir::testing {
namespace {

constexpr size_t kHeaderBytes = 9;
constexpr uint8_t kHeaders = 1;
constexpr uint8_t kReset = 3;
constexpr uint8_t kSettings = 4;
constexpr uint8_t kContinuation = 9;
constexpr uint8_t kEndHeaders = 4;
constexpr uint32_t kSettingBytes = 6;
constexpr uint8_t kInitialWindow = 4;

// Up to four bytes.
void AppendBigEndian(uint32_t value, int bytes, std::string* out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out->push_back(static_cast<char>(value >> shift & 0xff));
}

std::optional<uint32_t> WindowIn(std::string_view settings) {
  for (; settings.size() >= kSettingBytes; settings.remove_prefix(kSettingBytes)) {
    const auto octet = [&](size_t i) { return static_cast<uint8_t>(settings[i]); };
    if (octet(0) != 0 || octet(1) != kInitialWindow) continue;
    return uint32_t{octet(2)} << 24 | uint32_t{octet(3)} << 16 | uint32_t{octet(4)} << 8 | octet(5);
  }
  return std::nullopt;
}

std::string FrameHeader(uint32_t payload_bytes, uint8_t type, uint32_t stream) {
  std::string header;
  AppendBigEndian(payload_bytes, 3, &header);
  header.push_back(static_cast<char>(type));
  header.push_back(0);  // flags
  AppendBigEndian(stream, 4, &header);
  return header;
}

}  // namespace

size_t FrameWalk::ToBorder(std::string_view bytes) {
  size_t at = 0;
  while (at < bytes.size()) {
    if (left_ == 0) {
      const size_t step = std::min(kHeaderBytes - header_.size(), bytes.size() - at);
      header_.append(bytes.substr(at, step));
      at += step;
      if (header_.size() < kHeaderBytes) return at;
      const auto octet = [this](size_t i) { return static_cast<uint8_t>(header_[i]); };
      left_ = size_t{octet(0)} << 16 | size_t{octet(1)} << 8 | octet(2);
      type_ = octet(3);
      flags_ = octet(4);
      stream_ = uint32_t{octet(5) & 0x7fu} << 24 | uint32_t{octet(6)} << 16 | uint32_t{octet(7)} << 8 | octet(8);
      if (type_ == kHeaders || type_ == kContinuation) in_block_ = (flags_ & kEndHeaders) == 0;
      header_.clear();
      payload_.clear();
    }
    const size_t step = std::min(left_, bytes.size() - at);
    if (type_ == kSettings) payload_.append(bytes.substr(at, step));
    left_ -= step;
    at += step;
    if (left_ == 0) return at;
  }
  return at;
}

std::string Settings::ToFrame() const {
  const std::pair<uint32_t, uint32_t> all[] = {
      {1, header_table_bytes}, {3, max_concurrent_streams}, {kInitialWindow, initial_window_bytes}};
  std::string frame = FrameHeader(std::size(all) * kSettingBytes, kSettings, 0);
  for (const auto& [name, value] : all) {
    AppendBigEndian(name, 2, &frame);
    AppendBigEndian(value, 4, &frame);
  }
  return frame;
}

bool FrameFaults::AddSettings(const Settings& settings) {
  if (settings_ == 0) return false;
  due_settings_.push_back(settings);
  return true;
}

void FrameFaults::AddReset(int direction, uint32_t stream, uint32_t error_code) {
  due_[direction] += FrameHeader(4, kReset, stream);
  AppendBigEndian(error_code, 4, &due_[direction]);
  open_.erase(stream);
}

std::string FrameFaults::TakeDue(int direction) {
  if (!walks_[direction].at_border()) return {};
  std::string due = std::exchange(due_[direction], {});
  if (direction == 0) return due;
  for (Settings& settings : due_settings_) {
    settings.initial_window_bytes = std::min(settings.initial_window_bytes, window_announced_);
    due += settings.ToFrame();
    ours_.push_back(settings_++);
  }
  due_settings_.clear();
  return due;
}

std::vector<uint32_t> FrameFaults::open_streams() const {
  std::vector<uint32_t> streams;
  for (const auto& [stream, ways] : open_) streams.push_back(stream);
  return streams;
}

void FrameFaults::NoteStreams(int direction) {
  const FrameWalk& walk = walks_[direction];
  const uint32_t stream = walk.stream();
  if (direction == 0 && walk.is_headers() && stream > last_stream_) {
    last_stream_ = stream;
    open_[stream] = 3;
  }
  const auto entry = open_.find(stream);
  if (entry == open_.end()) return;
  if (walk.ends_stream()) entry->second &= ~(1 << direction);
  if (walk.is_reset() || entry->second == 0) open_.erase(entry);
}

std::string FrameFaults::FromServer(std::string_view bytes) {
  FrameWalk& walk = walks_[1];
  std::string out;
  while (!bytes.empty()) {
    const size_t step = walk.ToBorder(bytes);
    out.append(bytes.substr(0, step));
    bytes.remove_prefix(step);
    if (walk.frame_ended()) NoteStreams(1);
    if (!walk.at_border()) continue;
    if (walk.is_settings()) {
      ++settings_;
      window_announced_ = WindowIn(walk.payload()).value_or(window_announced_);
    }
    out += TakeDue(1);
  }
  return out;
}

std::string FrameFaults::FromClient(std::string_view bytes) {
  FrameWalk& walk = walks_[0];
  std::string out;
  while (!bytes.empty()) {
    const size_t step = walk.ToBorder(bytes);
    held_.append(bytes.substr(0, step));
    bytes.remove_prefix(step);
    if (walk.frame_ended()) NoteStreams(0);
    const bool at_border = walk.at_border();
    if (at_border && walk.is_settings_ack()) {
      const uint32_t acknowledged = acks_++;
      if (!ours_.empty() && ours_.front() == acknowledged) {
        ours_.pop_front();
        held_.resize(held_.size() - kHeaderBytes);
      }
    }
    // Only what may be the beginning of an acknowledgement of ours waits for its rest.
    if (at_border || ours_.empty() || held_.size() >= kHeaderBytes) out += std::exchange(held_, {});
    if (at_border) out += TakeDue(0);
  }
  return out;
}

}  // namespace weir::testing
