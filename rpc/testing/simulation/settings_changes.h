// SettingsChanges: SETTINGS that a client sees in the middle of a connection, though its server's code never changes
// them: put between two frames of what the server sends. The client's acknowledgement, of which the server must not
// know, is taken out of what comes back.
//
// The values are no larger than those that the server has announced, so that the server has nothing to complain of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace weir::testing {

// The borders of frames in the bytes of one direction.
class FrameWalk {
 public:
  explicit FrameWalk(size_t preface_bytes) : left_(preface_bytes) {}

  // Takes bytes up to the next border between two frames, or all. Returns how many.
  size_t ToBorder(std::string_view bytes);
  // Between two frames, and not in the middle of a header block.
  bool at_border() const { return left_ == 0 && header_.empty() && !in_block_; }

  // Of the frame that has ended, or whose header has come last.
  bool is_settings() const { return type_ == 4 && (flags_ & 1) == 0; }
  bool is_settings_ack() const { return type_ == 4 && (flags_ & 1) != 0; }

 private:
  size_t left_;         // octets of the preface or of a payload
  std::string header_;  // of the next frame, in part
  uint8_t type_ = 0xff;
  uint8_t flags_ = 0;
  bool in_block_ = false;
};

struct Settings {
  uint32_t header_table_bytes = 4096;
  uint32_t max_concurrent_streams = 0;
  uint32_t initial_window_bytes = 0;

  std::string ToFrame() const;
};

class SettingsChanges {
 public:
  // Sent as soon as there is a border. False: the server's own SETTINGS have not been sent yet, so nothing happens.
  bool Add(const Settings& settings);
  // What has to be sent now, because there is a border.
  std::string TakeDue();

  // What becomes of bytes that the server writes, and of those that the client writes.
  std::string FromServer(std::string_view bytes);
  std::string FromClient(std::string_view bytes);

 private:
  FrameWalk server_{0};
  FrameWalk client_{24};
  std::string due_;
  uint32_t due_count_ = 0;
  uint32_t settings_ = 0;      // that the client has been sent, ours among them
  uint32_t acks_ = 0;          // that the client has sent
  std::deque<uint32_t> ours_;  // numbers of ours among them, of which no acknowledgement has come
  std::string held_;           // of the client: what may be the beginning of an acknowledgement
};

}  // namespace weir::testing
