// Plan: one call, as its client is to make it and its handler to answer it; and the generator of plans.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "tests/interop/differential/script.pb.h"

namespace weir::differential {

using Pairs = std::vector<std::pair<std::string, std::string>>;

enum class Kind { kUnary, kUpload, kDownload, kBoth };

struct Plan {
  Kind kind = Kind::kUnary;
  std::vector<int> request_sizes;  // one where the request is no stream
  Pairs metadata;                  // besides the script
  absl::Duration timeout = absl::Seconds(60);
  std::optional<int> cancel_after;  // replies; streams of replies only
  Script script;

  bool gzip = false;             // for the requests
  bool half_close_late = false;  // after the last reply instead of the last request; kBoth only

  // The request is larger than what a server takes.
  bool too_large = false;

  // The deadline passes while the handler holds the call: nothing else is sure to come.
  bool times_out() const { return timeout < absl::Seconds(1); }
  // The library makes the status, not the handler.
  bool status_is_local() const { return times_out() || too_large || cancel_after.has_value(); }

  std::string ToString() const;
};

// Where the script travels, and what the handler saw.
inline constexpr std::string_view kScriptKey = "x-script-bin";
inline constexpr std::string_view kSeenKey = "x-seen-bin";

// Content of a message: depends on its size and place, so that no two are taken for each other.
std::string Content(int bytes, size_t place);

// The plan with this number among those of the seed: the same everywhere and always.
Plan MakePlan(uint32_t seed, int number);

}  // namespace weir::differential
