#include "weir/rpc/core/metadata.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace weir {
namespace {

bool IsKeyChar(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'; }
bool IsValueChar(char c) { return c >= 0x20 && c <= 0x7e; }

// Fields that HTTP/2 and gRPC fill in themselves. The connection-specific ones make a message malformed (RFC 9113
// section 8.2.2). "user-agent" is not here: a server sees it, so a proxy that passes on what it received may hold it;
// the protocol leaves it out (rpc/wire).
bool BelongsToHttp(std::string_view key) {
  static constexpr std::string_view kNames[] = {"te",         "content-type", "content-length",   "host",
                                                "connection", "keep-alive",   "proxy-connection", "transfer-encoding",
                                                "upgrade"};
  return std::find(std::begin(kNames), std::end(kNames), key) != std::end(kNames);
}

std::string Quoted(std::string_view text) {
  return absl::StrCat("\"", absl::CHexEscape(absl::string_view(text.data(), text.size())), "\"");
}

}  // namespace

Metadata::Metadata(std::initializer_list<std::pair<std::string_view, std::string_view>> entries) {
  entries_.reserve(entries.size());
  for (const auto& [key, value] : entries) Add(key, value);
}

void Metadata::Add(std::string_view key, std::string_view value) {
  std::string& name = entries_.emplace_back(key, value).first;
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
}

void Metadata::Set(std::string_view key, std::string_view value) {
  Metadata set;
  set.Add(key, value);
  Remove(set.entries_.front().first);
  entries_.push_back(std::move(set.entries_.front()));
}

void Metadata::Remove(std::string_view key) {
  std::erase_if(entries_, [key](const Entry& entry) { return entry.first == key; });
}

std::optional<std::string_view> Metadata::Get(std::string_view key) const {
  for (const Entry& entry : entries_) {
    if (entry.first == key) return entry.second;
  }
  return std::nullopt;
}

std::vector<std::string_view> Metadata::GetAll(std::string_view key) const {
  std::vector<std::string_view> values;
  for (const Entry& entry : entries_) {
    if (entry.first == key) values.push_back(entry.second);
  }
  return values;
}

absl::Status Metadata::Check() const {
  for (const auto& [key, value] : entries_) {
    if (absl::Status bad = CheckEntry(key, value); !bad.ok()) return bad;
  }
  return absl::OkStatus();
}

absl::Status Metadata::CheckEntry(std::string_view key, std::string_view value) {
  if (key.empty() || !std::all_of(key.begin(), key.end(), IsKeyChar)) {
    return absl::InternalError(absl::StrCat("metadata key: expected one or more of [0-9a-z_.-], got ", Quoted(key)));
  }
  if (key.starts_with("grpc-") && key != kPushBackKey) {
    return absl::InternalError(absl::StrCat("metadata key ", Quoted(key),
                                            ": names that begin with \"grpc-\" belong to the protocol; rename it"));
  }
  if (BelongsToHttp(key)) {
    return absl::InternalError(absl::StrCat("metadata key ", Quoted(key), ": the name belongs to HTTP; rename it"));
  }
  if (!key.ends_with("-bin") && !std::all_of(value.begin(), value.end(), IsValueChar)) {
    return absl::InternalError(absl::StrCat("metadata value of ", Quoted(key), ": expected ASCII 0x20-0x7E, got ",
                                            Quoted(value), "; for other bytes use a key that ends in \"-bin\""));
  }
  return absl::OkStatus();
}

}  // namespace weir
