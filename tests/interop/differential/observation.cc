#include "tests/interop/differential/observation.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace weir::differential {
namespace {

constexpr int kUnknown = 2;
constexpr int kLastCode = 16;

// HTTP's spaces around a value do not belong to it (RFC 9110, 5.5): gRPC lets a receiver drop them.
std::string Stripped(const std::string& value) { return std::string(absl::StripAsciiWhitespace(value)); }

// Ours only (the libraries add user-agent and the like), by key; values of one key stay in order.
Pairs Normal(const Pairs& pairs) {
  Pairs normal;
  for (const auto& pair : pairs) {
    const bool ours = pair.first == "x" || pair.first.starts_with("x-");
    if (ours && pair.first != kScriptKey) normal.push_back(pair);
  }
  std::stable_sort(normal.begin(), normal.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return normal;
}

void AppendPairs(std::string* out, const char* what, const Pairs& pairs) {
  for (const auto& [key, value] : Normal(pairs)) {
    absl::StrAppend(out, what, " ", key, ": ", absl::CHexEscape(key.ends_with("-bin") ? value : Stripped(value)), "\n");
  }
}

}  // namespace

std::string Comparable(const Plan& plan, const Observation& observation) {
  const bool unknown_code = plan.script.code() > kLastCode && !plan.status_is_local();
  const int code = unknown_code && observation.code == plan.script.code() ? kUnknown : observation.code;
  std::string text = absl::StrCat("code ", code, "\n");
  if (plan.times_out() || plan.too_large) return text;
  if (!plan.status_is_local() && !unknown_code) {
    absl::StrAppend(&text, "message ", absl::CHexEscape(Stripped(observation.message)), "\n");
  }
  for (const std::string& reply : observation.replies) absl::StrAppend(&text, "reply ", Digest(reply), "\n");
  // Initial metadata of a call that is cancelled before the first reply may or may not have come.
  if (!plan.cancel_after.has_value() || *plan.cancel_after > 0) AppendPairs(&text, "initial", observation.initial);
  if (!plan.cancel_after.has_value()) AppendPairs(&text, "trailing", observation.trailing);
  return text;
}

std::string Seen(const Pairs& metadata, const std::vector<std::string>& requests) {
  std::string text;
  AppendPairs(&text, "metadata", metadata);
  for (const std::string& request : requests) absl::StrAppend(&text, "request ", Digest(request), "\n");
  return text;
}

std::string Digest(const std::string& content) {
  uint32_t hash = 2166136261;  // FNV-1a
  for (const char byte : content) hash = (hash ^ static_cast<unsigned char>(byte)) * 16777619;
  return absl::StrCat(content.size(), " bytes, ", absl::Hex(hash));
}

}  // namespace weir::differential
