// Shorten: a line of WEIR_TRACE=frames, for newcomers. The grammar is that of transport/h2/frame_text.h.
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "examples/screen/screen.h"

namespace screen {
namespace {

// "a b="c d" e" -> a, b="c d", e
std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  size_t begin = 0;
  bool quoted = false;
  for (size_t i = 0; i <= line.size(); ++i) {
    if (i < line.size() && line[i] == '\\') {
      ++i;  // and what it escapes
    } else if (i < line.size() && line[i] == '"') {
      quoted = !quoted;
    } else if (i == line.size() || (line[i] == ' ' && !quoted)) {
      if (i > begin) words.push_back(line.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  return words;
}

// Octets of a quoted string with the escapes \n, \x1f and the like.
size_t UnquotedBytes(std::string_view quoted) {
  size_t bytes = 0;
  for (size_t i = 1; i + 1 < quoted.size(); ++i, ++bytes) {
    if (quoted[i] == '\\') i += quoted[i + 1] == 'x' ? 3 : 1;
  }
  return bytes;
}

bool IsTime(std::string_view word) {
  return word.size() >= 5 && word[word.size() - 4] == '.' && word.find_first_not_of("0123456789.") == word.npos;
}

bool IsInteresting(std::string_view frame_type) { return frame_type != "SETTINGS" && frame_type != "WINDOW_UPDATE"; }

// Fields that every call has.
bool IsBoilerplate(std::string_view word) {
  constexpr std::array<std::string_view, 7> kNames = {
      ":method=", ":scheme=", ":authority=", "te=", "content-type=", "user-agent=", ":status=200"};
  for (std::string_view name : kNames) {
    if (word.substr(0, name.size()) == name) return true;
  }
  return false;
}

// "DATA 1 END_STREAM "\x00..."" or "DATA 1 5000 bytes "\x00..."".
std::string Payload(const std::vector<std::string_view>& words) {
  if (words.back().front() != '"') return "";
  if (words.size() > 2 && words[words.size() - 2] == "bytes") return "";  // the count is already there
  return std::to_string(UnquotedBytes(words.back())) + " bytes";
}

}  // namespace

bool Shorten(std::string_view line, std::string* shown) {
  const std::vector<std::string_view> words = Words(line);
  if (words.size() < 4 || !IsTime(words[0]) || (words[2] != "<" && words[2] != ">")) {
    *shown = std::string(line);
    return true;
  }
  const std::string_view connection = words[1];
  const std::string_view frame_type = words[3];
  if (connection.front() != 'c' || !IsInteresting(frame_type)) return false;
  *shown = "     ";
  for (std::string_view word : std::vector<std::string_view>(words.begin() + 1, words.end())) {
    if (IsBoilerplate(word)) continue;
    const bool is_payload = frame_type == "DATA" && word.front() == '"';
    const std::string text = is_payload ? Payload(words) : std::string(word);
    if (!text.empty()) *shown += " " + text;
  }
  return true;
}

}  // namespace screen
