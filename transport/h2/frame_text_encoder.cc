#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/transport/h2/error_code.h"
#include "weir/transport/h2/frame.h"
#include "weir/transport/h2/frame_text.h"
#include "weir/transport/h2/preface.h"
#include "weir/transport/h2/text.h"

namespace weir::transport {
namespace {

constexpr uint32_t kReservedBit = 0x80000000;
constexpr uint64_t kPayloadBytesMax = 0xffffff;  // the length field has 24 bits

// HPACK integer with a 7-bit prefix (RFC 7541 section 5.1); the eighth bit is 0: no Huffman coding.
void AppendPrefixedLength(size_t length, std::string* out) {
  if (length < 127) {
    *out += static_cast<char>(length);
    return;
  }
  *out += static_cast<char>(127);
  for (length -= 127; length >= 128; length >>= 7) *out += static_cast<char>((length & 0x7f) | 0x80);
  *out += static_cast<char>(length);
}

void AppendLiteral(std::string_view name, std::string_view value, std::string* out) {
  *out += '\0';  // literal without indexing, new name (RFC 7541 section 6.2.2)
  AppendPrefixedLength(name.size(), out);
  *out += name;
  AppendPrefixedLength(value.size(), out);
  *out += value;
}

// One word of a line: quotes and escapes resolved.
struct Word {
  static constexpr size_t kNone = std::string::npos;

  std::string text;
  size_t column = 0;      // of its first character, from 1
  size_t equals = kNone;  // place of the first '=' outside quotes, in `text`
  bool quoted = false;    // begins with a quote

  std::string_view Name() const { return std::string_view(text).substr(0, equals); }
  std::string_view Value() const { return std::string_view(text).substr(equals + 1); }
  bool IsField() const { return equals != kNone; }
};

// The words of one line, and the frame that they become.
class LineEncoder {
 public:
  LineEncoder(std::string_view line, size_t number) : line_(line), number_(number) {}

  absl::Status Encode(std::string* out);

 private:
  // Reading. All return false after having set status_.
  bool Split();
  bool SplitWord(size_t* at, Word* word);
  bool Unescape(size_t* at, std::string* text);
  bool Fail(size_t column, std::string_view expected, std::string_view got);
  bool FailHere(std::string_view expected);
  bool Number(std::string_view text, size_t column, uint64_t max, uint64_t* value);
  bool TakeNumber(std::string_view what, uint64_t max, uint64_t* value);
  bool TakeFlag(std::string_view name);
  bool TakeOption(std::string_view name, uint64_t max, std::optional<uint64_t>* value);
  bool TakeErrorCode();
  bool TakePriority(std::string_view text, size_t column);
  const Word* Peek() const { return next_ < words_.size() ? &words_[next_] : nullptr; }

  // One per kind of line.
  bool Data();
  bool Headers();
  bool Continuation();
  bool Priority();
  bool RstStream();
  bool Settings();
  bool Ping();
  bool GoAway();
  bool WindowUpdate();
  bool Frame();
  bool Bytes();

  bool Fields();
  bool Payload();
  bool Padding(std::optional<uint64_t>* pad);
  bool Hex(std::string_view digits, size_t column);

  const std::string_view line_;
  const size_t number_;
  std::vector<Word> words_;
  size_t next_ = 0;
  absl::Status status_;

  FrameHeader header_;
  std::optional<uint64_t> false_length_;
  std::string payload_;
  bool is_frame_ = true;  // false: payload_ as it stands
};

bool LineEncoder::Fail(size_t column, std::string_view expected, std::string_view got) {
  status_ = absl::InvalidArgumentError(absl::StrCat("line ", number_, ", column ", column, ": expected ",
                                                    std::string(expected), ", got ",
                                                    got.empty() ? "the end of the line" : Quote(got.substr(0, 40))));
  return false;
}

bool LineEncoder::FailHere(std::string_view expected) {
  const Word* const word = Peek();
  if (word == nullptr) return Fail(line_.size() + 1, expected, "");
  return Fail(word->column, expected, word->text.empty() ? "\"\"" : std::string_view(word->text));
}

bool LineEncoder::Unescape(size_t* at, std::string* text) {
  const size_t start = *at;
  const char kind = start + 1 < line_.size() ? line_[start + 1] : '\0';
  *at += 2;
  switch (kind) {
    case '"':
      *text += '"';
      return true;
    case '\\':
      *text += '\\';
      return true;
    case 'n':
      *text += '\n';
      return true;
    case 'r':
      *text += '\r';
      return true;
    case 't':
      *text += '\t';
      return true;
    case 'x':
      break;
    default:
      return Fail(start + 1, "one of \\\" \\\\ \\n \\r \\t \\xHH", line_.substr(start, 2));
  }
  if (*at + 2 > line_.size() || HexDigit(line_[*at]) < 0 || HexDigit(line_[*at + 1]) < 0) {
    return Fail(start + 1, "two hexadecimal digits after \\x", line_.substr(start, 4));
  }
  *text += static_cast<char>(HexDigit(line_[*at]) * 16 + HexDigit(line_[*at + 1]));
  *at += 2;
  return true;
}

bool LineEncoder::SplitWord(size_t* at, Word* word) {
  word->column = *at + 1;
  word->quoted = line_[*at] == '"';
  while (*at < line_.size() && line_[*at] != ' ') {
    if (line_[*at] != '"') {
      if (line_[*at] == '=' && !word->IsField()) word->equals = word->text.size();
      word->text += line_[(*at)++];
      continue;
    }
    const size_t open = (*at)++;
    while (true) {
      if (*at >= line_.size()) return Fail(open + 1, "a closing quote", line_.substr(open));
      if (line_[*at] == '"') break;
      if (line_[*at] != '\\') {
        word->text += line_[(*at)++];
      } else if (!Unescape(at, &word->text)) {
        return false;
      }
    }
    ++*at;
  }
  return true;
}

bool LineEncoder::Split() {
  size_t at = 0;
  while (true) {
    while (at < line_.size() && line_[at] == ' ') ++at;
    if (at >= line_.size() || line_[at] == '#') return true;
    Word word;
    if (!SplitWord(&at, &word)) return false;
    words_.push_back(std::move(word));
  }
}

bool LineEncoder::Number(std::string_view text, size_t column, uint64_t max, uint64_t* value) {
  const std::optional<uint64_t> parsed = text.starts_with("0x") ? ParseHex(text.substr(2)) : ParseDecimal(text);
  if (!parsed.has_value() || *parsed > max) return Fail(column, absl::StrCat("a number up to ", max), text);
  *value = *parsed;
  return true;
}

bool LineEncoder::TakeNumber(std::string_view what, uint64_t max, uint64_t* value) {
  const Word* const word = Peek();
  if (word == nullptr || word->quoted) return FailHere(what);
  if (!Number(word->text, word->column, max, value)) return false;
  ++next_;
  return true;
}

bool LineEncoder::TakeFlag(std::string_view name) {
  const Word* const word = Peek();
  if (word == nullptr || word->quoted || word->text != name) return false;
  ++next_;
  return true;
}

// name=number, if it comes next. False only on an error.
bool LineEncoder::TakeOption(std::string_view name, uint64_t max, std::optional<uint64_t>* value) {
  const Word* const word = Peek();
  if (word == nullptr || word->quoted || !word->IsField() || word->Name() != name) return true;
  uint64_t number = 0;
  if (!Number(word->Value(), word->column, max, &number)) return false;
  *value = number;
  ++next_;
  return true;
}

bool LineEncoder::TakeErrorCode() {
  const Word* const word = Peek();
  const std::optional<ErrorCode> code = word == nullptr ? std::nullopt : ParseErrorCode(word->text);
  if (!code.has_value()) return FailHere("an error code like CANCEL or ERROR_0x1f");
  AppendNumber(static_cast<uint32_t>(*code), 4, &payload_);
  ++next_;
  return true;
}

// "3:16" or "3:16:exclusive".
bool LineEncoder::TakePriority(std::string_view text, size_t column) {
  const std::string_view whole = text;
  const bool exclusive = text.ends_with(":exclusive");
  if (exclusive) text.remove_suffix(std::string_view(":exclusive").size());
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return Fail(column, "<dependency>:<weight>[:exclusive]", whole);
  uint64_t dependency = 0;
  uint64_t weight = 0;
  if (!Number(text.substr(0, colon), column, kReservedBit - 1, &dependency)) return false;
  if (!Number(text.substr(colon + 1), column, 256, &weight)) return false;
  if (weight == 0) return Fail(column, "a weight of 1 to 256", whole);
  AppendNumber(dependency | (exclusive ? kReservedBit : 0), 4, &payload_);
  AppendNumber(weight - 1, 1, &payload_);
  return true;
}

bool LineEncoder::Fields() {
  for (; Peek() != nullptr; ++next_) {
    const Word& word = *Peek();
    if (!word.IsField()) return FailHere("a field like name=value");
    AppendLiteral(word.Name(), word.Value(), &payload_);
  }
  return true;
}

bool LineEncoder::Payload() {
  const Word* const word = Peek();
  if (word == nullptr) return true;
  if (word->quoted) {
    payload_ += word->text;
    ++next_;
    return true;
  }
  uint64_t size = 0;
  if (word->text.starts_with("zeros:")) {
    if (!Number(std::string_view(word->text).substr(6), word->column, kPayloadBytesMax, &size)) return false;
    payload_.append(size, '\0');
    ++next_;
    return true;
  }
  const size_t start = payload_.size();
  if (!TakeNumber("a payload: \"text\", zeros:N or N bytes \"text\"", kPayloadBytesMax, &size)) return false;
  if (!TakeFlag("bytes")) return FailHere("the word bytes");
  if (Peek() == nullptr || !Peek()->quoted || Peek()->text.size() > size) return FailHere("the first bytes in quotes");
  payload_ += Peek()->text;
  payload_.resize(start + size, '\0');
  ++next_;
  return true;
}

bool LineEncoder::Padding(std::optional<uint64_t>* pad) {
  if (!TakeOption("padded", 255, pad)) return false;
  if (!pad->has_value()) return true;
  header_.flags |= frame_flag::kPadded;
  AppendNumber(**pad, 1, &payload_);
  return true;
}

bool LineEncoder::Data() {
  header_.type = FrameType::kData;
  if (TakeFlag("END_STREAM")) header_.flags |= frame_flag::kEndStream;
  std::optional<uint64_t> pad;
  if (!Padding(&pad) || !Payload()) return false;
  payload_.append(pad.value_or(0), '\0');
  return true;
}

bool LineEncoder::Headers() {
  header_.type = FrameType::kHeaders;
  header_.flags = frame_flag::kEndHeaders;
  if (TakeFlag("END_STREAM")) header_.flags |= frame_flag::kEndStream;
  if (TakeFlag("NO_END_HEADERS")) header_.flags &= ~frame_flag::kEndHeaders;
  std::optional<uint64_t> pad;
  if (!Padding(&pad)) return false;
  const Word* const word = Peek();
  if (word != nullptr && !word->quoted && word->IsField() && word->Name() == "priority") {
    header_.flags |= frame_flag::kPriority;
    if (!TakePriority(word->Value(), word->column)) return false;
    ++next_;
  }
  if (!Fields()) return false;
  payload_.append(pad.value_or(0), '\0');
  return true;
}

bool LineEncoder::Continuation() {
  header_.type = FrameType::kContinuation;
  if (TakeFlag("END_HEADERS")) header_.flags |= frame_flag::kEndHeaders;
  return Fields();
}

bool LineEncoder::Priority() {
  header_.type = FrameType::kPriority;
  if (Peek() == nullptr) return FailHere("<dependency>:<weight>[:exclusive]");
  if (!TakePriority(Peek()->text, Peek()->column)) return false;
  ++next_;
  return true;
}

bool LineEncoder::RstStream() {
  header_.type = FrameType::kRstStream;
  return TakeErrorCode();
}

bool LineEncoder::Settings() {
  header_.type = FrameType::kSettings;
  if (TakeFlag("ACK")) header_.flags |= frame_flag::kAck;
  for (; Peek() != nullptr; ++next_) {
    const Word& word = *Peek();
    const std::optional<uint16_t> identifier = word.IsField() ? ParseSettingName(word.Name()) : std::nullopt;
    if (!identifier.has_value()) return FailHere("a setting like MAX_CONCURRENT_STREAMS=100 or 0x1f=7");
    uint64_t value = 0;
    if (!Number(word.Value(), word.column, 0xffffffff, &value)) return false;
    AppendNumber(*identifier, 2, &payload_);
    AppendNumber(value, 4, &payload_);
  }
  return true;
}

bool LineEncoder::Ping() {
  header_.type = FrameType::kPing;
  if (TakeFlag("ACK")) header_.flags |= frame_flag::kAck;
  const Word* const word = Peek();
  const bool good = word != nullptr && word->text.size() == 16 && ParseHex(word->text).has_value();
  if (!good) return FailHere("16 hexadecimal digits");
  AppendNumber(*ParseHex(word->text), 8, &payload_);
  ++next_;
  return true;
}

bool LineEncoder::GoAway() {
  header_.type = FrameType::kGoAway;
  std::optional<uint64_t> last;
  if (!TakeOption("last", kReservedBit - 1, &last)) return false;
  if (!last.has_value()) return FailHere("last=<stream id>");
  AppendNumber(*last, 4, &payload_);
  if (!TakeErrorCode()) return false;
  return Payload();
}

bool LineEncoder::WindowUpdate() {
  header_.type = FrameType::kWindowUpdate;
  uint64_t increment = 0;
  if (!TakeNumber("an increment", kReservedBit - 1, &increment)) return false;
  AppendNumber(increment, 4, &payload_);
  return true;
}

bool LineEncoder::Hex(std::string_view digits, size_t column) {
  if (digits.size() % 2 != 0) return Fail(column, "an even number of hexadecimal digits", digits);
  for (size_t i = 0; i < digits.size(); i += 2) {
    const int high = HexDigit(digits[i]);
    const int low = HexDigit(digits[i + 1]);
    if (high < 0 || low < 0) return Fail(column + i, "hexadecimal digits", digits.substr(i, 2));
    payload_ += static_cast<char>(high * 16 + low);
  }
  return true;
}

bool LineEncoder::Frame() {
  std::optional<uint64_t> type;
  std::optional<uint64_t> flags;
  std::optional<uint64_t> stream;
  if (!TakeOption("type", 0xff, &type)) return false;
  if (!type.has_value()) return FailHere("type=0x<hex>");
  if (!TakeOption("flags", 0xff, &flags) || !TakeOption("stream", 0xffffffff, &stream)) return false;
  if (!TakeOption("length", kPayloadBytesMax, &false_length_)) return false;
  header_ = {0, static_cast<FrameType>(*type), static_cast<uint8_t>(flags.value_or(0)),
             static_cast<uint32_t>(stream.value_or(0))};
  const Word* const word = Peek();
  if (word == nullptr || !word->text.starts_with("hex:") || word->quoted) return Payload();
  if (!Hex(std::string_view(word->text).substr(4), word->column + 4)) return false;
  ++next_;
  return true;
}

bool LineEncoder::Bytes() {
  is_frame_ = false;
  if (Peek() == nullptr) return FailHere("bytes in quotes");
  return Payload();
}

absl::Status LineEncoder::Encode(std::string* out) {
  struct Kind {
    std::string_view name;
    bool (LineEncoder::*encode)();
    bool has_stream;
  };
  static constexpr Kind kKinds[] = {
      {"DATA", &LineEncoder::Data, true},
      {"HEADERS", &LineEncoder::Headers, true},
      {"PRIORITY", &LineEncoder::Priority, true},
      {"RST_STREAM", &LineEncoder::RstStream, true},
      {"SETTINGS", &LineEncoder::Settings, false},
      {"PING", &LineEncoder::Ping, false},
      {"GOAWAY", &LineEncoder::GoAway, false},
      {"WINDOW_UPDATE", &LineEncoder::WindowUpdate, true},
      {"CONTINUATION", &LineEncoder::Continuation, true},
      {"FRAME", &LineEncoder::Frame, false},
      {"BYTES", &LineEncoder::Bytes, false},
  };
  if (!Split()) return status_;
  if (words_.empty()) return absl::OkStatus();
  if (words_.size() == 1 && words_[0].text == "PREFACE") {
    *out += kClientMagic;
    return absl::OkStatus();
  }
  const auto* const kind =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& k) { return k.name == words_[0].text; });
  if (kind == std::end(kKinds)) {
    FailHere(
        "PREFACE, DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION, FRAME "
        "or BYTES");
    return status_;
  }
  next_ = 1;
  uint64_t stream = 0;
  if (kind->has_stream && !TakeNumber("a stream id", kReservedBit - 1, &stream)) return status_;
  header_.stream = static_cast<uint32_t>(stream);
  if (!(this->*kind->encode)()) return status_;
  if (Peek() != nullptr) {
    FailHere("the end of the line");
    return status_;
  }
  if (payload_.size() > kPayloadBytesMax) {
    Fail(1, absl::StrCat("a frame of at most ", kPayloadBytesMax, " octets"), std::to_string(payload_.size()));
    return status_;
  }
  if (is_frame_) {
    header_.length = static_cast<uint32_t>(false_length_.value_or(payload_.size()));
    AppendFrameHeader(header_, out);
  }
  *out += payload_;
  return absl::OkStatus();
}

}  // namespace

absl::Status EncodeFrameText(std::string_view script, std::string* out) {
  size_t number = 0;
  while (!script.empty()) {
    const size_t end = std::min(script.find('\n'), script.size());
    const absl::Status status = LineEncoder(script.substr(0, end), ++number).Encode(out);
    if (!status.ok()) return status;
    script.remove_prefix(std::min(end + 1, script.size()));
  }
  return absl::OkStatus();
}

void AppendLiteralBlock(const HeaderList& fields, std::string* out) {
  for (const HeaderView field : fields) AppendLiteral(field.name, field.value, out);
}

}  // namespace weir::transport
