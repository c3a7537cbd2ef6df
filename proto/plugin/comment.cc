#include "weir/proto/plugin/comment.h"

#include <algorithm>

namespace weir::plugin {
namespace {

constexpr std::string_view kLineEnds = "\n\r\v\f";  // some compilers take a lone \r for the end of a line

// Without control characters, and without white space at its end: g++ takes a backslash before it for a continuation.
std::string SafeLine(std::string_view line) {
  std::string result;
  for (const char c : line) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    result += control ? ' ' : c;
  }
  result.erase(result.find_last_not_of(' ') + 1);
  if (!result.empty() && result.back() == '\\') result += " .";
  return result;
}

bool IsEmpty(const std::string& line) { return line.empty(); }

}  // namespace

std::vector<std::string> CommentLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(kLineEnds), text.size());
    const bool crlf = text.substr(end, 2) == "\r\n";
    lines.push_back(SafeLine(text.substr(0, end)));
    text.remove_prefix(std::min(end + (crlf ? 2 : 1), text.size()));
  }
  lines.erase(std::find_if_not(lines.rbegin(), lines.rend(), IsEmpty).base(), lines.end());
  lines.erase(lines.begin(), std::find_if_not(lines.begin(), lines.end(), IsEmpty));
  return lines;
}

}  // namespace weir::plugin
