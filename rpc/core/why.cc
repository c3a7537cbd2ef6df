#include "weir/rpc/core/why.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <string_view>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace weir {
namespace {

constexpr char kPayload[] = "weir.why";
constexpr std::string_view kHttp2 = "http2=";

// In the order of the enumerations: as ToString writes them, and as Explain says them.
struct Word {
  const char* key;
  const char* said;
};
constexpr std::array<Word, 5> kBy = {{
    {"peer", "the peer"},
    {"us", "this side"},
    {"deadline", "the deadline"},
    {"caller", "the caller"},
    {"network", "the network"},
}};
constexpr std::array<Word, 8> kPhase = {{
    {"start", "before it was sent"},
    {"resolve", "while the name was resolved"},
    {"connect", "while connecting"},
    {"queue", "while it waited for a place on the connection"},
    {"credentials", "while its credentials were asked"},
    {"headers", "before any message of the response"},
    {"body", "in the middle of the response"},
    {"trailers", "at the end of the response"},
}};
constexpr std::array<Word, 3> kProcessed = {{
    {"no", "never processed: safe to retry"},
    {"unknown", "perhaps processed"},
    {"yes", "processed"},
}};

template <size_t kCount, class Enum>
const Word& WordOf(const std::array<Word, kCount>& words, Enum value) {
  return words[static_cast<size_t>(value)];
}

template <size_t kCount, class Enum>
void Parse(const std::array<Word, kCount>& words, std::string_view key, Enum* value) {
  for (size_t i = 0; i < kCount; ++i) {
    if (words[i].key == key) *value = static_cast<Enum>(i);
  }
}

// The text holds words, so that a status that is printed can be read; a value must not end its own word.
bool EndsWord(char c) { return c <= ' ' || c == '%' || c == '\x7f'; }

std::string AsWord(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string word;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && EndsWord(c)) {
      word += {'%', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      word += c;
    }
  }
  return word;
}

std::string FromWord(std::string_view word) {
  std::string text;
  for (size_t i = 0; i < word.size(); ++i) {
    unsigned byte = 0;
    if (word[i] == '%' && i + 2 < word.size() &&
        std::from_chars(word.data() + i + 1, word.data() + i + 3, byte, 16).ec == std::errc()) {
      text += static_cast<char>(byte);
      i += 2;
    } else {
      text += word[i];
    }
  }
  return text;
}

void ParseField(std::string_view key, std::string_view value, Why* why) {
  if (key == "by") Parse(kBy, value, &why->by);
  if (key == "phase") Parse(kPhase, value, &why->phase);
  if (key == "processed") Parse(kProcessed, value, &why->processed);
  if (key == "elapsed") absl::ParseDuration(std::string(value), &why->elapsed);
  if (key == "attempt") std::from_chars(value.data(), value.data() + value.size(), why->attempt);
  if (key == "method") why->method = FromWord(value);
  if (key == "target") why->target = FromWord(value);
  if (key == "peer") why->peer = FromWord(value);
}

Why ParseWhy(std::string_view text) {
  Why why;
  while (!text.empty()) {
    if (text.starts_with(kHttp2)) {
      why.http2 = std::string(text.substr(kHttp2.size()));
      break;
    }
    const std::string_view field = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(field.size() + 1, text.size()));
    const size_t equals = field.find('=');
    if (equals != std::string_view::npos) ParseField(field.substr(0, equals), field.substr(equals + 1), &why);
  }
  return why;
}

}  // namespace

std::string ToString(const Why& why) {
  std::string text = absl::StrCat("by=", WordOf(kBy, why.by).key, " phase=", WordOf(kPhase, why.phase).key,
                                  " processed=", WordOf(kProcessed, why.processed).key);
  if (why.elapsed != absl::ZeroDuration()) absl::StrAppend(&text, " elapsed=", absl::FormatDuration(why.elapsed));
  absl::StrAppend(&text, " attempt=", why.attempt);
  const auto add = [&text](const char* key, const std::string& value) {
    if (!value.empty()) absl::StrAppend(&text, " ", key, "=", AsWord(value));
  };
  add("method", why.method);
  add("target", why.target);
  add("peer", why.peer);
  if (!why.http2.empty()) text.append(" ").append(kHttp2).append(why.http2);  // the last field: it may hold blanks
  return text;
}

absl::Status WithWhy(absl::Status status, const Why& why) {
  status.SetPayload(kPayload, absl::Cord(ToString(why)));  // does nothing if OK
  return status;
}

std::optional<Why> WhyOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayload);
  if (!payload.has_value()) return std::nullopt;
  return ParseWhy(std::string(*payload));
}

std::string Explain(const absl::Status& status) {
  if (status.ok()) return "OK";
  std::string line = absl::StatusCodeToString(status.code());
  if (!status.message().empty()) absl::StrAppend(&line, ": ", status.message());
  const std::optional<Why> why = WhyOf(status);
  if (!why.has_value()) return line;
  line += " [";
  // A text of our own making begins with the method and says where it went; a server's own does not.
  if (!absl::StartsWith(status.message(), why->method)) {
    absl::StrAppend(&line, why->method);
    if (!why->target.empty()) absl::StrAppend(&line, " to ", why->target);
    if (!why->peer.empty() && why->peer != why->target) absl::StrAppend(&line, " (", why->peer, ")");
    line += "; ";
  }
  const bool server = why->target.empty();
  absl::StrAppend(&line, "decided by ", WordOf(kBy, why->by).said, ", ",
                  server ? "while the handler ran" : WordOf(kPhase, why->phase).said);
  if (why->elapsed != absl::ZeroDuration()) absl::StrAppend(&line, ", after ", absl::FormatDuration(why->elapsed));
  if (why->attempt != 1) absl::StrAppend(&line, "; attempt ", why->attempt);
  if (!server) absl::StrAppend(&line, "; ", WordOf(kProcessed, why->processed).said);
  line += "]";
  return line;
}

}  // namespace weir
