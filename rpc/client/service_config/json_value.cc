#include "weir/rpc/client/service_config/json_value.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace weir {

JsonValue::JsonValue() = default;
JsonValue::JsonValue(bool value) : value_(value) {}
JsonValue::JsonValue(double value) : value_(value) {}
JsonValue::JsonValue(std::string value) : value_(std::move(value)) {}
JsonValue::JsonValue(Array value) : value_(std::move(value)) {}
JsonValue::JsonValue(Object value) : value_(std::move(value)) {}
JsonValue::JsonValue(const JsonValue&) = default;
JsonValue::JsonValue(JsonValue&&) noexcept = default;
JsonValue& JsonValue::operator=(const JsonValue&) = default;
JsonValue& JsonValue::operator=(JsonValue&&) noexcept = default;
JsonValue::~JsonValue() = default;
// Not defaulted: clang 14 cannot compile that here.
bool JsonValue::operator==(const JsonValue& other) const { return value_ == other.value_; }

const bool* JsonValue::boolean() const { return std::get_if<bool>(&value_); }
const double* JsonValue::number() const { return std::get_if<double>(&value_); }
const std::string* JsonValue::string() const { return std::get_if<std::string>(&value_); }
const JsonValue::Array* JsonValue::array() const { return std::get_if<Array>(&value_); }
const JsonValue::Object* JsonValue::object() const { return std::get_if<Object>(&value_); }

const JsonValue* JsonValue::Find(std::string_view name) const {
  const Object* fields = object();
  if (fields == nullptr) return nullptr;
  const auto it =
      std::find_if(fields->begin(), fields->end(), [name](const auto& field) { return field.first == name; });
  return it == fields->end() || it->second.is_null() ? nullptr : &it->second;
}

std::string JsonValue::Describe() const {
  constexpr size_t kQuotedBytesMax = 100;
  if (const bool* value = boolean()) return *value ? "true" : "false";
  if (const double* value = number()) return absl::StrCat(*value);
  if (const std::string* value = string()) {
    return absl::StrCat("\"", absl::CHexEscape(value->substr(0, kQuotedBytesMax)), "\"");
  }
  if (array() != nullptr) return "a list";
  return object() != nullptr ? "an object" : "null";
}

}  // namespace weir
