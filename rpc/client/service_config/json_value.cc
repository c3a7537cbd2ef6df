#include "weir/rpc/client/service_config/json_value.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace weir {

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
