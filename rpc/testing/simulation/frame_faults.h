// FrameFaults: frames that the two ends of a connection see, though the code of neither sends them. Each is put between
// two frames of what really goes that way.
//
//   SETTINGS    to the client, in the middle of a connection, which our own server never changes. The client's
//               acknowledgement, of which the server must not know, is taken out of what comes back. Windows are no larger
//               than the server has announced, which may change its mind, so that it has nothing to complain of.
//   RST_STREAM  to either end, of a stream that is open; the other end knows nothing of it and goes on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weir::testing {

// The borders of frames in the bytes of one direction.
class FrameWalk {
 public:
  explicit FrameWalk(size_t preface_bytes) : left_(preface_bytes) {}

  // Takes bytes up to the next border between two frames, or all. Returns how many.
  size_t ToBorder(std::string_view bytes);
  // Between two frames; and not in the middle of a header block.
  bool frame_ended() const { return left_ == 0 && header_.empty(); }
  bool at_border() const { return frame_ended() && !in_block_; }

  // Of the frame that has ended, or whose header has come last.
  uint32_t stream() const { return stream_; }
  bool is_headers() const { return type_ == 1; }
  bool is_reset() const { return type_ == 3; }
  bool is_settings() const { return type_ == 4 && (flags_ & 1) == 0; }
  bool is_settings_ack() const { return type_ == 4 && (flags_ & 1) != 0; }
  bool ends_stream() const { return type_ <= 1 && (flags_ & 1) != 0; }
  // Of SETTINGS that have ended.
  const std::string& payload() const { return payload_; }

 private:
  size_t left_;         // octets of the preface or of a payload
  std::string header_;  // of the next frame, in part
  uint8_t type_ = 0xff;
  uint8_t flags_ = 0;
  uint32_t stream_ = 0;
  std::string payload_;  // of SETTINGS
  bool in_block_ = false;
};

struct Settings {
  uint32_t header_table_bytes = 4096;
  uint32_t max_concurrent_streams = 0;
  uint32_t initial_window_bytes = 0;

  std::string ToFrame() const;
};

class FrameFaults {
 public:
  // Direction 0 is what the client writes, 1 what the server writes.
  //
  // Sent as soon as there is a border. False: the server's own SETTINGS have not been sent yet, so nothing happens.
  bool AddSettings(const Settings& settings);
  void AddReset(int direction, uint32_t stream, uint32_t error_code);
  // What has to be sent that way now, because there is a border.
  std::string TakeDue(int direction);

  // What becomes of bytes that are written.
  std::string Pass(int direction, std::string_view bytes) {
    return direction == 0 ? FromClient(bytes) : FromServer(bytes);
  }

  // Streams that neither end has reset and that not both have ended, oldest first.
  std::vector<uint32_t> open_streams() const;

 private:
  std::string FromClient(std::string_view bytes);
  std::string FromServer(std::string_view bytes);
  void NoteStreams(int direction);

  std::array<FrameWalk, 2> walks_{FrameWalk(24), FrameWalk(0)};
  std::array<std::string, 2> due_;  // RST_STREAM
  std::vector<Settings> due_settings_;
  uint32_t window_announced_ = 65'535;
  uint32_t last_stream_ = 0;
  std::map<uint32_t, int> open_;  // by stream: bit 1 << direction if it has not ended that way
  uint32_t settings_ = 0;         // that the client has been sent, ours among them
  uint32_t acks_ = 0;             // that the client has sent
  std::deque<uint32_t> ours_;     // numbers of ours among them, of which no acknowledgement has come
  std::string held_;              // of the client: what may be the beginning of an acknowledgement
};

}  // namespace weir::testing
