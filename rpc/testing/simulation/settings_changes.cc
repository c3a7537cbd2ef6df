#include "weir/testing/simulation/settings_changes.h"

#include <algorithm>
#include <utility>

namespace weir::testing {
namespace {

constexpr size_t kHeaderBytes = 9;
constexpr uint8_t kHeaders = 1;
constexpr uint8_t kSettings = 4;
constexpr uint8_t kContinuation = 9;
constexpr uint8_t kEndHeaders = 4;

// Up to four bytes.
void AppendBigEndian(uint32_t value, int bytes, std::string* out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out->push_back(static_cast<char>(value >> shift & 0xff));
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
      if (type_ == kHeaders || type_ == kContinuation) in_block_ = (flags_ & kEndHeaders) == 0;
      header_.clear();
    }
    const size_t step = std::min(left_, bytes.size() - at);
    left_ -= step;
    at += step;
    if (left_ == 0) return at;
  }
  return at;
}

std::string Settings::ToFrame() const {
  constexpr uint32_t kSettingBytes = 6;
  const std::pair<uint32_t, uint32_t> all[] = {
      {1, header_table_bytes}, {3, max_concurrent_streams}, {4, initial_window_bytes}};
  std::string frame;
  AppendBigEndian(std::size(all) * kSettingBytes, 3, &frame);
  frame.push_back(kSettings);
  frame.push_back(0);             // flags
  AppendBigEndian(0, 4, &frame);  // stream
  for (const auto& [name, value] : all) {
    AppendBigEndian(name, 2, &frame);
    AppendBigEndian(value, 4, &frame);
  }
  return frame;
}

bool SettingsChanges::Add(const Settings& settings) {
  if (settings_ == 0) return false;
  due_ += settings.ToFrame();
  ++due_count_;
  return true;
}

std::string SettingsChanges::TakeDue() {
  if (!server_.at_border()) return {};
  for (; due_count_ > 0; --due_count_) ours_.push_back(settings_++);
  return std::exchange(due_, {});
}

std::string SettingsChanges::FromServer(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const size_t step = server_.ToBorder(bytes);
    out.append(bytes.substr(0, step));
    bytes.remove_prefix(step);
    if (!server_.at_border()) continue;
    if (server_.is_settings()) ++settings_;
    out += TakeDue();
  }
  return out;
}

std::string SettingsChanges::FromClient(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const size_t step = client_.ToBorder(bytes);
    held_.append(bytes.substr(0, step));
    bytes.remove_prefix(step);
    const bool at_border = client_.at_border();
    if (at_border && client_.is_settings_ack()) {
      const uint32_t acknowledged = acks_++;
      if (!ours_.empty() && ours_.front() == acknowledged) {
        ours_.pop_front();
        held_.resize(held_.size() - kHeaderBytes);
      }
    }
    // Only what may be the beginning of an acknowledgement of ours waits for its rest.
    if (at_border || ours_.empty() || held_.size() >= kHeaderBytes) out += std::exchange(held_, {});
  }
  return out;
}

}  // namespace weir::testing
