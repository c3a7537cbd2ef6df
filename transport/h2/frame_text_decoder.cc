#include <algorithm>
#include <utility>

#include "weir/transport/h2/error_code.h"
#include "weir/transport/h2/frame.h"
#include "weir/transport/h2/frame_text.h"
#include "weir/transport/h2/preface.h"
#include "weir/transport/h2/session.h"
#include "weir/transport/h2/text.h"

namespace weir::transport {
namespace {

// A longer frame is no honest frame: it is shown by its beginning.
constexpr size_t kKeptFrameBytesMax = 1 << 20;
constexpr size_t kShownOfLongFrame = 64;
// From this length on a run of zeros is shown as such.
constexpr size_t kZerosMin = 16;
constexpr uint32_t kReservedBit = 0x80000000;

// Cuts `octets` off the front of `*bytes` as a number; false if there are not so many.
bool Take(int octets, std::string_view* bytes, uint32_t* value) {
  if (bytes->size() < static_cast<size_t>(octets)) return false;
  *value = static_cast<uint32_t>(ReadNumber(bytes->substr(0, octets)));
  bytes->remove_prefix(octets);
  return true;
}

// Removes Pad Length and padding (RFC 9113 section 6.1); writes " padded=N".
bool TakePadding(const FrameHeader& header, std::string_view* payload, std::string* line) {
  if (!header.Has(frame_flag::kPadded)) return true;
  uint32_t pad = 0;
  if (!Take(1, payload, &pad) || pad > payload->size()) return false;
  payload->remove_suffix(pad);
  *line += " padded=" + std::to_string(pad);
  return true;
}

// "3:16" or "3:16:exclusive".
bool TakePriority(std::string_view* payload, std::string* line) {
  uint32_t dependency = 0;
  uint32_t weight = 0;
  if (!Take(4, payload, &dependency) || !Take(1, payload, &weight)) return false;
  *line += std::to_string(dependency & ~kReservedBit) + ":" + std::to_string(weight + 1);
  if ((dependency & kReservedBit) != 0) *line += ":exclusive";
  return true;
}

// What a trace may show of a block: the sizes of credentials, not the credentials.
HeaderList WithoutSecrets(const HeaderList& fields) {
  static constexpr std::string_view kSecret[] = {"authorization", "proxy-authorization", "cookie", "set-cookie"};
  HeaderList shown;
  for (const auto& [name, value] : fields) {
    const bool secret = std::find(std::begin(kSecret), std::end(kSecret), name) != std::end(kSecret);
    shown.Add(name, secret ? "(" + std::to_string(value.size()) + " secret bytes)" : std::string(value));
  }
  return shown;
}

std::string RawLine(const FrameHeader& header, std::string_view payload) {
  std::string line = "FRAME type=0x";
  AppendHex(static_cast<uint8_t>(header.type), 2, &line);
  line += " flags=0x";
  AppendHex(header.flags, 2, &line);
  line += " stream=" + std::to_string(header.stream);
  if (header.length != payload.size()) line += " length=" + std::to_string(header.length);
  if (payload.empty()) return line;
  line += " hex:";
  for (char c : payload) AppendHex(static_cast<unsigned char>(c), 2, &line);
  return line;
}

bool PriorityLine(const FrameHeader& header, std::string_view payload, std::string* line) {
  if (header.flags != 0) return false;
  *line = "PRIORITY " + std::to_string(header.stream) + " ";
  return TakePriority(&payload, line) && payload.empty();
}

bool RstStreamLine(const FrameHeader& header, std::string_view payload, std::string* line) {
  uint32_t code = 0;
  if (header.flags != 0 || !Take(4, &payload, &code) || !payload.empty()) return false;
  *line = "RST_STREAM " + std::to_string(header.stream) + " " + ErrorCodeName(static_cast<ErrorCode>(code));
  return true;
}

bool SettingsLine(const FrameHeader& header, std::string_view payload, std::string* line) {
  if ((header.flags & ~frame_flag::kAck) != 0 || header.stream != 0 || payload.size() % 6 != 0) return false;
  *line = header.Has(frame_flag::kAck) ? "SETTINGS ACK" : "SETTINGS";
  uint32_t identifier = 0;
  uint32_t value = 0;
  while (Take(2, &payload, &identifier) && Take(4, &payload, &value)) {
    *line += " " + SettingName(static_cast<uint16_t>(identifier)) + "=" + std::to_string(value);
  }
  return true;
}

bool PingLine(const FrameHeader& header, std::string_view payload, std::string* line) {
  if ((header.flags & ~frame_flag::kAck) != 0 || header.stream != 0 || payload.size() != 8) return false;
  *line = header.Has(frame_flag::kAck) ? "PING ACK " : "PING ";
  AppendHex(ReadNumber(payload), 16, line);
  return true;
}

bool GoAwayLine(const FrameHeader& header, std::string_view payload, std::string* line) {
  uint32_t last = 0;
  uint32_t code = 0;
  if (header.flags != 0 || header.stream != 0) return false;
  if (!Take(4, &payload, &last) || !Take(4, &payload, &code) || (last & kReservedBit) != 0) return false;
  *line = "GOAWAY last=" + std::to_string(last) + " " + ErrorCodeName(static_cast<ErrorCode>(code));
  if (!payload.empty()) *line += " " + Quote(payload);
  return true;
}

bool WindowUpdateLine(const FrameHeader& header, std::string_view payload, std::string* line) {
  uint32_t increment = 0;
  if (header.flags != 0 || !Take(4, &payload, &increment) || !payload.empty()) return false;
  if ((increment & kReservedBit) != 0) return false;
  *line = "WINDOW_UPDATE " + std::to_string(header.stream) + " " + std::to_string(increment);
  return true;
}

}  // namespace

FrameTextDecoder::FrameTextDecoder(Role sender, size_t payload_bytes_max)
    : preface_expected_(sender == Role::kClient),
      payload_bytes_max_(payload_bytes_max),
      headers_(std::make_unique<HeaderDecoder>()) {}
FrameTextDecoder::~FrameTextDecoder() = default;
FrameTextDecoder::FrameTextDecoder(FrameTextDecoder&&) noexcept = default;

void FrameTextDecoder::Feed(std::string_view bytes, std::vector<std::string>* lines) {
  const size_t skipped = std::min(skip_bytes_, bytes.size());
  skip_bytes_ -= skipped;
  pending_ += bytes.substr(skipped);
  if (!TakePreface(lines)) return;
  size_t taken = 0;
  while (pending_.size() - taken >= FrameHeader::kBytes) {
    const std::string_view rest = std::string_view(pending_).substr(taken);
    const FrameHeader header = ReadFrameHeader(rest);
    const bool kept = header.length <= kKeptFrameBytesMax;
    const size_t wanted = kept ? header.length : kShownOfLongFrame;
    if (rest.size() < FrameHeader::kBytes + wanted) break;
    const std::string_view payload = rest.substr(FrameHeader::kBytes, wanted);
    lines->push_back(kept ? Line(header, payload) : RawLine(header, payload));
    const size_t whole = FrameHeader::kBytes + header.length;
    taken += std::min(whole, rest.size());
    if (whole > rest.size()) skip_bytes_ = whole - rest.size();
  }
  pending_.erase(0, taken);
}

// False while there is nothing more to decode.
bool FrameTextDecoder::TakePreface(std::vector<std::string>* lines) {
  if (preface_expected_) {
    const size_t compared = std::min(pending_.size(), kClientMagic.size());
    if (kClientMagic.substr(0, compared) != std::string_view(pending_).substr(0, compared)) {
      lost_ = true;
    } else if (compared < kClientMagic.size()) {
      return false;
    } else {
      lines->push_back("PREFACE");
      pending_.erase(0, compared);
    }
    preface_expected_ = false;
  }
  if (lost_ && !pending_.empty()) lines->push_back("BYTES " + Quote(std::exchange(pending_, {})));
  return !lost_;
}

std::string FrameTextDecoder::Line(const FrameHeader& header, std::string_view payload) {
  std::string line;
  bool good = false;
  switch (header.type) {
    case FrameType::kData:
      good = DataLine(header, payload, &line);
      break;
    case FrameType::kHeaders:
      good = HeadersLine(header, payload, &line);
      break;
    case FrameType::kPriority:
      good = PriorityLine(header, payload, &line);
      break;
    case FrameType::kRstStream:
      good = RstStreamLine(header, payload, &line);
      break;
    case FrameType::kSettings:
      good = SettingsLine(header, payload, &line);
      break;
    case FrameType::kPushPromise:
      headers_.reset();
      break;  // never allowed here; its block is not followed
    case FrameType::kPing:
      good = PingLine(header, payload, &line);
      break;
    case FrameType::kGoAway:
      good = GoAwayLine(header, payload, &line);
      break;
    case FrameType::kWindowUpdate:
      good = WindowUpdateLine(header, payload, &line);
      break;
    case FrameType::kContinuation:
      good = ContinuationLine(header, payload, &line);
      break;
  }
  if (good && (header.stream & kReservedBit) == 0) return line;
  return RawLine(header, payload);
}

bool FrameTextDecoder::DataLine(const FrameHeader& header, std::string_view payload, std::string* line) const {
  if ((header.flags & ~(frame_flag::kEndStream | frame_flag::kPadded)) != 0) return false;
  *line = "DATA " + std::to_string(header.stream);
  if (header.Has(frame_flag::kEndStream)) *line += " END_STREAM";
  if (!TakePadding(header, &payload, line)) return false;
  AppendPayload(payload, line);
  return true;
}

void FrameTextDecoder::AppendPayload(std::string_view payload, std::string* line) const {
  if (payload.empty()) return;
  if (payload.size() >= kZerosMin && payload.find_first_not_of('\0') == std::string_view::npos) {
    *line += " zeros:" + std::to_string(payload.size());
    return;
  }
  if (payload.size() > payload_bytes_max_) *line += " " + std::to_string(payload.size()) + " bytes";
  *line += " " + Quote(payload.substr(0, payload_bytes_max_));
}

bool FrameTextDecoder::HeadersLine(const FrameHeader& header, std::string_view payload, std::string* line) {
  using namespace frame_flag;  // NOLINT: four names of one table
  *line = "HEADERS " + std::to_string(header.stream);
  if (header.Has(kEndStream)) *line += " END_STREAM";
  if (!header.Has(kEndHeaders)) *line += " NO_END_HEADERS";
  bool good = (header.flags & ~(kEndStream | kEndHeaders | kPadded | kPriority)) == 0;
  good = TakePadding(header, &payload, line) && good;
  if (header.Has(kPriority)) {
    *line += " priority=";
    good = TakePriority(&payload, line) && good;
  }
  return AppendBlock(header, payload, line) && good;
}

bool FrameTextDecoder::ContinuationLine(const FrameHeader& header, std::string_view payload, std::string* line) {
  *line = "CONTINUATION " + std::to_string(header.stream);
  if (header.Has(frame_flag::kEndHeaders)) *line += " END_HEADERS";
  return AppendBlock(header, payload, line) && (header.flags & ~frame_flag::kEndHeaders) == 0;
}

bool FrameTextDecoder::AppendBlock(const FrameHeader& header, std::string_view block, std::string* line) {
  if (headers_ == nullptr) return false;
  HeaderList fields;
  const auto part = header.Has(frame_flag::kEndHeaders) ? HeaderDecoder::Part::kLast : HeaderDecoder::Part::kMore;
  if (!headers_->Decode(block, part, &fields).ok()) {
    headers_.reset();
    return false;
  }
  AppendFields(payload_bytes_max_ == kWholePayload ? fields : WithoutSecrets(fields), line);
  return true;
}

std::vector<std::string> DecodeFrameText(Role sender, std::string_view bytes) {
  FrameTextDecoder decoder(sender);
  std::vector<std::string> lines;
  decoder.Feed(bytes, &lines);
  return lines;
}

}  // namespace weir::transport
