#include "weir/rpc/client/service_config/json_reader.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace weir {
namespace {

// absl's string_view is not std's on every system.
absl::string_view View(std::string_view text) { return absl::string_view(text.data(), text.size()); }

std::optional<double> NumberOf(const JsonValue& value) {
  double number = 0;
  if (const double* plain = value.number()) {
    number = *plain;
  } else if (const std::string* quoted = value.string(); quoted == nullptr || !absl::SimpleAtod(*quoted, &number)) {
    return std::nullopt;
  }
  if (!std::isfinite(number)) return std::nullopt;
  return number;
}

bool AllDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// protobuf's JSON of google.protobuf.Duration: "3s", "1.000340012s"; at most 315,576,000,000 s, and nine decimals.
std::optional<absl::Duration> DurationOf(std::string_view text) {
  constexpr int64_t kSecondsMax = 315'576'000'000;
  constexpr size_t kDecimals = 9;
  if (!text.ends_with('s')) return std::nullopt;
  text.remove_suffix(1);
  const size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  std::string nanos(text.substr(std::min(point + 1, text.size())));
  int64_t seconds = 0;
  if (whole.empty() || !AllDigits(whole) || !absl::SimpleAtoi(View(whole), &seconds) || seconds > kSecondsMax) {
    return std::nullopt;
  }
  if (!AllDigits(nanos) || nanos.size() > kDecimals || (point != text.size() && nanos.empty())) return std::nullopt;
  nanos.resize(kDecimals, '0');
  int64_t fraction = 0;
  if (!absl::SimpleAtoi(nanos, &fraction)) return std::nullopt;
  return absl::Seconds(seconds) + absl::Nanoseconds(fraction);
}

}  // namespace

JsonReader::JsonReader(const JsonValue& value, std::string path, JsonErrors* errors)
    : value_(value), path_(std::move(path)), errors_(errors) {
  if (value.object() == nullptr) Fail(absl::StrCat("expected an object, got ", value.Describe()));
}

std::optional<bool> JsonReader::Bool(std::string_view name) const {
  const JsonValue* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (value->boolean() != nullptr) return *value->boolean();
  Wrong(name, "true or false");
  return std::nullopt;
}

std::optional<std::string> JsonReader::String(std::string_view name) const {
  const JsonValue* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (value->string() != nullptr) return *value->string();
  Wrong(name, "a string");
  return std::nullopt;
}

std::optional<double> JsonReader::Number(std::string_view name) const {
  const JsonValue* value = Find(name);
  if (value == nullptr) return std::nullopt;
  const std::optional<double> number = NumberOf(*value);
  if (!number.has_value()) Wrong(name, "a number");
  return number;
}

std::optional<uint32_t> JsonReader::Whole(std::string_view name, uint32_t min) const {
  const JsonValue* value = Find(name);
  if (value == nullptr) return std::nullopt;
  const std::optional<double> number = NumberOf(*value);
  if (number.has_value() && *number >= min && *number <= UINT32_MAX && std::trunc(*number) == *number) {
    return static_cast<uint32_t>(*number);
  }
  Wrong(name, absl::StrCat("a whole number from ", min, " to ", UINT32_MAX));
  return std::nullopt;
}

std::optional<absl::Duration> JsonReader::Duration(std::string_view name) const {
  const JsonValue* value = Find(name);
  if (value == nullptr) return std::nullopt;
  std::optional<absl::Duration> duration;
  if (value->string() != nullptr) duration = DurationOf(*value->string());
  if (!duration.has_value()) Wrong(name, "seconds such as \"1.5s\"");
  return duration;
}

std::optional<JsonReader> JsonReader::Object(std::string_view name) const {
  const JsonValue* value = Find(name);
  if (value == nullptr) return std::nullopt;
  return JsonReader(*value, PathOf(name), errors_);
}

const JsonValue::Array* JsonReader::List(std::string_view name) const {
  const JsonValue* value = Find(name);
  if (value == nullptr) return nullptr;
  if (value->array() == nullptr) Wrong(name, "a list");
  return value->array();
}

void JsonReader::Wrong(std::string_view name, std::string_view expected) const {
  const JsonValue* got = Find(name);
  errors_->push_back(absl::StrCat(PathOf(name), ": expected ", std::string(expected), ", got ",
                                  got == nullptr ? "nothing" : got->Describe()));
}

void JsonReader::WrongElement(std::string_view name, size_t index, std::string_view expected,
                              const JsonValue& got) const {
  errors_->push_back(
      absl::StrCat(ElementPath(name, index), ": expected ", std::string(expected), ", got ", got.Describe()));
}

void JsonReader::Fail(std::string_view message) const {
  errors_->push_back(path_.empty() ? std::string(message) : absl::StrCat(path_, ": ", std::string(message)));
}

std::string JsonReader::PathOf(std::string_view name) const {
  return path_.empty() ? std::string(name) : absl::StrCat(path_, ".", std::string(name));
}

std::string JsonReader::ElementPath(std::string_view name, size_t index) const {
  return absl::StrCat(PathOf(name), "[", index, "]");
}

}  // namespace weir
