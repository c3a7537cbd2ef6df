// One rule of a specification as a test, and the files that hold such cases.
//
//   section RFC9113 5.1.1 Stream Identifiers
//
//   server: a HEADERS on a lower id that was never opened
//     HEADERS 5 END_STREAM @get
//     HEADERS 3 END_STREAM @get
//     => connection PROTOCOL_ERROR
//
// The grammar is in README.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/transport/h2/options.h"

namespace weir::testing {

struct ConformanceCase {
  // What the peer sends, as frame text, or what we do ("respond 1").
  struct Step {
    enum class Kind { kPeer, kAction };
    Kind kind = Kind::kPeer;
    std::string text;
  };

  std::string section;                              // "RFC9113 5.1.1"
  std::string rule;                                 // the sentence of the case
  std::string place;                                // "file:line"
  transport::Role role = transport::Role::kServer;  // ours
  bool handshake = true;
  std::vector<Step> steps;
  std::vector<std::string> expectations;
};

// Appends the cases of a file's text. A text: the first mistake in it, with its place.
std::optional<std::string> ParseCases(std::string_view file, std::string_view text,
                                      std::vector<ConformanceCase>* cases);

// Plays a case with the peer's bytes whole, byte by byte and cut at seeded places. A text: what was expected and what
// came instead.
std::optional<std::string> PlayCase(const ConformanceCase& played);

}  // namespace weir::testing
