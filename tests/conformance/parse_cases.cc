#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "weir/tests/conformance/case.h"
#include "weir/transport/h2/frame_text.h"

namespace weir::testing {
namespace {

using transport::Role;

// Words that stand for fields that most cases need and none is about.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kMacros = {{
    {"@get", ":method=GET :scheme=http :path=/ :authority=x"},
    {"@post", ":method=POST :scheme=http :path=/ :authority=x"},
    {"@ok", ":status=200"},
}};

void Replace(std::string_view word, std::string_view by, std::string* line) {
  for (size_t at = 0; (at = line->find(word, at)) != std::string::npos; at += by.size()) {
    line->replace(at, word.size(), by);
  }
}

// "BLOCK 1 82 86 84": a HEADERS frame that ends the stream, with these octets as its field block.
std::string ExpandBlock(std::string_view line) {
  const size_t id = line.find(' ') + 1;
  const size_t octets = std::min(line.find(' ', id), line.size());
  std::string out = "FRAME type=0x01 flags=0x05 stream=" + std::string(line.substr(id, octets - id)) + " hex:";
  for (char c : line.substr(octets).substr(0, line.substr(octets).find('#'))) {
    if (c != ' ') out += c;
  }
  return out;
}

std::string Expand(std::string line) {
  for (const auto& [word, fields] : kMacros) Replace(word, fields, &line);
  return line.starts_with("BLOCK ") ? ExpandBlock(line) : line;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

class Parser {
 public:
  Parser(std::string_view file, std::vector<ConformanceCase>* cases) : file_(file), cases_(cases) {}

  std::optional<std::string> Line(std::string_view line) {
    ++number_;
    const std::string_view text = Trim(line);
    if (text.empty() || text.front() == '#') return std::nullopt;
    if (line.front() == ' ') return Indented(text);
    if (text.starts_with("section ")) return Section(text.substr(8));
    return Head(text);
  }

  std::optional<std::string> End() {
    if (!open_) return std::nullopt;
    open_ = false;
    return cases_->back().expectations.empty() ? Mistake("an expectation (=> ...) before the case ends", "none")
                                               : std::nullopt;
  }

 private:
  std::string Place() const { return file_ + ":" + std::to_string(number_); }
  std::optional<std::string> Mistake(std::string_view expected, std::string_view got) const {
    return Place() + ": expected " + std::string(expected) + ", got \"" + std::string(got) + "\"";
  }

  std::optional<std::string> Section(std::string_view text) {
    auto mistake = End();
    const size_t number = text.find(' ');
    if (number == std::string_view::npos) return Mistake("section <document> <number> <title>", text);
    section_ = std::string(text.substr(0, text.find(' ', number + 1)));
    return mistake;
  }

  std::optional<std::string> Head(std::string_view text) {
    if (auto mistake = End()) return mistake;
    const size_t colon = text.find(": ");
    const std::string_view who = text.substr(0, colon);
    const bool server = who.starts_with("server");
    const std::string_view how = who.substr(who.starts_with("server") || who.starts_with("client") ? 6 : 0);
    if (colon == std::string_view::npos || (!how.empty() && how != ", no handshake")) {
      return Mistake("server: <rule>, client: <rule> or \"..., no handshake: <rule>\"", text);
    }
    if (section_.empty()) return Mistake("a section first", text);
    ConformanceCase next;
    next.section = section_;
    next.rule = std::string(text.substr(colon + 2));
    next.place = Place();
    next.role = server ? Role::kServer : Role::kClient;
    next.handshake = how.empty();
    cases_->push_back(std::move(next));
    open_ = true;
    return std::nullopt;
  }

  std::optional<std::string> Indented(std::string_view text) {
    if (!open_) return Mistake("a case before this line", text);
    ConformanceCase& current = cases_->back();
    if (text.starts_with("=> ")) {
      current.expectations.emplace_back(Expand(std::string(Trim(text.substr(3)))));
      return std::nullopt;
    }
    if (text.starts_with("! ")) {
      current.steps.push_back({ConformanceCase::Step::Kind::kAction, std::string(Trim(text.substr(2)))});
      return std::nullopt;
    }
    const std::string line = Expand(std::string(text));
    std::string bytes;
    const absl::Status encoded = transport::EncodeFrameText(line, &bytes);
    if (!encoded.ok()) return Place() + ": " + std::string(encoded.message());
    current.steps.push_back({ConformanceCase::Step::Kind::kPeer, line});
    return std::nullopt;
  }

  const std::string file_;
  std::vector<ConformanceCase>* const cases_;
  std::string section_;
  size_t number_ = 0;
  bool open_ = false;
};

}  // namespace

std::optional<std::string> ParseCases(std::string_view file, std::string_view text,
                                      std::vector<ConformanceCase>* cases) {
  Parser parser(file, cases);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (auto mistake = parser.Line(text.substr(0, end))) return mistake;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parser.End();
}

}  // namespace weir::testing
